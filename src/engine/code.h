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
#include "guc.h"
#include "lib/ilist.h"

/* Types of WebAssembly values; references cannot be mapped to SQL. */
typedef enum PgwValType
{
	PGW_I32,
	PGW_I64,
	PGW_F32,
	PGW_F64,
	PGW_V128,
	PGW_FUNCREF,
	PGW_EXTERNREF,
	PGW_REFERENCE				/* another one */
} PgwValType;

typedef struct PgwFuncType
{
	int			nparams;
	int			nresults;
	uint8	   *params;			/* PgwValTypes; there may be very many */
	uint8	   *results;
} PgwFuncType;

typedef enum PgwExternKind
{
	PGW_EXTERN_FUNCTION,
	PGW_EXTERN_GLOBAL,
	PGW_EXTERN_TABLE,
	PGW_EXTERN_MEMORY,
	PGW_EXTERN_OTHER
} PgwExternKind;

/* An export, or an import of a module "from". */
typedef struct PgwExtern
{
	char	   *from;			/* NULL for an export */
	char	   *name;			/* in the database's encoding; NULL when it
								 * cannot be written in that */
	char	   *raw_name;		/* in UTF-8, as the engine wants it */
	size_t		raw_length;
	PgwExternKind kind;
	char	   *type;			/* as WAT writes it; NULL for functions */
	PgwFuncType func;			/* of functions */
	PgwValType	content;		/* of globals */
} PgwExtern;

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

/* The type as WAT writes it; palloc'd, or that of the entry. */
extern const char *pgw_extern_type(const PgwExtern *entry);

/* A function's type as WAT writes it, "(func (param i32) (result i32))"; palloc'd. */
extern char *pgw_functype_text(const PgwFuncType *type);

#endif							/* PGW_CODE_H */
