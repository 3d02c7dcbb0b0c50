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
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
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

static FunctionParameter *
parameter(char *name, Oid type, FunctionParameterMode mode)
{
	FunctionParameter *param = makeNode(FunctionParameter);

	param->name = name;
	param->argType = makeTypeNameFromOid(type, -1);
	param->mode = mode;
	return param;
}

char *
pgw_creation_schema(void)
{
	char	   *name;

	return get_namespace_name(QualifiedNameGetCreationNamespace(list_make1(makeString("x")), &name));
}

/* --- modules --- */

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
		change.config = before->config;
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

/* --- functions --- */

const char *
pgw_generate_obstacle(const PgwExtern *export, const char *name)
{
	if (export->name == NULL)
		return "its name cannot be written in the encoding of the database";
	if (*name == '\0')
		return "its name is empty";
	if (*export->name != '\0' && isspace((unsigned char) export->name[strlen(export->name) - 1]))
		return "its name ends in white space";
	if (strlen(name) >= NAMEDATALEN)
		return "the name of the function would be too long";
	if (export->func.nparams > FUNC_MAX_ARGS)
		return "it has too many parameters";
	for (int i = 0; i < export->func.nparams; i++)
	{
		if (!OidIsValid(pgw_default_type(export->func.params[i])))
			return "no SQL type stands for its parameters";
	}
	for (int i = 0; i < export->func.nresults; i++)
	{
		if (!OidIsValid(pgw_default_type(export->func.results[i])))
			return "no SQL type stands for its results";
	}
	return NULL;
}

void
pgw_generate_skip(const PgwExtern *export, const char *obstacle)
{
	ereport(NOTICE,
			(errmsg("export \"%s\" is skipped: %s",
					pgw_shown_name(export->name), obstacle)));
}

static void
set_types(CreateFunctionStmt *statement, const PgwFuncType *type)
{
	for (int i = 0; i < type->nparams; i++)
		statement->parameters = lappend(statement->parameters,
										parameter(NULL, pgw_default_type(type->params[i]), FUNC_PARAM_IN));
	if (type->nresults == 0)
		statement->returnType = makeTypeNameFromOid(VOIDOID, -1);
	else if (type->nresults == 1)
		statement->returnType = makeTypeNameFromOid(pgw_default_type(type->results[0]), -1);
	else
	{
		for (int i = 0; i < type->nresults; i++)
			statement->parameters = lappend(statement->parameters,
											parameter(psprintf("r%d", i + 1),
													  pgw_default_type(type->results[i]), FUNC_PARAM_OUT));
	}
}

Oid
pgw_generate_function(const char *schema, const char *name, const PgwExtern *export,
					  const char *body, const PgwAttributes *attributes, bool replace)
{
	CreateFunctionStmt *statement = makeNode(CreateFunctionStmt);
	Oid			argtypes[FUNC_MAX_ARGS];
	oidvector  *args;

	statement->replace = replace;
	statement->funcname = qualified(schema, name);
	statement->options = common_options(body, attributes->strict,
										attributes->volatility, attributes->parallel);
	set_types(statement, &export->func);
	execute((Node *) statement,
			psprintf("CREATE %sFUNCTION %s LANGUAGE wasm", replace ? "OR REPLACE " : "",
					 quote_qualified_identifier(schema, name)));

	for (int i = 0; i < export->func.nparams; i++)
		argtypes[i] = pgw_default_type(export->func.params[i]);
	args = buildoidvector(argtypes, export->func.nparams);
	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
						   PointerGetDatum(args), ObjectIdGetDatum(get_namespace_oid(schema, false)));
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
