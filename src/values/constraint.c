/*
 * constraint.c
 *		What a declared type asks of a value beyond its base type: a length or
 *		precision, and a domain's conditions.
 */
#include "postgres.h"

#include "values/constraint.h"

#include "catalog/pg_type.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

void
pgw_constraint_make(PgwConstraint *constraint, Oid type, int32 typmod)
{
	Oid			base = getBaseTypeAndTypmod(type, &typmod);
	Oid			function;

	memset(constraint, 0, sizeof(PgwConstraint));
	constraint->domain = get_typtype(type) == TYPTYPE_DOMAIN ? type : InvalidOid;
	constraint->typmod = -1;
	if (typmod < 0 || find_typmod_coercion_function(base, &function) != COERCION_PATH_FUNC)
		return;
	fmgr_info(function, &constraint->coerce);
	constraint->typmod = typmod;
}

/*
 * A domain's constraint may call the same function again, which must leave the
 * cache alone.
 */
static void
check_domain(PgwConstraint *constraint, Datum datum, bool isnull, MemoryContext context)
{
	if (constraint->checking)
	{
		domain_check(datum, isnull, constraint->domain, NULL, NULL);
		return;
	}
	constraint->checking = true;
	PG_TRY();
	{
		domain_check(datum, isnull, constraint->domain, &constraint->cache, context);
	}
	PG_FINALLY();
	{
		constraint->checking = false;
	}
	PG_END_TRY();
}

Datum
pgw_constraint_apply(PgwConstraint *constraint, Datum datum, bool isnull, MemoryContext context)
{
	if (constraint->typmod >= 0 && !isnull)
		datum = FunctionCall3(&constraint->coerce, datum, Int32GetDatum(constraint->typmod), BoolGetDatum(false));
	if (OidIsValid(constraint->domain))
		check_domain(constraint, datum, isnull, context);
	return datum;
}
