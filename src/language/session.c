/*
 * session.c
 *		What a session keeps of guests, and how it gives that up; the cache of
 *		compiled modules as a table.
 */
#include "postgres.h"

#include "language/session.h"

#include "catalog/instance.h"
#include "compat.h"
#include "engine/artifact.h"
#include "funcapi.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/builtins.h"

PGW_SQL_FUNCTION(pgw_reset);
PGW_SQL_FUNCTION(pgw_cache);

static ProcessUtility_hook_type previous_hook = NULL;

Datum
pgw_reset(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(pgw_instance_reset());
}

/*
 * DISCARD ALL leaves nothing of a session to the next client of a connection:
 * no guest memory either.
 */
static void
discard_instances(PlannedStmt *statement, const char *query, bool read_only,
				  ProcessUtilityContext context, ParamListInfo params,
				  QueryEnvironment *environment, DestReceiver *receiver, QueryCompletion *completion)
{
	Node	   *node = statement->utilityStmt;
	bool		all = IsA(node, DiscardStmt) && ((DiscardStmt *) node)->target == DISCARD_ALL;

	if (previous_hook != NULL)
		previous_hook(statement, query, read_only, context, params, environment, receiver, completion);
	else
		standard_ProcessUtility(statement, query, read_only, context, params, environment, receiver, completion);
	if (all)
		(void) pgw_instance_reset();
}

void
pgw_session_init(void)
{
	previous_hook = ProcessUtility_hook;
	ProcessUtility_hook = discard_instances;
}

static bool
put_file(const PgwArtifactFile *file, void *data)
{
	ReturnSetInfo *rsinfo = data;
	Datum		values[7];
	bool		nulls[7] = {false};

	values[0] = CStringGetTextDatum(file->sha256);
	values[1] = CStringGetTextDatum(file->build);
	values[2] = BoolGetDatum((file->mode & PGW_MODE_METERED) != 0);
	values[3] = CStringGetTextDatum(file->mode & PGW_MODE_EPOCHS ? "epoch" : "signal");
	values[4] = Int64GetDatum(file->size);
	values[5] = TimestampTzGetDatum(file->used);
	values[6] = Int32GetDatum(file->compile_ms);
	nulls[6] = file->compile_ms < 0;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	return true;
}

Datum
pgw_cache(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, 0);
	pgw_artifact_visit(put_file, fcinfo->resultinfo);
	return (Datum) 0;
}
