/*
 * code.c
 *		The compiled code of modules, from the cache or compiled, kept for the
 *		session.
 *
 * Code is found by the SHA-256 of the module's bytes, so that two functions, a
 * module and its copy, or a module and its replacement with the same content
 * share it.  Code that nobody holds stays for a while, the most recent few.
 */
#include "postgres.h"

#include "engine/code.h"

#include "engine/compile.h"
#include "engine/encoding.h"
#include "engine/lock.h"
#include "engine/redirect.h"
#include "lib/stringinfo.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* How much code without a holder a session keeps */
#define PGW_IDLE_CODE_MAX 8

static HTAB *codes = NULL;
static dlist_head idle_codes = DLIST_STATIC_INIT(idle_codes);
static int	nidle = 0;

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

static uint8 *
valtypes_of(const wasm_valtype_vec_t *types)
{
	uint8	   *copy = palloc(Max(types->size, 1));

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

const char *
pgw_extern_type(const PgwExtern *entry)
{
	return entry->type != NULL ? entry->type : pgw_functype_text(&entry->func);
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
				break;
			}
		case WASM_EXTERN_GLOBAL:
			{
				const wasm_globaltype_t *global = wasm_externtype_as_globaltype_const(type);
				const char *content = type_text(wasm_globaltype_content(global));

				entry->kind = PGW_EXTERN_GLOBAL;
				entry->content = valtype_of(wasm_globaltype_content(global));
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

	wasmtime_module_exports(code->artifact.module, &types);
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

/* The export of that kind with the name that a prefix and another one make; or NULL. */
static const PgwExtern *
find_export(const PgwCode *code, PgwExternKind kind, const char *prefix, const char *name, size_t length)
{
	size_t		prefix_length = strlen(prefix);

	for (int i = 0; i < code->nexports; i++)
	{
		const PgwExtern *export = &code->exports[i];

		if (export->kind == kind && export->raw_length == prefix_length + length &&
			memcmp(export->raw_name, prefix, prefix_length) == 0 &&
			memcmp(export->raw_name + prefix_length, name, length) == 0)
			return export;
	}
	return NULL;
}

/* Has the function so many parameters, all i32, and so many results? */
static bool
is_of_type(const PgwExtern *function, int nparams, int nresults)
{
	const PgwFuncType *type = &function->func;

	if (type->nparams != nparams || type->nresults != nresults)
		return false;
	for (int i = 0; i < nparams; i++)
	{
		if (type->params[i] != PGW_I32)
			return false;
	}
	return nresults == 0 || type->results[0] == PGW_I32;
}

static void
find_abi(PgwCode *code)
{
	code->memory = find_export(code, PGW_EXTERN_MEMORY, "memory", "", 0);
	code->realloc = find_export(code, PGW_EXTERN_FUNCTION, "cabi_realloc", "", 0);
	if (code->realloc != NULL && !is_of_type(code->realloc, 4, 1))
		code->realloc = NULL;
}

const PgwExtern *
pgw_code_post(const PgwCode *code, const PgwExtern *export)
{
	const PgwExtern *post = find_export(code, PGW_EXTERN_FUNCTION, "cabi_post_",
										export->raw_name, export->raw_length);

	return post != NULL && is_of_type(post, 1, 0) ? post : NULL;
}

static void
read_imports(PgwCode *code)
{
	wasm_importtype_vec_t types;

	wasmtime_module_imports(code->artifact.module, &types);
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
	void	   *image;
	void	   *image_end;

	Assert(code->holders == 0);
	dlist_delete(&code->idle);
	nidle--;
	wasmtime_module_image_range(code->artifact.module, &image, &image_end);
	pgw_redirect_forget(image, image_end);
	pgw_artifact_close(&code->artifact);
	MemoryContextDelete(code->context);
	hash_search(codes, &code->key, HASH_REMOVE, NULL);
}

static void
create_table(void)
{
	HASHCTL		control = {.keysize = sizeof(PgwCodeKey),.entrysize = sizeof(PgwCode)};

	codes = hash_create("wasm code", 64, &control, HASH_ELEM | HASH_BLOBS);
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

/* Reads the types of new code into its context. */
static void
read_types(PgwCode *code)
{
	MemoryContext caller;

	code->context = AllocSetContextCreate(TopMemoryContext, "wasm code", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(code->context);
	PG_TRY();
	{
		read_exports(code);
		find_abi(code);
		read_imports(code);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		MemoryContextDelete(code->context);
		PG_RE_THROW();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
}

/* Adds a module to the session's; it is released when that fails.  Held. */
static PgwCode *
keep(const PgwCodeKey *key, PgwArtifact *artifact)
{
	PgwCode		fresh = {.key = *key,.artifact = *artifact,.holders = 1,.compile_ms = -1};
	bool		polls = artifact->layout.mode & PGW_MODE_EPOCHS;
	PgwCode    *code = NULL;
	void	   *image;
	void	   *image_end;

	PG_TRY();
	{
		read_types(&fresh);
		if (!polls)
			pgw_redirect_reserve();
		code = hash_search(codes, key, HASH_ENTER, NULL);
	}
	PG_CATCH();
	{
		pgw_artifact_close(artifact);
		PG_RE_THROW();
	}
	PG_END_TRY();
	*code = fresh;
	if (!polls)
	{
		wasmtime_module_image_range(artifact->module, &image, &image_end);
		pgw_redirect_learn(image, &artifact->layout);
	}
	return code;
}

static PgwCodeKey
make_key(const PgwDigest *digest, const PgwLimits *limits)
{
	PgwCodeKey	key;

	memset(&key, 0, sizeof(key));
	key.digest = *digest;
	key.mode = (limits->fuel > 0 ? PGW_MODE_METERED : 0) |
		(pgw_interruption == PGW_INTERRUPTION_EPOCH ? PGW_MODE_EPOCHS : 0);
	return key;
}

/* From what the session has, or from the cache.  Held; or NULL. */
static PgwCode *
find(const PgwCodeKey *key)
{
	PgwCode    *code;
	PgwArtifact artifact;

	if (codes == NULL)
		create_table();
	code = hash_search(codes, key, HASH_FIND, NULL);
	if (code != NULL)
	{
		pgw_code_hold(code);
		return code;
	}
	return pgw_artifact_load(key, &artifact) ? keep(key, &artifact) : NULL;
}

PgwCode *
pgw_code_find(const PgwDigest *digest, const PgwLimits *limits)
{
	PgwCodeKey	key = make_key(digest, limits);

	return find(&key);
}

static PgwCode *
compile(const PgwCodeKey *key, const char *bytes, size_t length, const PgwLimits *limits)
{
	TimestampTz start = GetCurrentTimestamp();
	size_t		compiled_length;
	PgwLayout	layout;
	char	   *compiled = pgw_compile(bytes, length, limits, key->mode, &compiled_length, &layout);
	int			ms = TimestampDifferenceMilliseconds(start, GetCurrentTimestamp());
	PgwArtifact artifact;
	PgwCode    *code;

	ereport(DEBUG1,
			(errmsg_internal("compiled a WebAssembly module of %zu bytes in %d ms to %zu bytes",
							 length, ms, compiled_length)));
	pgw_artifact_store(key, &layout, compiled, compiled_length, ms);
	/* what is mapped from the cache is shared with other backends */
	code = find(key);
	if (code == NULL)
	{
		pgw_artifact_open(compiled, compiled_length, &layout, &artifact);
		code = keep(key, &artifact);
	}
	code->compile_ms = ms;
	pfree(compiled);
	return code;
}

PgwCode *
pgw_code_compile(const char *bytes, size_t length, const PgwLimits *limits)
{
	PgwDigest	digest = pgw_digest(bytes, length);
	PgwCodeKey	key = make_key(&digest, limits);
	PgwCode    *code = find(&key);
	LOCKTAG		lock;
	volatile int group = -1;

	if (code != NULL)
		return code;
	pgw_lock_module(&lock, digest.bytes);
	pgw_lock_acquire(&lock);
	PG_TRY();
	{
		group = pgw_lock_group();
		/* another backend may just have compiled it */
		code = find(&key);
		if (code == NULL)
			code = compile(&key, bytes, length, limits);
	}
	PG_FINALLY();
	{
		pgw_unlock_group(group);
		pgw_lock_release(&lock);
	}
	PG_END_TRY();
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
