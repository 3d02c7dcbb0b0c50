/*
 * functions.c
 *		The SQL functions of the schema wasm.
 *
 *	wasm.create_module(name, module, replace)
 *	wasm.create_functions(module, prefix, strict, volatility, parallel, replace)
 *	wasm.ddl(module, prefix)
 *	wasm.exports(module), wasm.imports(module)
 *	wasm.validate(module), wasm.module_id(module), wasm.version()
 */
#include "postgres.h"

#include "catalog/body.h"
#include "catalog/generate.h"
#include "catalog/identity.h"
#include "catalog/module.h"
#include "catalog/namespace.h"
#include "compat.h"
#include "engine/code.h"
#include "engine/compile.h"
#include "engine/engine.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "values/value.h"

PGW_SQL_FUNCTION(pgw_create_module);
PGW_SQL_FUNCTION(pgw_create_functions);
PGW_SQL_FUNCTION(pgw_ddl);
PGW_SQL_FUNCTION(pgw_exports);
PGW_SQL_FUNCTION(pgw_imports);
PGW_SQL_FUNCTION(pgw_validate);
PGW_SQL_FUNCTION(pgw_sql_module_id);
PGW_SQL_FUNCTION(pgw_version);

/* Splits an SQL name into the schema to create in and the name; palloc'd. */
static void
creation_name(const char *text, char **schema, char **name)
{
	List	   *parts = pgw_body_module_name(text);
	Oid			namespace = QualifiedNameGetCreationNamespace(parts, name);

	*schema = get_namespace_name(namespace);
}

Datum
pgw_create_module(PG_FUNCTION_ARGS)
{
	char	   *schema;
	char	   *name;
	bytea	   *bytes = PG_GETARG_BYTEA_PP(1);

	creation_name(text_to_cstring(PG_GETARG_TEXT_PP(0)), &schema, &name);
	PG_RETURN_OID(pgw_generate_module(schema, name, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes),
									  NULL, PG_GETARG_BOOL(2)));
}

/*
 * The command would check these too, but not when a module exports nothing that
 * it could create.
 */
static void
check_attribute(const char *name, const char *value, const char *const *values)
{
	for (int i = 0; i < 3; i++)
	{
		if (strcmp(value, values[i]) == 0)
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for argument \"%s\": \"%s\"", name, value),
			 errhint("Valid values are \"%s\", \"%s\" and \"%s\".", values[0], values[1], values[2])));
}

/* A reference to an export as the body of a function. */
static char *
reference_to(const PgwProc *module, const PgwExtern *export)
{
	return psprintf("%s#%s", pgw_proc_qualified_name(module), export->name);
}

Datum
pgw_create_functions(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	PgwDeclarer declarer = {.prefix = text_to_cstring(PG_GETARG_TEXT_PP(1))};
	PgwAttributes attributes = {
		.strict = PG_GETARG_BOOL(2),
		.volatility = text_to_cstring(PG_GETARG_TEXT_PP(3)),
		.parallel = text_to_cstring(PG_GETARG_TEXT_PP(4))
	};
	static const char *const volatilities[] = {"volatile", "stable", "immutable"};
	static const char *const parallels[] = {"unsafe", "restricted", "safe"};
	PgwProc		module;
	PgwCode    *code;

	declarer.schema = pgw_creation_schema();
	check_attribute("volatility", attributes.volatility, volatilities);
	check_attribute("parallel", attributes.parallel, parallels);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	pgw_module_find_usable(text_to_cstring(PG_GETARG_TEXT_PP(0)), &module);
	code = pgw_module_code(&module);
	declarer.code = code;
	PG_TRY();
	{
		for (int i = 0; i < code->nexports; i++)
		{
			const PgwExtern *export = &code->exports[i];
			char	   *name;
			const char *obstacle;
			Datum		value;
			bool		isnull = false;

			if (export->kind != PGW_EXTERN_FUNCTION)
				continue;
			name = pgw_declare_name(&declarer, export);
			obstacle = pgw_declare_obstacle(&declarer, export, name);
			if (obstacle != NULL)
			{
				pgw_generate_skip(export, obstacle);
				continue;
			}
			value = ObjectIdGetDatum(pgw_generate_function(&declarer, name, export,
														   reference_to(&module, export),
														   &attributes, PG_GETARG_BOOL(5)));
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &value, &isnull);
		}
	}
	PG_FINALLY();
	{
		pgw_code_release(code);
	}
	PG_END_TRY();
	return (Datum) 0;
}

/* The command that binds a function to an export; palloc'd, NULL when none can. */
static char *
declaration(PgwDeclarer *declarer, const PgwProc *module, const PgwExtern *export)
{
	char	   *name;

	if (export->kind != PGW_EXTERN_FUNCTION)
		return NULL;
	name = pgw_declare_name(declarer, export);
	if (pgw_declare_obstacle(declarer, export, name) != NULL)
		return NULL;
	return pgw_declare_function(declarer, export, name, reference_to(module, export), NULL, false);
}

static const char *
kind_text(PgwExternKind kind)
{
	static const char *const names[] = {"function", "global", "table", "memory", "type", "other"};

	return names[kind];
}

static Datum
text_or_null(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return text ? CStringGetTextDatum(text) : (Datum) 0;
}

static void
put_export(ReturnSetInfo *rsinfo, PgwDeclarer *declarer, const PgwProc *module, const PgwExtern *export)
{
	Datum		values[4];
	bool		nulls[4];

	values[0] = text_or_null(export->name, &nulls[0]);
	values[1] = text_or_null(kind_text(export->kind), &nulls[1]);
	values[2] = text_or_null(pgw_extern_type(export), &nulls[2]);
	values[3] = text_or_null(declaration(declarer, module, export), &nulls[3]);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static void
put_import(ReturnSetInfo *rsinfo, const PgwExtern *import)
{
	Datum		values[4];
	bool		nulls[4];

	values[0] = text_or_null(import->from, &nulls[0]);
	values[1] = text_or_null(import->name, &nulls[1]);
	values[2] = text_or_null(kind_text(import->kind), &nulls[2]);
	values[3] = text_or_null(pgw_extern_type(import), &nulls[3]);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static Datum
list_externs(FunctionCallInfo fcinfo, bool imports)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	PgwDeclarer declarer = {.prefix = ""};
	PgwProc		module;
	PgwCode    *code;

	InitMaterializedSRF(fcinfo, 0);
	pgw_module_find_usable(text_to_cstring(PG_GETARG_TEXT_PP(0)), &module);
	code = pgw_module_code(&module);
	declarer.code = code;
	/* types of a component are to be found, whatever the search path */
	if (code->artifact.component != NULL)
		declarer.schema = get_namespace_name(module.schema);
	PG_TRY();
	{
		for (int i = 0; i < (imports ? code->nimports : code->nexports); i++)
		{
			if (imports)
				put_import(rsinfo, &code->imports[i]);
			else
				put_export(rsinfo, &declarer, &module, &code->exports[i]);
		}
	}
	PG_FINALLY();
	{
		pgw_code_release(code);
	}
	PG_END_TRY();
	return (Datum) 0;
}

/* The functions of a module that meet no obstacle, and before them their types */
static char *
declarations(PgwDeclarer *declarer, const PgwProc *module)
{
	const PgwCode *code = declarer->code;
	StringInfoData functions;
	StringInfoData text;
	ListCell   *cell;

	initStringInfo(&functions);
	for (int i = 0; i < code->nexports; i++)
	{
		char	   *command = declaration(declarer, module, &code->exports[i]);

		if (command != NULL)
			appendStringInfo(&functions, "%s\n", command);
	}
	initStringInfo(&text);
	foreach(cell, declarer->types)
		appendStringInfo(&text, "%s\n", pgw_declare_type(declarer, lfirst(cell)));
	appendBinaryStringInfo(&text, functions.data, functions.len);
	return text.data;
}

Datum
pgw_ddl(PG_FUNCTION_ARGS)
{
	PgwDeclarer declarer = {.prefix = text_to_cstring(PG_GETARG_TEXT_PP(1))};
	PgwProc		module;
	PgwCode    *code;
	char	   *volatile commands = NULL;

	declarer.schema = pgw_creation_schema();
	pgw_module_find_usable(text_to_cstring(PG_GETARG_TEXT_PP(0)), &module);
	code = pgw_module_code(&module);
	declarer.code = code;
	PG_TRY();
	{
		commands = declarations(&declarer, &module);
	}
	PG_FINALLY();
	{
		pgw_code_release(code);
	}
	PG_END_TRY();
	PG_RETURN_TEXT_P(cstring_to_text(commands));
}

Datum
pgw_exports(PG_FUNCTION_ARGS)
{
	return list_externs(fcinfo, false);
}

Datum
pgw_imports(PG_FUNCTION_ARGS)
{
	return list_externs(fcinfo, true);
}

Datum
pgw_validate(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);

	/* the parser and the validator are for those who may use the language */
	if (pgw_language_aclcheck(pgw_language_oid(), GetUserId(), ACL_USAGE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_LANGUAGE, "wasm");
	PG_RETURN_BOOL(pgw_compile_validate(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &pgw_session_limits));
}

Datum
pgw_sql_module_id(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));

	*id = pgw_module_id(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	PG_RETURN_UUID_P(id);
}

Datum
pgw_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text("wasm " PGW_VERSION ", Wasmtime " WASMTIME_VERSION));
}
