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

#endif							/* PGW_CANONICAL_H */
