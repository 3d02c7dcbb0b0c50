/*
 * statistics.c
 *		What the views wasm.stat_functions and wasm.stat_modules are made of.
 */
#include "postgres.h"

#include "catalog/binding.h"
#include "compat.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "stat/stat.h"

PGW_SQL_FUNCTION(pgw_stat_counters);
PGW_SQL_FUNCTION(pgw_sql_stat_reset);

static void
put_row(const PgwStatRow *row, void *data)
{
	ReturnSetInfo *rsinfo = data;
	Datum		values[2 + PGW_STAT_COUNTERS];
	bool		nulls[2 + PGW_STAT_COUNTERS] = {0};

	values[0] = ObjectIdGetDatum(row->object);
	values[1] = ObjectIdGetDatum(row->module);
	for (int i = 0; i < PGW_STAT_COUNTERS; i++)
		values[2 + i] = Int64GetDatum(row->counters[i]);
	values[2 + PGW_STAT_COMPILE_TIME] = Float8GetDatum(row->counters[PGW_STAT_COMPILE_TIME] / 1000.0);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

Datum
pgw_stat_counters(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, 0);
	pgw_stat_visit(PG_GETARG_BOOL(0), put_row, fcinfo->resultinfo);
	return (Datum) 0;
}

/* The times that the views show are PostgreSQL's: they start anew with the rest. */
Datum
pgw_sql_stat_reset(PG_FUNCTION_ARGS)
{
	ListCell   *cell;

	pgw_stat_reset();
	foreach(cell, pgw_binding_list(false))
		pgstat_reset(PGSTAT_KIND_FUNCTION, MyDatabaseId, lfirst_oid(cell));
	PG_RETURN_VOID();
}
