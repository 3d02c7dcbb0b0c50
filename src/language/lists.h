/*
 * lists.h
 *		Calls whose values are in the guest's memory.
 */
#ifndef PGW_LISTS_H
#define PGW_LISTS_H

#include "postgres.h"

#include "catalog/function.h"
#include "fmgr.h"

/* Calls a function whose plan has lists and whose instance is ready. */
extern Datum pgw_lists_call(PgwFunction *function, FunctionCallInfo fcinfo);

#endif							/* PGW_LISTS_H */
