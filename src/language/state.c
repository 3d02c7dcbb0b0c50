/*
 * state.c
 *		The memory and the globals of an instance, from SQL.
 *
 *	wasm.read_memory(module, address, length), wasm.write_memory(module, address, bytes)
 *	wasm.grow_memory(module, pages)
 *	wasm.get_global(module, name), wasm.set_global(module, name, value)
 *
 * For modules with an ABI of their own: with these, and functions for what they
 * export, a few lines of SQL allocate memory in a guest, copy something in, call,
 * and copy out.  They see the instance that the functions of the current role
 * call in this session, and make it when there is none.
 */
#include "postgres.h"

#include "catalog/instance.h"
#include "catalog/module.h"
#include "compat.h"
#include "host/host.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "values/value.h"

PGW_SQL_FUNCTION(pgw_read_memory);
PGW_SQL_FUNCTION(pgw_write_memory);
PGW_SQL_FUNCTION(pgw_grow_memory);
PGW_SQL_FUNCTION(pgw_get_global);
PGW_SQL_FUNCTION(pgw_set_global);

/* An instance in use. */
typedef struct Access
{
	PgwProc		module;
	PgwCode    *code;			/* held */
	PgwInstance *instance;		/* used */
} Access;

static void
begin(Access *access, text *module)
{
	PgwLimits	limits;

	pgw_module_find_usable(text_to_cstring(module), &access->module);
	limits = pgw_module_limits(&access->module);
	access->code = pgw_module_code(&access->module);
	PG_TRY();
	{
		pgw_host_check(access->code);
		access->instance = pgw_instance_acquire(access->module.oid, access->code, &limits, NULL);
	}
	PG_CATCH();
	{
		pgw_code_release(access->code);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

static void
end(Access *access)
{
	pgw_instance_release(access->instance);
	pgw_code_release(access->code);
}

/* --- memory --- */

/* A module has one memory, under whatever name. */
static PgwMemory
find_memory(Access *access)
{
	PgwMemory	memory;

	for (int i = 0; i < access->code->nexports; i++)
	{
		const PgwExtern *export = &access->code->exports[i];

		if (export->kind == PGW_EXTERN_MEMORY &&
			pgw_store_memory(&access->instance->store, export->raw_name, export->raw_length, &memory))
			return memory;
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("WebAssembly module %s exports no memory",
					pgw_proc_qualified_name(&access->module))));
}

/* The bytes of a block in the guest's memory; throws when it is not all in it. */
static uint8_t *
block(Access *access, int64 address, int64 length)
{
	PgwMemory	memory = find_memory(access);
	size_t		size;
	uint8_t    *bytes = pgw_memory_bytes(&access->instance->store, &memory, &size);

	if (address < 0 || length > size || address > size - length)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("address " INT64_FORMAT " and length " INT64_FORMAT " are outside of the memory of WebAssembly module %s",
						address, length, pgw_proc_qualified_name(&access->module)),
				 errdetail("The memory has %zu bytes.", size)));
	return bytes + address;
}

Datum
pgw_read_memory(PG_FUNCTION_ARGS)
{
	int64		address = PG_GETARG_INT64(1);
	int32		length = PG_GETARG_INT32(2);
	Access		access;
	bytea	   *result = NULL;

	if (length < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("length must not be negative")));
	if (length > MaxAllocSize - VARHDRSZ)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a bytea value cannot have %d bytes", length)));
	begin(&access, PG_GETARG_TEXT_PP(0));
	PG_TRY();
	{
		const uint8_t *bytes = block(&access, address, length);

		result = palloc(VARHDRSZ + length);
		SET_VARSIZE(result, VARHDRSZ + length);
		memcpy(VARDATA(result), bytes, length);
	}
	PG_FINALLY();
	{
		end(&access);
	}
	PG_END_TRY();
	PG_RETURN_BYTEA_P(result);
}

Datum
pgw_write_memory(PG_FUNCTION_ARGS)
{
	int64		address = PG_GETARG_INT64(1);
	bytea	   *bytes = PG_GETARG_BYTEA_PP(2);
	Access		access;

	begin(&access, PG_GETARG_TEXT_PP(0));
	PG_TRY();
	{
		memcpy(block(&access, address, VARSIZE_ANY_EXHDR(bytes)), VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	}
	PG_FINALLY();
	{
		end(&access);
	}
	PG_END_TRY();
	PG_RETURN_VOID();
}

Datum
pgw_grow_memory(PG_FUNCTION_ARGS)
{
	int32		pages = PG_GETARG_INT32(1);
	uint64		before = 0;
	Access		access;

	if (pages < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of pages must not be negative")));
	begin(&access, PG_GETARG_TEXT_PP(0));
	PG_TRY();
	{
		PgwMemory	memory = find_memory(&access);

		if (!pgw_memory_grow(&access.instance->store, &memory, pages, &before))
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("memory of WebAssembly module %s cannot grow by %d pages",
							pgw_proc_qualified_name(&access.module), pages),
					 errhint("The module itself, wasm.memory_limit and wasm.session_memory_limit bound it.")));
	}
	PG_FINALLY();
	{
		end(&access);
	}
	PG_END_TRY();
	PG_RETURN_INT32((int32) before);
}

/* --- globals --- */

static const PgwExtern *
find_global(const Access *access, const char *name)
{
	for (int i = 0; i < access->code->nexports; i++)
	{
		const PgwExtern *export = &access->code->exports[i];

		if (export->kind != PGW_EXTERN_GLOBAL || export->name == NULL || strcmp(export->name, name) != 0)
			continue;
		if (!OidIsValid(pgw_default_type(export->content)))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("global \"%s\" of WebAssembly module %s is a reference", name,
							pgw_proc_qualified_name(&access->module))));
		return export;
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("WebAssembly module %s exports no global \"%s\"",
					pgw_proc_qualified_name(&access->module), name),
			 errhint("SELECT * FROM wasm.exports('%s') lists what it exports.",
					 pgw_proc_qualified_name(&access->module))));
}

Datum
pgw_get_global(PG_FUNCTION_ARGS)
{
	Access		access;
	Numeric		result = NULL;

	begin(&access, PG_GETARG_TEXT_PP(0));
	PG_TRY();
	{
		const PgwExtern *global = find_global(&access, text_to_cstring(PG_GETARG_TEXT_PP(1)));
		PgwSlot		slot;

		if (!pgw_store_get_global(&access.instance->store, global->raw_name, global->raw_length, &slot))
			elog(ERROR, "global \"%s\" is gone from its instance", global->name);
		result = pgw_numeric_from_slot(global->content, &slot);
	}
	PG_FINALLY();
	{
		end(&access);
	}
	PG_END_TRY();
	PG_RETURN_NUMERIC(result);
}

Datum
pgw_set_global(PG_FUNCTION_ARGS)
{
	Access		access;

	begin(&access, PG_GETARG_TEXT_PP(0));
	PG_TRY();
	{
		const PgwExtern *global = find_global(&access, text_to_cstring(PG_GETARG_TEXT_PP(1)));
		PgwSlot		slot;

		pgw_slot_from_numeric(global->content, PG_GETARG_NUMERIC(2), &slot);
		if (!pgw_store_set_global(&access.instance->store, global->raw_name, global->raw_length, &slot))
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("global \"%s\" of WebAssembly module %s is immutable", global->name,
							pgw_proc_qualified_name(&access.module))));
	}
	PG_FINALLY();
	{
		end(&access);
	}
	PG_END_TRY();
	PG_RETURN_VOID();
}
