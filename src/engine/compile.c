/*
 * compile.c
 *		From the bytes of a module to compiled code, kept for the session.
 *
 * Code is found by the SHA-256 of the module's bytes, so that two functions, a
 * module and its copy, or a module and its replacement with the same content
 * share it.  Code that nobody holds stays for a while, the most recent few.
 */
#include "postgres.h"

#include "engine/compile.h"

#include "common/cryptohash.h"
#include "engine/encoding.h"
#include "engine/engine.h"
#include "engine/error.h"
#include "lib/stringinfo.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/* Compilation happens in the backend and cannot be interrupted: keep it short. */
#define PGW_WAT_MAX (1024 * 1024)
#define PGW_BINARY_MAX (4 * 1024 * 1024)

/* How much code without a holder a session keeps */
#define PGW_IDLE_CODE_MAX 8

static HTAB *codes = NULL;
static dlist_head idle_codes = DLIST_STATIC_INIT(idle_codes);
static int	nidle = 0;

PgwDigest
pgw_digest(const char *bytes, size_t length)
{
	PgwDigest	digest;
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);

	if (context == NULL ||
		pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, (const uint8 *) bytes, length) < 0 ||
		pg_cryptohash_final(context, digest.bytes, sizeof(digest.bytes)) < 0)
	{
		const char *reason = pg_cryptohash_error(context);

		pg_cryptohash_free(context);
		elog(ERROR, "could not compute the SHA-256 hash of a module: %s", reason);
	}
	pg_cryptohash_free(context);
	return digest;
}

bool
pgw_is_wat(const char *bytes, size_t length)
{
	size_t		i = 0;

	while (i < length)
	{
		if (bytes[i] == '(')
			return true;
		if (bytes[i] == ';' && i + 1 < length && bytes[i + 1] == ';')
		{
			while (i < length && bytes[i] != '\n')
				i++;
		}
		else if (strchr(" \t\r\n", bytes[i]) != NULL && bytes[i] != '\0')
			i++;
		else
			return false;
	}
	return false;
}

/* The header of a component: the layer, in bytes 6 and 7, is 1. */
static bool
is_component(const char *bytes, size_t length)
{
	return length >= 8 && memcmp(bytes, "\0asm", 4) == 0 && bytes[6] == 1;
}

static void
refuse_component(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("WebAssembly components are not supported"),
			 errhint("Build the source as a core module.")));
}

void
pgw_code_check_size(size_t length, bool binary)
{
	size_t		limit = binary ? PGW_BINARY_MAX : PGW_WAT_MAX;

	if (length > limit)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("WebAssembly module is too large"),
				 errdetail("A module in %s form may have %zu bytes; this one has %zu.",
						   binary ? "binary" : "text", limit, length),
				 binary ? 0 : errhint("Modules in binary form may have %d bytes.", PGW_BINARY_MAX)));
}

/* Binary to be released by wasm_byte_vec_delete(). */
static void
parse_wat(const char *wat, size_t length, wasm_byte_vec_t *binary)
{
	wasmtime_error_t *error = wasmtime_wat2wasm(wat, length, binary);

	if (error != NULL)
		pgw_error_throw_wat(error, wat, length);
}

static wasmtime_module_t *
compile_binary(const char *bytes, size_t length)
{
	wasmtime_module_t *module = NULL;
	wasmtime_error_t *error = wasmtime_module_new(pgw_engine(), (const uint8_t *) bytes, length, &module);

	if (error != NULL)
		pgw_error_throw_invalid(error);
	return module;
}

/* Module to be released by wasmtime_module_delete(). */
static wasmtime_module_t *
compile(const char *bytes, size_t length)
{
	wasmtime_module_t *module = NULL;
	wasm_byte_vec_t binary;
	bool		is_binary = !pgw_is_wat(bytes, length);

	pgw_engine();
	pgw_engine_check_stack();
	pgw_code_check_size(length, is_binary);
	if (is_binary)
	{
		if (is_component(bytes, length))
			refuse_component();
		return compile_binary(bytes, length);
	}
	parse_wat(bytes, length, &binary);
	PG_TRY();
	{
		if (is_component(binary.data, binary.size))
			refuse_component();
		module = compile_binary(binary.data, binary.size);
	}
	PG_FINALLY();
	{
		wasm_byte_vec_delete(&binary);
	}
	PG_END_TRY();
	return module;
}

bool
pgw_code_validate(const char *bytes, size_t length)
{
	wasm_byte_vec_t binary = {0, NULL};
	wasmtime_error_t *error = NULL;
	bool		is_binary = !pgw_is_wat(bytes, length);

	pgw_code_check_size(length, is_binary);
	if (!is_binary)
		error = wasmtime_wat2wasm(bytes, length, &binary);
	if (error == NULL)
	{
		const char *module = is_binary ? bytes : binary.data;
		size_t		size = is_binary ? length : binary.size;

		error = wasmtime_module_validate(pgw_engine(), (const uint8_t *) module, size);
	}
	if (binary.data != NULL)
		wasm_byte_vec_delete(&binary);
	if (error == NULL)
		return true;
	wasmtime_error_delete(error);
	return false;
}

static PgwValType
reference_of(const wasmtime_reftype_t *type)
{
	if (type->nullable && type->heaptype.kind == WASMTIME_HEAPTYPE_KIND_FUNC)
		return PGW_FUNCREF;
	if (type->nullable && type->heaptype.kind == WASMTIME_HEAPTYPE_KIND_EXTERN)
		return PGW_EXTERNREF;
	return PGW_REFERENCE;
}

/* wasm_valtype_kind() aborts on v128 and on most references. */
static PgwValType
valtype_of(const wasm_valtype_t *type)
{
	static const PgwValType numbers[] = {
		[WASMTIME_VALTYPE_KIND_I32] = PGW_I32,
		[WASMTIME_VALTYPE_KIND_I64] = PGW_I64,
		[WASMTIME_VALTYPE_KIND_F32] = PGW_F32,
		[WASMTIME_VALTYPE_KIND_F64] = PGW_F64,
		[WASMTIME_VALTYPE_KIND_V128] = PGW_V128,
	};
	wasmtime_valtype_t found;
	PgwValType	result;

	wasmtime_valtype_new(type, &found);
	if (found.kind == WASMTIME_VALTYPE_KIND_REF)
		result = reference_of(&found.reftype);
	else
		result = numbers[found.kind];
	wasmtime_valtype_delete(&found);
	return result;
}

static const char *
valtype_text(PgwValType type)
{
	static const char *const names[] = {
		"i32", "i64", "f32", "f64", "v128", "funcref", "externref", "ref"
	};

	return names[type];
}

static const char *
type_text(const wasm_valtype_t *type)
{
	return valtype_text(valtype_of(type));
}

static PgwValType *
valtypes_of(const wasm_valtype_vec_t *types)
{
	PgwValType *copy = palloc(Max(types->size, 1) * sizeof(PgwValType));

	for (size_t i = 0; i < types->size; i++)
		copy[i] = valtype_of(types->data[i]);
	return copy;
}

char *
pgw_functype_text(const PgwFuncType *type)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, "(func");
	for (int i = 0; i < type->nparams; i++)
		appendStringInfo(&text, "%s %s", i == 0 ? " (param" : "", valtype_text(type->params[i]));
	appendStringInfoString(&text, type->nparams > 0 ? ")" : "");
	for (int i = 0; i < type->nresults; i++)
		appendStringInfo(&text, "%s %s", i == 0 ? " (result" : "", valtype_text(type->results[i]));
	appendStringInfoString(&text, type->nresults > 0 ? "))" : ")");
	return text.data;
}

static char *
limits_text(const wasm_limits_t *limits)
{
	if (limits->max == wasm_limits_max_default)
		return psprintf("%u", limits->min);
	return psprintf("%u %u", limits->min, limits->max);
}

/* Fills in kind and type; what the engine owns stays its own. */
static void
describe(PgwExtern *entry, const wasm_externtype_t *type)
{
	switch (wasm_externtype_kind(type))
	{
		case WASM_EXTERN_FUNC:
			{
				const wasm_functype_t *func = wasm_externtype_as_functype_const(type);
				const wasm_valtype_vec_t *params = wasm_functype_params(func);
				const wasm_valtype_vec_t *results = wasm_functype_results(func);

				entry->kind = PGW_EXTERN_FUNCTION;
				entry->func.nparams = params->size;
				entry->func.nresults = results->size;
				entry->func.params = valtypes_of(params);
				entry->func.results = valtypes_of(results);
				entry->type = pgw_functype_text(&entry->func);
				break;
			}
		case WASM_EXTERN_GLOBAL:
			{
				const wasm_globaltype_t *global = wasm_externtype_as_globaltype_const(type);
				const char *content = type_text(wasm_globaltype_content(global));

				entry->kind = PGW_EXTERN_GLOBAL;
				entry->type = wasm_globaltype_mutability(global) == WASM_VAR ?
					psprintf("(global (mut %s))", content) : psprintf("(global %s)", content);
				break;
			}
		case WASM_EXTERN_TABLE:
			{
				const wasm_tabletype_t *table = wasm_externtype_as_tabletype_const(type);

				entry->kind = PGW_EXTERN_TABLE;
				entry->type = psprintf("(table %s %s)", limits_text(wasm_tabletype_limits(table)),
									   type_text(wasm_tabletype_element(table)));
				break;
			}
		case WASM_EXTERN_MEMORY:
			entry->kind = PGW_EXTERN_MEMORY;
			entry->type = psprintf("(memory %s)",
								   limits_text(wasm_memorytype_limits(wasm_externtype_as_memorytype_const(type))));
			break;
		default:
			entry->kind = PGW_EXTERN_OTHER;
			entry->type = pstrdup("");
			break;
	}
}

static void
set_name(PgwExtern *entry, const wasm_name_t *name)
{
	entry->name = pgw_from_utf8(name->data, name->size);
	entry->raw_name = palloc(name->size + 1);
	memcpy(entry->raw_name, name->data, name->size);
	entry->raw_name[name->size] = '\0';
	entry->raw_length = name->size;
}

static void
read_exports(PgwCode *code)
{
	wasm_exporttype_vec_t types;

	wasmtime_module_exports(code->module, &types);
	PG_TRY();
	{
		code->exports = palloc0(Max(types.size, 1) * sizeof(PgwExtern));
		for (size_t i = 0; i < types.size; i++)
		{
			set_name(&code->exports[i], wasm_exporttype_name(types.data[i]));
			describe(&code->exports[i], wasm_exporttype_type(types.data[i]));
		}
		code->nexports = types.size;
	}
	PG_FINALLY();
	{
		wasm_exporttype_vec_delete(&types);
	}
	PG_END_TRY();
}

static void
read_imports(PgwCode *code)
{
	wasm_importtype_vec_t types;

	wasmtime_module_imports(code->module, &types);
	PG_TRY();
	{
		code->imports = palloc0(Max(types.size, 1) * sizeof(PgwExtern));
		for (size_t i = 0; i < types.size; i++)
		{
			const wasm_name_t *from = wasm_importtype_module(types.data[i]);

			code->imports[i].from = pgw_from_utf8_lossy(from->data, from->size);
			set_name(&code->imports[i], wasm_importtype_name(types.data[i]));
			describe(&code->imports[i], wasm_importtype_type(types.data[i]));
		}
		code->nimports = types.size;
	}
	PG_FINALLY();
	{
		wasm_importtype_vec_delete(&types);
	}
	PG_END_TRY();
}

static void
destroy(PgwCode *code)
{
	Assert(code->holders == 0);
	dlist_delete(&code->idle);
	nidle--;
	wasmtime_module_delete(code->module);
	MemoryContextDelete(code->context);
	hash_search(codes, &code->digest, HASH_REMOVE, NULL);
}

static void
create_table(void)
{
	HASHCTL		control = {.keysize = sizeof(PgwDigest),.entrysize = sizeof(PgwCode)};

	codes = hash_create("wasm code", 64, &control, HASH_ELEM | HASH_BLOBS);
}

PgwCode *
pgw_code_find(const PgwDigest *digest)
{
	PgwCode    *code = codes ? hash_search(codes, digest, HASH_FIND, NULL) : NULL;

	if (code != NULL)
		pgw_code_hold(code);
	return code;
}

void
pgw_code_hold(PgwCode *code)
{
	if (code->holders++ == 0)
	{
		dlist_delete(&code->idle);
		nidle--;
	}
}

void
pgw_code_release(PgwCode *code)
{
	Assert(code->holders > 0);
	if (--code->holders > 0)
		return;
	dlist_push_head(&idle_codes, &code->idle);
	nidle++;
	if (nidle > PGW_IDLE_CODE_MAX)
		destroy(dlist_tail_element(PgwCode, idle, &idle_codes));
}

/* Reads the types of new code into its context; the module is released when that fails. */
static void
read_types(PgwCode *code)
{
	MemoryContext caller;

	code->context = AllocSetContextCreate(TopMemoryContext, "wasm code", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(code->context);
	PG_TRY();
	{
		read_exports(code);
		read_imports(code);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		MemoryContextDelete(code->context);
		wasmtime_module_delete(code->module);
		PG_RE_THROW();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
}

PgwCode *
pgw_code_compile(const char *bytes, size_t length)
{
	PgwDigest	digest = pgw_digest(bytes, length);
	PgwCode    *code = pgw_code_find(&digest);
	PgwCode		fresh = {.digest = digest};

	if (code != NULL)
		return code;
	if (codes == NULL)
		create_table();
	fresh.module = compile(bytes, length);
	read_types(&fresh);

	/* nothing throws between here and the return but a lack of memory */
	code = hash_search(codes, &digest, HASH_ENTER, NULL);
	*code = fresh;
	code->holders = 1;
	return code;
}

const PgwExtern *
pgw_code_export(const PgwCode *code, const char *name)
{
	for (int i = 0; i < code->nexports; i++)
	{
		const PgwExtern *entry = &code->exports[i];

		if (entry->kind == PGW_EXTERN_FUNCTION && entry->name != NULL && strcmp(entry->name, name) == 0)
			return entry;
	}
	return NULL;
}

int
pgw_code_functions(const PgwCode *code, const PgwExtern **only)
{
	int			count = 0;

	*only = NULL;
	for (int i = 0; i < code->nexports; i++)
	{
		if (code->exports[i].kind == PGW_EXTERN_FUNCTION)
		{
			*only = &code->exports[i];
			count++;
		}
	}
	return count;
}

void
pgw_code_check_imports(const PgwCode *code)
{
	const PgwExtern *import = code->imports;

	if (code->nimports == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
			 errmsg("WebAssembly module imports \"%s\" from \"%s\", which nobody provides",
					pgw_shown_name(import->name), pgw_shown_name(import->from)),
			 errdetail("The import has the type %s.", import->type),
			 errhint("Guests import nothing that they were not given: build the module without imports.")));
}
