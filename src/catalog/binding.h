/*
 * binding.h
 *		The validator's work: functions are bound to modules when they are made.
 */
#ifndef PGW_BINDING_H
#define PGW_BINDING_H

#include "postgres.h"

#include "catalog/proc.h"
#include "nodes/pg_list.h"

/* Inline bodies of functions that are no modules may have this many bytes. */
#define PGW_INLINE_MAX (1024 * 1024)

/*
 * Checks a function in LANGUAGE wasm and, when the current user owns it and the
 * current transaction wrote its row, makes its body canonical and records what
 * it depends on.  The checks that need other objects are left out when
 * check_function_bodies is off.
 */
extern void pgw_binding_validate(Oid oid);

/* OIDs of the functions that are bound to a module. */
extern List *pgw_binding_dependents(const PgwProc *module);

/* Rewrites the bodies of what is bound to a module to its present name. */
extern void pgw_binding_follow(Oid module);

/* The same for all modules in a schema, or everywhere with InvalidOid. */
extern void pgw_binding_follow_all(Oid schema);

/* OIDs of the functions in LANGUAGE wasm; of the modules only, or of the others. */
extern List *pgw_binding_list(bool modules);

#endif							/* PGW_BINDING_H */
