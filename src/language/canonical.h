/*
 * canonical.h
 *		Calls whose values cross by the canonical ABI of the component model.
 */
#ifndef PGW_CANONICAL_H
#define PGW_CANONICAL_H

#include "postgres.h"

#include "catalog/function.h"
#include "fmgr.h"

/*
 * Calls a function whose plan has a crossing and whose instance is ready.  The
 * result of one that returns the elements of a list is a PgwSet.
 */
extern Datum pgw_canonical_call(PgwFunction *function, FunctionCallInfo fcinfo);

/*
 * Calls a function of a component that takes no arguments, and ignores its result
 * unless that is an error, which becomes *returned, else NULL.  False when the guest
 * was ended: *error says why.  May throw before it has called.
 */
extern bool pgw_canonical_run(PgwStore *store, const PgwExtern *export, PgwGuestError **returned,
							  wasmtime_error_t **error);

/* Throws what a guest has returned as an error. */
extern void pgw_canonical_throw(const PgwGuestError *error) pg_attribute_noreturn() pg_attribute_cold;

#endif							/* PGW_CANONICAL_H */
