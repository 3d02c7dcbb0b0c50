/*
 * code.h
 *		The compiled code of modules, from the cache or compiled, kept for the
 *		session.
 */
#ifndef PGW_CODE_H
#define PGW_CODE_H

#include "postgres.h"

#include <wasmtime.h>

#include "engine/artifact.h"
#include "engine/extern.h"
#include "guc.h"
#include "lib/ilist.h"

/*
 * A compiled module.  Lives as long as somebody holds it, and somewhat longer;
 * whoever gets one holds it until pgw_code_release().
 */
typedef struct PgwCode
{
	PgwCodeKey	key;
	int			holders;
	dlist_node	idle;			/* in the list of unheld code */
	MemoryContext context;
	PgwArtifact artifact;
	int			compile_ms;		/* how long this session compiled it; -1: it
								 * came from the cache */
	bool		counted;		/* for the caller: its origin is counted */
	int			nexports;
	PgwExtern  *exports;
	const PgwExtern *memory;	/* of these, for the canonical ABI; or NULL */
	const PgwExtern *realloc;
	int			nimports;
	PgwExtern  *imports;
	bool		linked;			/* a component whose imports are provided for */
} PgwCode;

/*
 * The code with this digest, held, when this session or the cache has it; else
 * NULL.  limits are effective ones; they and wasm.interruption tell the mode.
 */
extern PgwCode *pgw_code_find(const PgwDigest *digest, const PgwLimits *limits);

/*
 * Compiles a module, binary or WAT in UTF-8, or finds its code.  Held.  limits
 * as above.  Throws when the module is not valid or breaks a limit.
 */
extern PgwCode *pgw_code_compile(const char *bytes, size_t length, const PgwLimits *limits);

extern void pgw_code_hold(PgwCode *code);

/* Never throws. */
extern void pgw_code_release(PgwCode *code);

/* The exported function of that name, or NULL. */
extern const PgwExtern *pgw_code_export(const PgwCode *code, const char *name);

/*
 * Does the module export what the canonical ABI of components asks for, so that
 * strings and lists can cross in its memory?
 */
static inline bool
pgw_code_has_lists(const PgwCode *code)
{
	return code->memory != NULL && code->realloc != NULL;
}

/* The function that frees what a result of export takes, or NULL. */
extern const PgwExtern *pgw_code_post(const PgwCode *code, const PgwExtern *export);

/* The number of exported functions; *only is the last of them, if any. */
extern int	pgw_code_functions(const PgwCode *code, const PgwExtern **only);

#endif							/* PGW_CODE_H */
