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
#include "engine/lock.h"
#include "engine/redirect.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* How much code without a holder a session keeps */
#define PGW_IDLE_CODE_MAX 8

static HTAB *codes = NULL;
static dlist_head idle_codes = DLIST_STATIC_INIT(idle_codes);
static int	nidle = 0;

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
destroy(PgwCode *code)
{
	void	   *image;
	void	   *image_end;

	Assert(code->holders == 0);
	dlist_delete(&code->idle);
	nidle--;
	if (code->artifact.module != NULL)
	{
		wasmtime_module_image_range(code->artifact.module, &image, &image_end);
		pgw_redirect_forget(image, image_end);
	}
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
		code->nexports = pgw_extern_exports(&code->artifact, &code->exports);
		code->nimports = pgw_extern_imports(&code->artifact, &code->imports);
		find_abi(code);
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

/* The server's log tells of modules that take long: those of so many bytes. */
#define PGW_LOGGED_SIZE (1024 * 1024)

static PgwCode *
compile(const PgwCodeKey *key, const char *bytes, size_t length, const PgwLimits *limits)
{
	int			level = length >= PGW_LOGGED_SIZE ? LOG : DEBUG1;
	TimestampTz start = GetCurrentTimestamp();
	size_t		compiled_length;
	PgwLayout	layout;
	char	   *compiled;
	int			ms;
	PgwArtifact artifact;
	PgwCode    *code;

	ereport(level,
			(errmsg_internal("compiling a WebAssembly module of %zu bytes", length)));
	compiled = pgw_compile(bytes, length, limits, key->mode, &compiled_length, &layout);
	ms = TimestampDifferenceMilliseconds(start, GetCurrentTimestamp());
	ereport(level,
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
