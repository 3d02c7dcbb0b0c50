/*
 * fdw.c
 *		The foreign tables of wasmer-postgres: wasm.instances and
 *		wasm.exported_functions, read from pg_proc.
 *
 * A foreign data wrapper has the option "relation", which says what its tables
 * show.  The columns of a table are found by name, all of type text.
 *
 *	instances: id, wasm_file
 *		the distinct pairs over the modules of the database
 *	exported_functions: instance_id, name, inputs, outputs
 *		the functions bound to exports
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/reloptions.h"
#include "access/table.h"
#include "catalog/binding.h"
#include "catalog/body.h"
#include "catalog/function.h"
#include "catalog/module.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "commands/explain.h"
#include "compat.h"
#include "executor/executor.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "lib/stringinfo.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "values/value.h"

PGW_SQL_FUNCTION(pgw_fdw_handler);
PGW_SQL_FUNCTION(pgw_fdw_validator);

#define MAX_COLUMNS 4

/* What the planner is told; the tables have no statistics. */
#define ESTIMATED_ROWS 100

typedef struct FdwRelation
{
	const char *name;
	int			ncolumns;
	const char *columns[MAX_COLUMNS];
	/* list of rows, each an array of strings with NULL for null */
	List	   *(*read) (void);
} FdwRelation;

/* --- the rows --- */

static char **
make_row(char *a, char *b, char *c, char *d)
{
	char	  **row = palloc(MAX_COLUMNS * sizeof(char *));

	row[0] = a;
	row[1] = b;
	row[2] = c;
	row[3] = d;
	return row;
}

static bool
same_text(const char *a, const char *b)
{
	return (a == NULL || b == NULL) ? a == b : strcmp(a, b) == 0;
}

static bool
has_instance(List *rows, const char *id, const char *file)
{
	ListCell   *cell;

	foreach(cell, rows)
	{
		char	  **row = lfirst(cell);

		if (same_text(row[0], id) && same_text(row[1], file))
			return true;
	}
	return false;
}

static List *
read_instances(void)
{
	List	   *rows = NIL;
	ListCell   *cell;

	foreach(cell, pgw_binding_list(true))
	{
		PgwProc		module;
		PgwBody		body;
		char	   *id;

		if (!pgw_proc_read(lfirst_oid(cell), PGW_SOURCE_HEAD, &module) ||
			!pgw_body_try_parse(module.source, module.whole, &body))
			continue;
		id = pgw_module_identity(&module);
		if (!has_instance(rows, id, body.file))
			rows = lappend(rows, make_row(id, body.file, NULL, NULL));
	}
	return rows;
}

/* Another session may drop the type while the functions are read. */
static char *
type_text(Oid type)
{
	return format_type_extended(type, -1, FORMAT_TYPE_ALLOW_INVALID);
}

static char *
inputs_text(const PgwSignature *signature)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < signature->nargs; i++)
		appendStringInfo(&text, "%s%s", i > 0 ? "," : "", type_text(signature->argtypes[i]));
	return text.data;
}

static char *
outputs_text(const PgwSignature *signature)
{
	StringInfoData text;
	int			n = 0;

	if (signature->row == NULL)
		return type_text(signature->rettype);
	initStringInfo(&text);
	for (int i = 0; i < signature->row->natts; i++)
	{
		if (!TupleDescAttr(signature->row, i)->attisdropped)
			appendStringInfo(&text, "%s%s", n++ > 0 ? "," : "",
							 type_text(TupleDescAttr(signature->row, i)->atttypid));
	}
	return text.data;
}

static List *
read_exported_functions(void)
{
	List	   *rows = NIL;
	ListCell   *cell;

	foreach(cell, pgw_binding_list(true))
	{
		PgwProc		module;
		char	   *id;
		ListCell   *inner;

		if (!pgw_proc_read(lfirst_oid(cell), PGW_SOURCE_HEAD, &module))
			continue;
		id = pgw_module_identity(&module);
		foreach(inner, pgw_binding_dependents(&module))
		{
			PgwProc		proc;
			PgwSignature signature;

			/* the second look takes the row that pgw_function_signature() will use */
			if (!pgw_proc_read(lfirst_oid(inner), PGW_SOURCE_HEAD, &proc) ||
				!SearchSysCacheExists1(PROCOID, ObjectIdGetDatum(proc.oid)))
				continue;
			pgw_function_signature(&proc, &signature);
			rows = lappend(rows, make_row(id, pstrdup(NameStr(proc.name)),
										  inputs_text(&signature), outputs_text(&signature)));
		}
	}
	return rows;
}

static const FdwRelation relations[] = {
	{"instances", 2, {"id", "wasm_file"}, read_instances},
	{"exported_functions", 4, {"instance_id", "name", "inputs", "outputs"}, read_exported_functions},
};

/* --- options --- */

static const FdwRelation *
find_relation(const char *name)
{
	for (int i = 0; i < lengthof(relations); i++)
	{
		if (strcmp(relations[i].name, name) == 0)
			return &relations[i];
	}
	return NULL;
}

static void pg_attribute_noreturn()
refuse_option(const DefElem *option)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
			 errmsg("invalid option \"%s\"", option->defname),
			 errhint("Only the foreign data wrapper has an option: \"relation\".")));
}

Datum
pgw_fdw_validator(PG_FUNCTION_ARGS)
{
	List	   *options = untransformRelOptions(PG_GETARG_DATUM(0));
	Oid			catalog = PG_GETARG_OID(1);
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *option = lfirst(cell);

		if (catalog != ForeignDataWrapperRelationId || strcmp(option->defname, "relation") != 0)
			refuse_option(option);
		if (find_relation(defGetString(option)) == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
					 errmsg("invalid value for option \"relation\": \"%s\"", defGetString(option)),
					 errhint("Valid values are \"instances\" and \"exported_functions\".")));
	}
	PG_RETURN_VOID();
}

static const FdwRelation *
relation_of_server(const ForeignServer *server)
{
	ForeignDataWrapper *wrapper = GetForeignDataWrapper(server->fdwid);
	ListCell   *cell;

	foreach(cell, wrapper->options)
	{
		DefElem    *option = lfirst(cell);

		if (strcmp(option->defname, "relation") == 0)
			return find_relation(defGetString(option));
	}
	ereport(ERROR,
			(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
			 errmsg("foreign data wrapper \"%s\" lacks the option \"relation\"", wrapper->fdwname)));
}

/* --- planning --- */

static void
get_rel_size(PlannerInfo *root, RelOptInfo *baserel, Oid foreigntableid)
{
	baserel->rows = Max(1, ESTIMATED_ROWS * clauselist_selectivity(root, baserel->baserestrictinfo, 0, JOIN_INNER, NULL));
}

static void
get_paths(PlannerInfo *root, RelOptInfo *baserel, Oid foreigntableid)
{
	Cost		startup = baserel->baserestrictcost.startup + 10;
	Cost		total = startup + ESTIMATED_ROWS * (cpu_tuple_cost + baserel->baserestrictcost.per_tuple);

	add_path(baserel, (Path *)
			 create_foreignscan_path(root, baserel, NULL, baserel->rows, startup, total,
									 NIL, baserel->lateral_relids, NULL, NIL));
}

static ForeignScan *
get_plan(PlannerInfo *root, RelOptInfo *baserel, Oid foreigntableid,
		 ForeignPath *best_path, List *tlist, List *scan_clauses, Plan *outer_plan)
{
	return make_foreignscan(tlist, extract_actual_clauses(scan_clauses, false),
							baserel->relid, NIL, NIL, NIL, NIL, outer_plan);
}

/* --- execution --- */

typedef struct FdwScan
{
	List	   *rows;
	int			next;
	int		   *columns;		/* for each attribute its column, or -1 */
} FdwScan;

static void
map_columns(FdwScan *scan, const FdwRelation *relation, TupleDesc desc)
{
	scan->columns = palloc(desc->natts * sizeof(int));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		scan->columns[i] = -1;
		if (attribute->attisdropped)
			continue;
		for (int column = 0; column < relation->ncolumns; column++)
		{
			if (strcmp(NameStr(attribute->attname), relation->columns[column]) == 0)
				scan->columns[i] = column;
		}
		if (scan->columns[i] < 0 || attribute->atttypid != TEXTOID)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_COLUMN_NAME_NOT_FOUND),
					 errmsg("column \"%s\" of type %s is not one of the foreign relation \"%s\"",
							NameStr(attribute->attname), format_type_be(attribute->atttypid), relation->name),
					 errhint("IMPORT FOREIGN SCHEMA makes a table with all columns, which have type text.")));
	}
}

static void
begin_scan(ForeignScanState *node, int eflags)
{
	Relation	table = node->ss.ss_currentRelation;
	ForeignTable *foreign = GetForeignTable(RelationGetRelid(table));
	const FdwRelation *relation = relation_of_server(GetForeignServer(foreign->serverid));
	FdwScan    *scan;

	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;
	scan = palloc0(sizeof(FdwScan));
	map_columns(scan, relation, RelationGetDescr(table));
	scan->rows = relation->read();
	node->fdw_state = scan;
}

static TupleTableSlot *
iterate_scan(ForeignScanState *node)
{
	FdwScan    *scan = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	char	  **row;

	ExecClearTuple(slot);
	if (scan->next >= list_length(scan->rows))
		return slot;
	row = list_nth(scan->rows, scan->next++);
	for (int i = 0; i < slot->tts_tupleDescriptor->natts; i++)
	{
		const char *value = scan->columns[i] < 0 ? NULL : row[scan->columns[i]];

		slot->tts_isnull[i] = value == NULL;
		slot->tts_values[i] = value ? CStringGetTextDatum(value) : (Datum) 0;
	}
	return ExecStoreVirtualTuple(slot);
}

static void
rescan(ForeignScanState *node)
{
	((FdwScan *) node->fdw_state)->next = 0;
}

static void
end_scan(ForeignScanState *node)
{
}

static bool
is_parallel_safe(PlannerInfo *root, RelOptInfo *rel, RangeTblEntry *rte)
{
	return true;
}

static List *
import_schema(ImportForeignSchemaStmt *statement, Oid serverOid)
{
	ForeignServer *server = GetForeignServer(serverOid);
	const FdwRelation *relation = relation_of_server(server);
	StringInfoData command;

	if (statement->options != NIL)
		refuse_option(linitial(statement->options));
	initStringInfo(&command);
	appendStringInfo(&command, "CREATE FOREIGN TABLE %s (", quote_identifier(relation->name));
	for (int i = 0; i < relation->ncolumns; i++)
		appendStringInfo(&command, "%s%s text", i > 0 ? ", " : "", relation->columns[i]);
	appendStringInfo(&command, ") SERVER %s", quote_identifier(server->servername));
	return list_make1(command.data);
}

Datum
pgw_fdw_handler(PG_FUNCTION_ARGS)
{
	FdwRoutine *routine = makeNode(FdwRoutine);

	routine->GetForeignRelSize = get_rel_size;
	routine->GetForeignPaths = get_paths;
	routine->GetForeignPlan = get_plan;
	routine->BeginForeignScan = begin_scan;
	routine->IterateForeignScan = iterate_scan;
	routine->ReScanForeignScan = rescan;
	routine->EndForeignScan = end_scan;
	routine->IsForeignScanParallelSafe = is_parallel_safe;
	routine->ImportForeignSchema = import_schema;
	PG_RETURN_POINTER(routine);
}
