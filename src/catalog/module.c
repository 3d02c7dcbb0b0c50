/*
 * module.c
 *		Modules: functions of LANGUAGE wasm that return wasm.module.
 */
#include "postgres.h"

#include "catalog/module.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "catalog/identity.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "engine/encoding.h"
#include "miscadmin.h"
#include "stat/stat.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* Reads the row of that name in that schema; false unless it is a module. */
static bool
read_named(const char *name, Oid schema, PgwProc *module)
{
	Oid			oid = pgw_proc_find_nullary(name, schema);

	return OidIsValid(oid) &&
		pgw_proc_read(oid, PGW_SOURCE_HEAD, module) &&
		pgw_proc_is_module(module);
}

static bool
find_in_search_path(const char *name, PgwProc *module)
{
	List	   *schemas = fetch_search_path(true);
	ListCell   *cell;
	bool		found = false;

	foreach(cell, schemas)
	{
		Oid			schema = lfirst_oid(cell);

		/* as for any function, the temporary schema must be named */
		if (!isTempNamespace(schema) && read_named(name, schema, module))
		{
			found = true;
			break;
		}
	}
	list_free(schemas);
	return found;
}

/* Rights on the schema are for the caller to check; "pg_temp" is an alias. */
static Oid
schema_oid(const char *name, bool missing_ok)
{
	if (strcmp(name, "pg_temp") == 0)
		return LookupExplicitNamespace(name, missing_ok);
	return get_namespace_oid(name, missing_ok);
}

bool
pgw_module_find(const char *name, bool missing_ok, PgwProc *module)
{
	List	   *parts = pgw_body_module_name(name);
	bool		found;

	if (list_length(parts) == 1)
		found = find_in_search_path(strVal(linitial(parts)), module);
	else
	{
		Oid			schema = schema_oid(strVal(linitial(parts)), missing_ok);

		found = OidIsValid(schema) && read_named(strVal(lsecond(parts)), schema, module);
	}
	if (!found && !missing_ok)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("WebAssembly module %s does not exist", name),
				 errhint("A module is a function without arguments that returns wasm.module; wasm.create_module makes one.")));
	return found;
}

void
pgw_module_find_bound(const char *name, PgwProc *module)
{
	if (list_length(pgw_body_module_name(name)) == 1)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function is not bound to a WebAssembly module"),
				 errdetail("It was created with check_function_bodies off, when no module %s was found.", name),
				 errhint("Create the function again.")));
	pgw_module_find(name, false, module);
}

void
pgw_module_check_schema(const PgwProc *module, Oid role)
{
	if (pgw_proc_schema_check(module, role) != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for schema %s", get_namespace_name(module->schema)),
				 errdetail("Role \"%s\" needs USAGE on the schema of the WebAssembly module %s.",
						   GetUserNameFromId(role, false), pgw_proc_qualified_name(module))));
}

void
pgw_module_check_execute(const PgwProc *module, Oid role)
{
	if (pgw_proc_execute_check(module, role) != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for WebAssembly module %s", pgw_proc_qualified_name(module)),
				 errdetail("Role \"%s\" needs EXECUTE on the function %s().",
						   GetUserNameFromId(role, false), pgw_proc_qualified_name(module))));
}

void
pgw_module_find_usable(const char *name, PgwProc *module)
{
	pgw_module_find(name, false, module);
	pgw_module_check_schema(module, GetUserId());
	pgw_module_check_execute(module, GetUserId());
}

char *
pgw_digest_text(const PgwDigest *digest)
{
	char	   *hex = palloc(2 * sizeof(digest->bytes) + 1);

	pgw_digest_print(digest, hex);
	return hex;
}

/* The digest that a header states; false when it states none. */
static bool
digest_of_header(const PgwBody *body, PgwDigest *digest)
{
	if (body->sha256 == NULL || strlen(body->sha256) != 2 * sizeof(digest->bytes))
		return false;
	hex_decode(body->sha256, strlen(body->sha256), (char *) digest->bytes);
	return true;
}

char *
pgw_module_bytes(Oid oid, size_t *length)
{
	PgwProc		module;
	PgwBody		body;
	char	   *bytes;

	if (!pgw_proc_read(oid, PGW_SOURCE_WHOLE, &module))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function with OID %u does not exist", oid)));
	pgw_body_parse(module.source, true, &body);
	if (body.kind == PGW_BODY_REFERENCE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("function %s has no module of its own", pgw_proc_signature(&module))));
	bytes = pgw_body_bytes(&body, length);
	pfree(module.source);
	return bytes;
}

typedef struct Setting
{
	char	   *name;
	char	   *value;
} Setting;

/* What the function's SET clauses say; palloc'd. */
static Setting *
settings_of(const PgwProc *proc, int *count)
{
	Datum	   *texts;
	Setting    *settings;

	*count = 0;
	if (proc->config == (Datum) 0)
		return NULL;
	deconstruct_array(DatumGetArrayTypeP(proc->config), TEXTOID, -1, false, TYPALIGN_INT,
					  &texts, NULL, count);
	settings = palloc(*count * sizeof(Setting));
	for (int i = 0; i < *count; i++)
	{
		/* ParseLongOption() would allocate by malloc() before PostgreSQL 16 */
		char	   *name = TextDatumGetCString(texts[i]);
		char	   *equals = strchr(name, '=');

		settings[i] = (Setting) {name, equals != NULL ? equals + 1 : ""};
		if (equals != NULL)
			*equals = '\0';
	}
	return settings;
}

/* Guests ask for their environment where nothing may throw: it is converted before. */
static const char *
as_guests_see_it(const Setting *setting)
{
	size_t		length = strlen(setting->value);

	if (pg_strcasecmp(setting->name, "wasm.environment") != 0)
		return setting->value;
	return pgw_to_utf8(setting->value, &length);
}

PgwLimits
pgw_module_limits(const PgwProc *proc)
{
	PgwLimits	limits = pgw_no_limits;
	int			count;
	Setting    *settings = settings_of(proc, &count);

	for (int i = 0; i < count; i++)
		pgw_limits_set(&limits, settings[i].name, as_guests_see_it(&settings[i]));
	return limits;
}

bool
pgw_module_has_directories(const PgwProc *proc, const char *directories)
{
	int			count;
	Setting    *settings = settings_of(proc, &count);

	for (int i = 0; i < count; i++)
	{
		if (pg_strcasecmp(settings[i].name, "wasm.directories") == 0)
			return directories != NULL && strcmp(settings[i].value, directories) == 0;
	}
	return directories == NULL;
}

/* The caller's memory context is left; the bytes may be many. */
static PgwCode *
compile_body(const PgwProc *proc, const PgwBody *body, const PgwLimits *limits)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "wasm module", ALLOCSET_DEFAULT_SIZES);
	PgwCode    *code;
	char	   *bytes;
	size_t		length;

	MemoryContextSwitchTo(context);
	bytes = proc->whole && body->kind != PGW_BODY_REFERENCE ?
		pgw_body_bytes(body, &length) : pgw_module_bytes(proc->oid, &length);
	code = pgw_code_compile(bytes, length, limits);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
#ifdef __GLIBC__
	/* glibc would keep it for the session, at the top of its heap */
	if (length > PGW_IDENTITY_LENGTH)
		malloc_trim(0);
#endif
	return code;
}

/* Counts how this session came to the code, for the first module that asks for it. */
static void
count_origin(PgwCode *code, Oid module)
{
	if (code->counted)
		return;
	code->counted = true;
	if (code->compile_ms >= 0)
		pgw_stat_compile(module, code->compile_ms);
	else
		pgw_stat_cache_hit(module);
}

PgwCode *
pgw_module_code(const PgwProc *proc)
{
	PgwLimits	own = pgw_module_limits(proc);
	PgwLimits	limits = pgw_limits_effective(&own);
	PgwCode    *code = NULL;
	PgwBody		body;
	PgwDigest	digest;

	pgw_body_parse(proc->source, proc->whole, &body);
	if (pgw_proc_is_module(proc) && digest_of_header(&body, &digest))
		code = pgw_code_find(&digest, &limits);
	if (code == NULL)
		code = compile_body(proc, &body, &limits);
	count_origin(code, proc->oid);
	return code;
}

bool
pgw_module_has_digest(const PgwProc *proc, const PgwDigest *digest)
{
	PgwBody		body;
	PgwDigest	now;

	if (!pgw_body_try_parse(proc->source, proc->whole, &body) || body.kind == PGW_BODY_REFERENCE)
		return false;
	if (!pgw_proc_is_module(proc) || !digest_of_header(&body, &now))
	{
		size_t		length;
		char	   *bytes = pgw_module_bytes(proc->oid, &length);

		now = pgw_digest(bytes, length);
		pfree(bytes);
	}
	return memcmp(&now, digest, sizeof(now)) == 0;
}

char *
pgw_module_identity(const PgwProc *module)
{
	PgwBody		body;
	size_t		length;
	char	   *bytes;
	char	   *id;

	pgw_body_parse(module->source, module->whole, &body);
	if (body.id != NULL)
		return body.id;
	bytes = pgw_module_bytes(module->oid, &length);
	id = pgw_module_id_text(bytes, length);
	pfree(bytes);
	return id;
}
