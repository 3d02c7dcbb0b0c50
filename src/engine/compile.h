/*
 * compile.h
 *		From the bytes of a module to compiled code, kept for the session.
 */
#ifndef PGW_COMPILE_H
#define PGW_COMPILE_H

#include "postgres.h"

#include <wasmtime.h>

#include "common/sha2.h"
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
	PgwValType *params;
	PgwValType *results;
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
	char	   *type;			/* as WAT writes it */
	PgwFuncType func;			/* of functions */
} PgwExtern;

typedef struct PgwDigest
{
	uint8		bytes[PG_SHA256_DIGEST_LENGTH];
} PgwDigest;

/*
 * A compiled module.  Lives as long as somebody holds it, and somewhat longer;
 * whoever gets one holds it until pgw_code_release().
 */
typedef struct PgwCode
{
	PgwDigest	digest;			/* of the module's bytes; the hash key */
	int			holders;
	dlist_node	idle;			/* in the list of unheld code */
	MemoryContext context;
	wasmtime_module_t *module;
	int			nexports;
	PgwExtern  *exports;
	int			nimports;
	PgwExtern  *imports;
} PgwCode;

extern PgwDigest pgw_digest(const char *bytes, size_t length);

/* True when the bytes are a module in text form: "(" after space and comments. */
extern bool pgw_is_wat(const char *bytes, size_t length);

/* Throws when a module of that many bytes, binary or WAT, is too large. */
extern void pgw_code_check_size(size_t length, bool binary);

/* The code with this digest when this session has it, held; else NULL. */
extern PgwCode *pgw_code_find(const PgwDigest *digest);

/*
 * Compiles a module, binary or WAT in UTF-8, or finds it among what the session
 * has compiled.  Held.  Throws when it is not valid.
 */
extern PgwCode *pgw_code_compile(const char *bytes, size_t length);

extern void pgw_code_hold(PgwCode *code);

/* Never throws. */
extern void pgw_code_release(PgwCode *code);

/*
 * True when the bytes are a module that the engine would accept.  Nothing is
 * compiled.
 */
extern bool pgw_code_validate(const char *bytes, size_t length);

/* The exported function of that name, or NULL. */
extern const PgwExtern *pgw_code_export(const PgwCode *code, const char *name);

/* The number of exported functions; *only is the last of them, if any. */
extern int	pgw_code_functions(const PgwCode *code, const PgwExtern **only);

/* Throws, naming it, when the module imports something: nobody provides it. */
extern void pgw_code_check_imports(const PgwCode *code);

/* A function's type as WAT writes it, "(func (param i32) (result i32))"; palloc'd. */
extern char *pgw_functype_text(const PgwFuncType *type);

#endif							/* PGW_COMPILE_H */
