/*
 * value.h
 *		SQL values and WebAssembly values: the plan of a function.
 *
 * The conversion of each argument and result is chosen once, when a function
 * is bound to an export; a call only follows the plan.
 */
#ifndef PGW_VALUE_H
#define PGW_VALUE_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "engine/code.h"
#include "engine/engine.h"
#include "fmgr.h"
#include "utils/numeric.h"
#include "values/constraint.h"
#include "values/crossing.h"

/* How one value crosses the border; the SQL type follows the WebAssembly type. */
typedef enum PgwConversion
{
	PGW_I32_INT4,
	PGW_I32_INT2,
	PGW_I32_BOOL,
	PGW_I32_CHAR,
	PGW_I32_OID,
	PGW_I32_DATE,
	PGW_I64_INT8,
	PGW_I64_MONEY,
	PGW_I64_BITS,				/* xid8, pg_lsn */
	PGW_I64_TIMESTAMP,			/* with or without time zone */
	PGW_I64_TIME,
	PGW_I64_NUMERIC,
	PGW_F32_FLOAT4,
	PGW_F64_FLOAT8,
	PGW_V128_NUMERIC,
	PGW_V128_UUID,
	PGW_V128_BYTEA
} PgwConversion;

typedef struct PgwResult
{
	PgwConversion conversion;
	Oid			type;			/* as declared */
	PgwConstraint constraint;
} PgwResult;

typedef struct PgwPlan
{
	int			nargs;
	int			nresults;
	int			nslots;			/* the more numerous of the two, at least 1 */
	PgwConversion *args;
	bool		plain;			/* pgw_plan_plain_slots() and _result() will do */
	bool		result_is_32;	/* where plain: it has 32 bits, not 64 */
	PgwResult  *results;
	TupleDesc	row;			/* blessed; NULL unless the result is a row */
	PgwConstraint row_constraint;	/* a domain over the composite type */
	PgwCrossing *crossing;		/* NULL where nothing crosses but core values */
	MemoryContext context;		/* of everything above */
} PgwPlan;

/*
 * Makes the plan in the current memory context.  Returns false when the
 * signature does not fit the type of the export, which is one of that code.
 */
extern bool pgw_plan_make(PgwPlan *plan, const PgwSignature *sql, const PgwCode *code,
						  const PgwExtern *export);

/* Is its result a set, of any number? */
static inline bool
pgw_plan_has_set(const PgwPlan *plan)
{
	return plan->crossing != NULL && plan->crossing->is_set;
}

/* The signature as SQL writes it, "(integer) RETURNS integer"; palloc'd. */
extern char *pgw_signature_text(const PgwSignature *sql);

/*
 * Fills slots from the arguments of a call, but for those of the crossing.  Throws
 * 22004 for a NULL and 22003 for a value that does not fit.
 */
extern void pgw_plan_arguments(const PgwPlan *plan, FunctionCallInfo fcinfo, PgwSlot *slots);

/* The result of a call, unless it is the crossing's, in the current memory context; throws 22003. */
extern Datum pgw_plan_result(PgwPlan *plan, const PgwSlot *slots);

/* Throws 22004; where an argument is NULL, or in any case. */
extern void pgw_plan_refuse_nulls(FunctionCallInfo fcinfo);
extern void pgw_plan_refuse_null(int position) pg_attribute_noreturn();

/*
 * The slots of a plain plan: a datum lies in the arguments of a call as a value does in
 * its slot.  The result will be in the place of the first argument, which is to be put
 * back: where that is a constant, the executor wrote it once for all calls.
 */
static inline PgwSlot *
pgw_plan_plain_slots(FunctionCallInfo fcinfo)
{
	StaticAssertStmt(sizeof(NullableDatum) == sizeof(PgwSlot) && offsetof(NullableDatum, value) == 0,
					 "an argument is no slot");
	if (unlikely(!fcinfo->flinfo->fn_strict))
		pgw_plan_refuse_nulls(fcinfo);
	return (PgwSlot *) fcinfo->args;
}

static inline Datum
pgw_plan_plain_result(const PgwPlan *plan, const PgwSlot *slots)
{
	return plan->result_is_32 ? Int32GetDatum(slots[0].i32) : Int64GetDatum(slots[0].i64);
}

/*
 * A value of a WebAssembly type other than references as a numeric, palloc'd,
 * exactly; and the reverse, which throws 22003.  A float becomes the shortest
 * decimal number that denotes it.
 */
extern Numeric pgw_numeric_from_slot(PgwValType type, const PgwSlot *slot);
extern void pgw_slot_from_numeric(PgwValType type, Numeric value, PgwSlot *slot);

/* The SQL type that stands for a WebAssembly type by default; InvalidOid for references. */
extern Oid	pgw_default_type(PgwValType type);

#endif							/* PGW_VALUE_H */
