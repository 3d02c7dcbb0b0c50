/*
 * constraint.h
 *		What a declared type asks of a value beyond its base type: a length or
 *		precision, and a domain's conditions.
 */
#ifndef PGW_CONSTRAINT_H
#define PGW_CONSTRAINT_H

#include "postgres.h"

#include "fmgr.h"

typedef struct PgwConstraint
{
	int32		typmod;			/* -1 when there is none to be applied */
	FmgrInfo	coerce;			/* applies typmod */
	Oid			domain;			/* InvalidOid: none */
	void	   *cache;			/* of domain_check() */
	bool		checking;		/* the cache is in use */
} PgwConstraint;

/* Plans for a type, in the current memory context. */
extern void pgw_constraint_make(PgwConstraint *constraint, Oid type, int32 typmod);

/*
 * Gives the value as the type has it, coerced as an assignment would; throws where
 * that, or a domain, refuses it.  context is that of the constraint.
 */
extern Datum pgw_constraint_apply(PgwConstraint *constraint, Datum datum, bool isnull, MemoryContext context);

#endif							/* PGW_CONSTRAINT_H */
