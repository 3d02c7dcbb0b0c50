/*
 * crossing.h
 *		Arguments and result of a function that cross by the canonical ABI of the
 *		component model: those of components, and of core modules with values in
 *		their memory.
 */
#ifndef PGW_CROSSING_H
#define PGW_CROSSING_H

#include "postgres.h"

#include "engine/extern.h"
#include "values/node.h"

/* What SQL declares of a function */
typedef struct PgwSignature
{
	int			nargs;
	const Oid  *argtypes;
	Oid			rettype;
	TupleDesc	row;			/* of the result when it is a row, else NULL */
	bool		is_set;			/* it returns a set of them */
} PgwSignature;

typedef struct PgwCrossing
{
	PgwNode   **args;			/* NULL for one that is not the crossing's */
	int		   *slots;			/* the first of each argument, ... */
	bool		spilled;		/* ... unless they are in memory, the address in
								 * the first slot */
	const PgwWit *params;		/* of those that are spilled: their places */
	bool		lowers;			/* arguments take memory */
	const PgwWit *result_wit;	/* NULL: there is none, or it is not the crossing's */
	PgwNode    *result;			/* NULL also where there is only void */
	bool		result_in_memory;	/* the address in the first slot */
	bool		lifts;			/* the result is read from memory */
	bool		is_set;			/* result is an element of the list result_wit, or
								 * of the one that is ok */
	List	   *relations;		/* of composite types */
} PgwCrossing;

/* Of a function of a component; NULL when the signature does not fit. */
extern PgwCrossing *pgw_crossing_make(const PgwSignature *sql, const PgwWitFunc *func);

/*
 * Of a function of a core module: one without a result whose arguments have a slot
 * each, ...
 */
extern PgwCrossing *pgw_crossing_new(int nargs);

/*
 * ... to which these add an argument that has not, which takes parameters from *slot on, all
 * arguments, in memory, and the result.  They return false where the type of the
 * function is another.
 */
extern bool pgw_crossing_add(PgwCrossing *crossing, int arg, Oid type, const PgwFuncType *wasm, int *slot);
extern bool pgw_crossing_spill(PgwCrossing *crossing, const PgwSignature *sql, const PgwFuncType *wasm);
extern bool pgw_crossing_add_result(PgwCrossing *crossing, const PgwSignature *sql, const PgwFuncType *wasm);

/* Write the arguments, none of which may be null but an option. */
extern void pgw_crossing_lower(PgwCrossing *crossing, int nargs, const NullableDatum *args,
							   PgwCanon *canon, PgwSlot *slots);

/*
 * Reads the result, whose flat value is there: a value, or where is_set a PgwSet.
 * Where the guest returned an error, leaves it in the canon.
 */
extern Datum pgw_crossing_lift(PgwCrossing *crossing, PgwCanon *canon, PgwSlot *slot, bool *isnull);

#endif							/* PGW_CROSSING_H */
