/*
 * generate.c
 *		Makes modules and functions by the commands that a user would write.
 *
 * The commands are parse trees, executed with a short query string: event
 * triggers and auditing see them, and nothing that keeps query strings
 * (pg_stat_statements, the server log) keeps a copy of a module.
 */
#include "postgres.h"

#include "catalog/generate.h"

#include "access/xact.h"
#include "catalog/body.h"
#include "catalog/function.h"
#include "catalog/module.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "engine/compile.h"
#include "engine/encoding.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_type.h"
#include "parser/parser.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"
#include "values/value.h"

static List *
qualified(const char *schema, const char *name)
{
	return list_make2(makeString(pstrdup(schema)), makeString(pstrdup(name)));
}

static void
execute(Node *statement, const char *query)
{
	PlannedStmt *planned = makeNode(PlannedStmt);

	planned->commandType = CMD_UTILITY;
	planned->canSetTag = false;
	planned->utilityStmt = statement;
	planned->stmt_location = -1;
	ProcessUtility(planned, query, false, PROCESS_UTILITY_QUERY, NULL, NULL, None_Receiver, NULL);
	CommandCounterIncrement();
}

static DefElem *
option(const char *name, Node *value)
{
	return makeDefElem(pstrdup(name), value, -1);
}

static List *
common_options(const char *body, bool strict, const char *volatility, const char *parallel)
{
	List	   *options = NIL;

	options = lappend(options, option("as", (Node *) list_make1(makeString(pstrdup(body)))));
	options = lappend(options, option("language", (Node *) makeString("wasm")));
	options = lappend(options, option("strict", (Node *) makeBoolean(strict)));
	options = lappend(options, option("volatility", (Node *) makeString(pstrdup(volatility))));
	options = lappend(options, option("parallel", (Node *) makeString(pstrdup(parallel))));
	options = lappend(options, option("cost", (Node *) makeInteger(1)));
	return options;
}

char *
pgw_creation_schema(void)
{
	char	   *name;

	return get_namespace_name(QualifiedNameGetCreationNamespace(list_make1(makeString("x")), &name));
}

/* --- modules --- */

/*
 * The settings of a module that is replaced.  Directories were granted to other
 * bytes: they stay only where whoever replaces these could grant them.
 */
static Datum
settings_kept(Datum config)
{
	static const char grant[] = "wasm.directories";
	ArrayBuildState *kept = initArrayResult(TEXTOID, CurrentMemoryContext, false);
	Datum	   *settings;
	int			count;

	if (pg_parameter_aclcheck(grant, GetUserId(), ACL_SET) == ACLCHECK_OK)
		return config;
	deconstruct_array(DatumGetArrayTypeP(config), TEXTOID, -1, false, TYPALIGN_INT, &settings, NULL, &count);
	for (int i = 0; i < count; i++)
	{
		const char *setting = TextDatumGetCString(settings[i]);

		if (pg_strncasecmp(setting, grant, strlen(grant)) != 0 || setting[strlen(grant)] != '=')
			kept = accumArrayResult(kept, settings[i], false, TEXTOID, CurrentMemoryContext);
	}
	return kept->nelems > 0 ? makeArrayResult(kept, CurrentMemoryContext) : (Datum) 0;
}

/*
 * What CREATE FUNCTION does not leave as it should be: nobody but its owner may
 * use a new module, and a replaced one keeps its settings.
 */
static void
finish_module(const PgwProc *module, const PgwProc *before)
{
	PgwProcChange change = {0};

	if (before == NULL)
		change.acl = pgw_proc_acl_without_public(module);
	else if (before->config != 0)
	{
		change.set_config = true;
		change.config = settings_kept(before->config);
	}
	else
		return;
	pgw_proc_update(module->oid, &change);
	if (before == NULL && creating_extension)
		recordExtObjInitPriv(module->oid, ProcedureRelationId);
}

Oid
pgw_generate_module(const char *schema, const char *name, const char *bytes,
					size_t length, const char *file, bool replace)
{
	Oid			namespace = get_namespace_oid(schema, false);
	CreateFunctionStmt *statement = makeNode(CreateFunctionStmt);
	char	   *body;
	char	   *query = psprintf("CREATE %sFUNCTION %s() RETURNS wasm.module LANGUAGE wasm",
								 replace ? "OR REPLACE " : "", quote_qualified_identifier(schema, name));
	Oid			oid = pgw_proc_find_nullary(name, namespace);
	PgwProc		before;
	PgwProc		module;
	bool		exists = OidIsValid(oid) && pgw_proc_read(oid, PGW_SOURCE_HEAD, &before);

	pgw_compile_check_size(length, &pgw_session_limits);
	body = pgw_body_make(bytes, length);
	if (file != NULL)
		body = psprintf(";; file: %s\n%s", file, body);
	statement->replace = replace;
	statement->funcname = qualified(schema, name);
	statement->returnType = makeTypeNameFromOid(pgw_module_type(), -1);
	statement->options = common_options(body, false, "immutable", "safe");
	execute((Node *) statement, query);

	oid = pgw_proc_find_nullary(name, namespace);
	if (!OidIsValid(oid) || !pgw_proc_read(oid, PGW_SOURCE_HEAD, &module))
		elog(ERROR, "module %s is gone after its creation", quote_qualified_identifier(schema, name));
	finish_module(&module, exists ? &before : NULL);
	return oid;
}

/* --- commands --- */

void
pgw_generate_skip(const PgwExtern *export, const char *obstacle)
{
	ereport(NOTICE,
			(errmsg("export \"%s\" is skipped: %s",
					pgw_shown_name(export->name), obstacle)));
}

/* A type that is declared without a schema is one of PostgreSQL's own. */
static void
qualify(TypeName *type)
{
	if (type != NULL && list_length(type->names) == 1)
		type->names = lcons(makeString("pg_catalog"), type->names);
}

/* Executes what has been declared, with the search path of the session. */
static void
execute_text(const char *command)
{
	Node	   *statement = linitial_node(RawStmt, pg_parse_query(command))->stmt;
	ListCell   *cell;

	if (IsA(statement, CreateFunctionStmt))
	{
		qualify(castNode(CreateFunctionStmt, statement)->returnType);
		foreach(cell, castNode(CreateFunctionStmt, statement)->parameters)
			qualify(lfirst_node(FunctionParameter, cell)->argType);
	}
	else if (IsA(statement, CompositeTypeStmt))
	{
		foreach(cell, castNode(CompositeTypeStmt, statement)->coldeflist)
			qualify(lfirst_node(ColumnDef, cell)->typeName);
	}
	execute(statement, command);
}

/* InvalidOid when there is no such type. */
static Oid
type_named(const char *text)
{
	TypeName   *type = linitial_node(TypeName, raw_parser(text, RAW_PARSE_TYPE_NAME));

	qualify(type);
	return LookupTypeNameOid(NULL, type, true);
}

/* --- types --- */

/* Has it the columns that are declared, in their order? */
static bool
has_columns(Oid type, const PgwTypeDeclaration *declared)
{
	TupleDesc	row = lookup_rowtype_tupdesc_copy(type, -1);
	ListCell   *name;
	ListCell   *column_type;
	int			n = 0;

	forboth(name, declared->columns, column_type, declared->column_types)
	{
		while (n < row->natts && TupleDescAttr(row, n)->attisdropped)
			n++;
		if (n >= row->natts || strcmp(NameStr(TupleDescAttr(row, n)->attname), lfirst(name)) != 0 ||
			TupleDescAttr(row, n)->atttypid != type_named(lfirst(column_type)))
			return false;
		n++;
	}
	return n == row->natts;
}

/* A type that exists is used again where a value of one is a value of the other. */
static bool
exists(const PgwDeclarer *declarer, const PgwTypeDeclaration *declared)
{
	Oid			namespace = get_namespace_oid(declarer->schema, false);
	Oid			type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(declared->name),
									   ObjectIdGetDatum(namespace));
	List	   *relations = NIL;
	bool		fits;

	if (!OidIsValid(type))
		return false;
	if (declared->wit->kind == PGW_WIT_ENUM)
		fits = pgw_node_make(type, -1, declared->wit, &relations) != NULL && get_typtype(type) == TYPTYPE_ENUM;
	else
		fits = get_typtype(type) == TYPTYPE_COMPOSITE && has_columns(type, declared);
	if (!fits)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("type %s already exists and does not stand for the WebAssembly type %s",
						format_type_be(type), pgw_wit_text(declared->wit)),
				 errhint("Rename it, or create the functions in another schema.")));
	return true;
}

/* Creates what the declarer has declared since the first so many. */
static void
create_types(const PgwDeclarer *declarer, int first)
{
	for (int i = first; i < list_length(declarer->types); i++)
	{
		const PgwTypeDeclaration *declared = list_nth(declarer->types, i);

		if (!exists(declarer, declared))
			execute_text(pgw_declare_type(declarer, declared));
	}
}

/* --- functions --- */

static oidvector *
argument_types(PgwDeclarer *declarer, const PgwExtern *export)
{
	Oid			types[FUNC_MAX_ARGS];
	int			n = 0;
	ListCell   *cell;

	foreach(cell, pgw_declare_arguments(declarer, export))
		types[n++] = type_named(lfirst(cell));
	return buildoidvector(types, n);
}

Oid
pgw_generate_function(PgwDeclarer *declarer, const char *name, const PgwExtern *export,
					  const char *body, const PgwAttributes *attributes, bool replace)
{
	int			first = list_length(declarer->types);
	char	   *command = pgw_declare_function(declarer, export, name, body, attributes, replace);

	create_types(declarer, first);
	execute_text(command);
	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
						   PointerGetDatum(argument_types(declarer, export)),
						   ObjectIdGetDatum(get_namespace_oid(declarer->schema, false)));
}

bool
pgw_generate_is_same(PgwDeclarer *declarer, const PgwProc *proc, const PgwExtern *export)
{
	PgwSignature signature;
	PgwPlan		plan;
	oidvector  *types;

	if (pgw_declare_obstacle(declarer, export, NameStr(proc->name)) != NULL)
		return false;
	types = argument_types(declarer, export);
	if (types->dim1 != proc->nargs || memcmp(types->values, proc->argtypes, proc->nargs * sizeof(Oid)) != 0)
		return false;
	pgw_function_signature(proc, &signature);
	return pgw_plan_make(&plan, &signature, declarer->code, export);
}

void
pgw_generate_drop(List *procs)
{
	DropStmt   *statement = makeNode(DropStmt);
	ListCell   *cell;

	if (procs == NIL)
		return;
	statement->removeType = OBJECT_FUNCTION;
	statement->behavior = DROP_RESTRICT;
	foreach(cell, procs)
	{
		const PgwProc *proc = lfirst(cell);
		ObjectWithArgs *object = makeNode(ObjectWithArgs);

		object->objname = qualified(get_namespace_name(proc->schema), NameStr(proc->name));
		for (int i = 0; i < proc->nargs; i++)
			object->objargs = lappend(object->objargs, makeTypeNameFromOid(proc->argtypes[i], -1));
		statement->objects = lappend(statement->objects, object);
	}
	execute((Node *) statement, "DROP FUNCTION");
}
