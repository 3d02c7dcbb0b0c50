/*
 * module.h
 *		Modules: functions of LANGUAGE wasm that return wasm.module.
 */
#ifndef PGW_MODULE_H
#define PGW_MODULE_H

#include "postgres.h"

#include "catalog/body.h"
#include "catalog/proc.h"
#include "engine/code.h"
#include "nodes/pg_list.h"

/* Bodies of binary modules from this size on carry their identity in the header */
#define PGW_IDENTITY_LENGTH (64 * 1024)

/*
 * Finds a module by its name parts, through the search path when unqualified,
 * and reads the head of its row.  Throws when there is none, unless missing_ok:
 * then false.
 */
extern bool pgw_module_find(const char *name, bool missing_ok, PgwProc *module);

/*
 * Finds the module of a bound function by its qualified name; throws when there
 * is none.  A name without a schema was left by check_function_bodies = off
 * before the module existed; whose search path would count?
 */
extern void pgw_module_find_bound(const char *name, PgwProc *module);

/* As pgw_module_find(), and the current user may execute it; else throws. */
extern void pgw_module_find_usable(const char *name, PgwProc *module);

/*
 * Throw unless role may use the module's schema, and execute the module.  As for
 * other objects the schema matters where a name is resolved; what has been bound
 * needs EXECUTE alone.  (A dump restores the rights on schemas after the data,
 * for which CHECK constraints may call functions.)
 */
extern void pgw_module_check_schema(const PgwProc *module, Oid role);
extern void pgw_module_check_execute(const PgwProc *module, Oid role);

/* What the SET clauses of a module, or of another function, say; -1 elsewhere. */
extern PgwLimits pgw_module_limits(const PgwProc *proc);

/* Does it have these directories now, as PgwLimits has them?  A wrong setting is no error. */
extern bool pgw_module_has_directories(const PgwProc *proc, const char *directories);

/*
 * The code of a module, or of a function with an inline body, held: metered
 * when its calls have fuel to consume.  The body is read whole only where its
 * head does not state its digest, or when neither the session nor the cache has
 * the code.
 */
extern PgwCode *pgw_module_code(const PgwProc *proc);

/* Are the bytes of this module, or inline body, still those of that digest? */
extern bool pgw_module_has_digest(const PgwProc *proc, const PgwDigest *digest);

/* The bytes: binary, or WAT in UTF-8; palloc'd. */
extern char *pgw_module_bytes(Oid oid, size_t *length);

/* The id, from the header or computed; palloc'd. */
extern char *pgw_module_identity(const PgwProc *module);

/* Digest as 64 hex digits; palloc'd. */
extern char *pgw_digest_text(const PgwDigest *digest);

#endif							/* PGW_MODULE_H */
