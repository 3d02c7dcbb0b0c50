/*
 * value.c
 *		SQL values and WebAssembly values: the plan of a function.
 *
 * A value that the other side cannot represent is an error, never a wrap.  The
 * types that are bit patterns (oid, xid8, pg_lsn) have no such values.
 */
#include "postgres.h"

#include "values/value.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/cash.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/pg_lsn.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
#include "utils/uuid.h"
#include "utils/xid8.h"
#include "values/number.h"

/* 2^128 - 1 has 39 decimal digits. */
#define V128_DIGITS 39

/* A numeric has up to 147,455 digits: a message shows the first. */
#define PGW_DIGITS_SHOWN_MAX 60

typedef struct TypePair
{
	PgwValType	wasm;
	Oid			sql;
	PgwConversion conversion;
} TypePair;

/* The first pair of a WebAssembly type is its default. */
static const TypePair type_pairs[] = {
	{PGW_I32, INT4OID, PGW_I32_INT4},
	{PGW_I32, INT2OID, PGW_I32_INT2},
	{PGW_I32, BOOLOID, PGW_I32_BOOL},
	{PGW_I32, CHAROID, PGW_I32_CHAR},
	{PGW_I32, OIDOID, PGW_I32_OID},
	{PGW_I32, DATEOID, PGW_I32_DATE},
	{PGW_I64, INT8OID, PGW_I64_INT8},
	{PGW_I64, TIMESTAMPOID, PGW_I64_TIMESTAMP},
	{PGW_I64, TIMESTAMPTZOID, PGW_I64_TIMESTAMP},
	{PGW_I64, TIMEOID, PGW_I64_TIME},
	{PGW_I64, MONEYOID, PGW_I64_MONEY},
	{PGW_I64, XID8OID, PGW_I64_BITS},
	{PGW_I64, PG_LSNOID, PGW_I64_BITS},
	{PGW_I64, NUMERICOID, PGW_I64_NUMERIC},
	{PGW_F32, FLOAT4OID, PGW_F32_FLOAT4},
	{PGW_F64, FLOAT8OID, PGW_F64_FLOAT8},
	{PGW_V128, NUMERICOID, PGW_V128_NUMERIC},
	{PGW_V128, UUIDOID, PGW_V128_UUID},
	{PGW_V128, BYTEAOID, PGW_V128_BYTEA},
};

Oid
pgw_default_type(PgwValType type)
{
	for (int i = 0; i < lengthof(type_pairs); i++)
	{
		if (type_pairs[i].wasm == type)
			return type_pairs[i].sql;
	}
	return InvalidOid;
}

/* --- making a plan --- */

static bool
find_conversion(PgwValType wasm, Oid sql, PgwConversion *conversion)
{
	Oid			base = getBaseType(sql);

	for (int i = 0; i < lengthof(type_pairs); i++)
	{
		if (type_pairs[i].wasm == wasm && type_pairs[i].sql == base)
		{
			*conversion = type_pairs[i].conversion;
			return true;
		}
	}
	return false;
}

/*
 * Datums of these types have the bits of the WebAssembly value, in the low half
 * for those of 32 bits; the engine ignores the other half.
 */
static bool
is_datum(PgwConversion conversion)
{
	switch (conversion)
	{
		case PGW_I32_INT4:
		case PGW_I32_OID:
		case PGW_I32_DATE:
		case PGW_I64_INT8:
		case PGW_I64_MONEY:
		case PGW_I64_BITS:
		case PGW_I64_TIMESTAMP:
		case PGW_I64_TIME:
		case PGW_F32_FLOAT4:
		case PGW_F64_FLOAT8:
			return true;
		default:
			return false;
	}
}

static bool
plan_result(PgwResult *result, PgwValType wasm, Oid sql, int32 typmod)
{
	result->type = sql;
	pgw_constraint_make(&result->constraint, sql, typmod);
	return find_conversion(wasm, sql, &result->conversion);
}

/* The attributes that are not dropped take the results in turn. */
static bool
plan_row(PgwPlan *plan, TupleDesc row, const PgwFuncType *wasm)
{
	int			n = 0;

	for (int i = 0; i < row->natts; i++)
	{
		if (TupleDescAttr(row, i)->attisdropped)
			continue;
		if (n >= wasm->nresults ||
			!plan_result(&plan->results[n], wasm->results[n],
						 TupleDescAttr(row, i)->atttypid, TupleDescAttr(row, i)->atttypmod))
			return false;
		n++;
	}
	plan->row = BlessTupleDesc(CreateTupleDescCopy(row));
	return n == wasm->nresults;
}

/* Are the bits of the arguments, and those of the result, what the guest takes and gives? */
static void
find_plain(PgwPlan *plan)
{
	const PgwResult *result = &plan->results[0];

	if (plan->row != NULL || plan->nresults != 1 || plan->nargs == 0 ||
		OidIsValid(result->constraint.domain))
		return;
	for (int i = 0; i < plan->nargs; i++)
	{
		if (!is_datum(plan->args[i]))
			return;
	}
	if (plan->crossing != NULL)
		return;
	switch (result->conversion)
	{
		case PGW_I32_INT4:
		case PGW_F32_FLOAT4:
			plan->plain = plan->result_is_32 = true;
			break;
		case PGW_I64_INT8:
		case PGW_I64_MONEY:
		case PGW_I64_BITS:
		case PGW_F64_FLOAT8:
			plan->plain = true;
			break;
		default:
			break;
	}
}

/* Can values cross in the guest's memory?  Then they have a plan of their own. */
static bool
has_crossing(PgwPlan *plan, const PgwCode *code)
{
	if (plan->crossing == NULL && pgw_code_has_lists(code))
		plan->crossing = pgw_crossing_new(plan->nargs);
	return plan->crossing != NULL;
}

/* Each takes a slot, or as many as the canonical ABI has for its type. */
static bool
plan_arguments(PgwPlan *plan, const PgwSignature *sql, const PgwCode *code, const PgwFuncType *wasm)
{
	int			slot = 0;

	for (int i = 0; i < sql->nargs; i++)
	{
		if (slot < wasm->nparams && find_conversion(wasm->params[slot], sql->argtypes[i], &plan->args[i]))
		{
			if (plan->crossing != NULL)
				plan->crossing->slots[i] = slot;
			slot++;
		}
		else if (plan->crossing == NULL && has_crossing(plan, code))
			return plan_arguments(plan, sql, code, wasm);
		else if (plan->crossing == NULL || !pgw_crossing_add(plan->crossing, i, sql->argtypes[i], wasm, &slot))
			return false;
	}
	return slot == wasm->nparams;
}

static bool
plan_results(PgwPlan *plan, const PgwSignature *sql, const PgwCode *code, const PgwFuncType *wasm)
{
	if (sql->rettype == VOIDOID)
		return wasm->nresults == 0;
	if (sql->row != NULL)
	{
		pgw_constraint_make(&plan->row_constraint, sql->rettype, -1);
		if (plan_row(plan, sql->row, wasm))
			return true;
		plan->row = NULL;
	}
	else if (wasm->nresults == 1 && plan_result(&plan->results[0], wasm->results[0], sql->rettype, -1))
		return true;
	return has_crossing(plan, code) && pgw_crossing_add_result(plan->crossing, sql, wasm);
}

/* A function of a component: every value is the crossing's. */
static bool
plan_component(PgwPlan *plan, const PgwSignature *sql, const PgwWitFunc *func)
{
	plan->nslots = PGW_FLAT_MAX;
	plan->crossing = pgw_crossing_make(sql, func);
	return plan->crossing != NULL;
}

static bool
plan_core(PgwPlan *plan, const PgwSignature *sql, const PgwCode *code, const PgwFuncType *wasm)
{
	plan->nresults = wasm->nresults;
	plan->nslots = Max(Max(wasm->nparams, plan->nresults), 1);
	plan->args = palloc0(Max(plan->nargs, 1) * sizeof(PgwConversion));
	plan->results = palloc0(Max(plan->nresults, 1) * sizeof(PgwResult));
	if (!plan_arguments(plan, sql, code, wasm) &&
		!(has_crossing(plan, code) && pgw_crossing_spill(plan->crossing, sql, wasm)))
		return false;
	if (!plan_results(plan, sql, code, wasm))
		return false;
	find_plain(plan);
	return true;
}

bool
pgw_plan_make(PgwPlan *plan, const PgwSignature *sql, const PgwCode *code, const PgwExtern *export)
{
	memset(plan, 0, sizeof(PgwPlan));
	plan->context = CurrentMemoryContext;
	plan->nargs = sql->nargs;
	if (export->wit != NULL)
		return plan_component(plan, sql, export->wit);
	return plan_core(plan, sql, code, &export->func);
}

char *
pgw_signature_text(const PgwSignature *sql)
{
	StringInfoData text;
	int			n = 0;

	initStringInfo(&text);
	appendStringInfoChar(&text, '(');
	for (int i = 0; i < sql->nargs; i++)
		appendStringInfo(&text, "%s%s", i > 0 ? ", " : "", format_type_be(sql->argtypes[i]));
	appendStringInfoString(&text, ") RETURNS ");
	if (sql->row == NULL || sql->rettype != RECORDOID)
		appendStringInfoString(&text, format_type_be(sql->rettype));
	else
		appendStringInfoString(&text, "record");
	if (sql->row == NULL)
		return text.data;
	appendStringInfoString(&text, " (");
	for (int i = 0; i < sql->row->natts; i++)
	{
		if (!TupleDescAttr(sql->row, i)->attisdropped)
			appendStringInfo(&text, "%s%s", n++ > 0 ? ", " : "",
							 format_type_be(TupleDescAttr(sql->row, i)->atttypid));
	}
	appendStringInfoChar(&text, ')');
	return text.data;
}

/* --- errors, out of the way of the conversions --- */

void pg_attribute_cold
pgw_plan_refuse_null(int position)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("argument %d of a WebAssembly function must not be null", position + 1),
			 errhint("Declare the function STRICT to get NULL for NULL.")));
}

static void pg_attribute_noreturn() pg_attribute_cold
out_of_range(const char *wasm, const char *value, Oid type)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("%s value %s is out of range for type %s", wasm, value, format_type_be(type))));
}

static void pg_attribute_noreturn() pg_attribute_cold
i32_out_of_range(int32 value, Oid type)
{
	out_of_range("i32", psprintf("%d", value), type);
}

static void pg_attribute_noreturn() pg_attribute_cold
i64_out_of_range(int64 value, Oid type)
{
	out_of_range("i64", psprintf(INT64_FORMAT, value), type);
}

/* A numeric that an integer type of WebAssembly cannot hold */
static void pg_attribute_noreturn() pg_attribute_cold
numeric_out_of_range(Numeric value, const char *wasm, const char *range)
{
	char	   *digits = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value)));

	if (strlen(digits) > PGW_DIGITS_SHOWN_MAX)
		digits = psprintf("%.*s...", PGW_DIGITS_SHOWN_MAX, digits);
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("numeric value %s is out of range for WebAssembly type %s", digits, wasm),
			 errdetail("The type takes the integers from %s.", range)));
}

/* --- numeric --- */

static int32
int32_from_numeric(Numeric value)
{
	int128_pgw	result;

	if (!pgw_integer_from_numeric(value, PG_INT32_MIN, PG_INT32_MAX, &result))
		numeric_out_of_range(value, "i32", "-2^31 to 2^31-1");
	return (int32) result;
}

static int64
int64_from_numeric(Numeric value)
{
	int128_pgw	result;

	if (!pgw_integer_from_numeric(value, PG_INT64_MIN, PG_INT64_MAX, &result))
		numeric_out_of_range(value, "i64", "-2^63 to 2^63-1");
	return (int64) result;
}

static uint128_pgw
v128_from_numeric(Numeric value)
{
	char	   *digits = pgw_integral_digits(value);
	uint128_pgw result = 0;

	if (digits != NULL && *digits != '-' && strlen(digits) <= V128_DIGITS)
	{
		for (const char *c = digits; *c != '\0'; c++)
		{
			uint128_pgw next = result * 10 + (*c - '0');

			/* one multiplication by ten of an overflowing value cannot pass this */
			if (result > ~(uint128_pgw) 0 / 10 || next < result * 10)
				numeric_out_of_range(value, "v128", "0 to 2^128-1");
			result = next;
		}
		return result;
	}
	numeric_out_of_range(value, "v128", "0 to 2^128-1");
}

Numeric
pgw_numeric_from_slot(PgwValType type, const PgwSlot *slot)
{
	uint128_pgw v128;

	switch (type)
	{
		case PGW_I32:
			return int64_to_numeric(slot->i32);
		case PGW_I64:
			return int64_to_numeric(slot->i64);
		case PGW_F32:
			return pgw_numeric_from_float(slot->f32);
		case PGW_F64:
			return pgw_numeric_from_double(slot->f64);
		case PGW_V128:
			memcpy(&v128, slot->v128, sizeof(v128));
			return pgw_numeric_from_unsigned(v128);
		default:
			elog(ERROR, "unexpected WebAssembly type: %d", type);
	}
}

void
pgw_slot_from_numeric(PgwValType type, Numeric value, PgwSlot *slot)
{
	uint128_pgw v128;

	switch (type)
	{
		case PGW_I32:
			slot->i32 = int32_from_numeric(value);
			break;
		case PGW_I64:
			slot->i64 = int64_from_numeric(value);
			break;
		case PGW_F32:
			slot->f32 = DatumGetFloat4(DirectFunctionCall1(numeric_float4, NumericGetDatum(value)));
			break;
		case PGW_F64:
			slot->f64 = DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value)));
			break;
		case PGW_V128:
			v128 = v128_from_numeric(value);
			memcpy(slot->v128, &v128, sizeof(v128));
			break;
		default:
			elog(ERROR, "unexpected WebAssembly type: %d", type);
	}
}

/* --- arguments --- */

static void
v128_from_bytea(Datum datum, PgwSlot *slot)
{
	bytea	   *bytes = DatumGetByteaPP(datum);

	if (VARSIZE_ANY_EXHDR(bytes) != sizeof(slot->v128))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("bytea value of %zu bytes does not fit the WebAssembly type v128",
						(size_t) VARSIZE_ANY_EXHDR(bytes)),
				 errdetail("The type takes 16 bytes.")));
	memcpy(slot->v128, VARDATA_ANY(bytes), sizeof(slot->v128));
}

static void
convert_argument(PgwConversion conversion, Datum datum, PgwSlot *slot)
{
	switch (conversion)
	{
		case PGW_I32_INT2:
			slot->i32 = DatumGetInt16(datum);
			break;
		case PGW_I32_BOOL:
			slot->i32 = DatumGetBool(datum);
			break;
		case PGW_I32_CHAR:
			slot->i32 = (signed char) DatumGetChar(datum);
			break;
		case PGW_I64_NUMERIC:
			pgw_slot_from_numeric(PGW_I64, DatumGetNumeric(datum), slot);
			break;
		case PGW_V128_NUMERIC:
			pgw_slot_from_numeric(PGW_V128, DatumGetNumeric(datum), slot);
			break;
		case PGW_V128_UUID:
			memcpy(slot->v128, DatumGetUUIDP(datum)->data, sizeof(slot->v128));
			break;
		case PGW_V128_BYTEA:
			v128_from_bytea(datum, slot);
			break;
		default:
			Assert(is_datum(conversion));
			slot->i64 = DatumGetInt64(datum);
			break;
	}
}

void
pgw_plan_refuse_nulls(FunctionCallInfo fcinfo)
{
	for (int i = 0; i < fcinfo->nargs; i++)
	{
		if (fcinfo->args[i].isnull)
			pgw_plan_refuse_null(i);
	}
}

void
pgw_plan_arguments(const PgwPlan *plan, FunctionCallInfo fcinfo, PgwSlot *slots)
{
	const PgwCrossing *crossing = plan->crossing;

	for (int i = 0; i < plan->nargs; i++)
	{
		if (crossing != NULL && crossing->args[i] != NULL)
			continue;
		if (fcinfo->args[i].isnull)
			pgw_plan_refuse_null(i);
		convert_argument(plan->args[i], fcinfo->args[i].value, &slots[crossing != NULL ? crossing->slots[i] : i]);
	}
}

/* --- results --- */

static Datum
uuid_from_v128(const PgwSlot *slot)
{
	pg_uuid_t  *uuid = palloc(sizeof(pg_uuid_t));

	memcpy(uuid->data, slot->v128, UUID_LEN);
	return UUIDPGetDatum(uuid);
}

static Datum
bytea_from_v128(const PgwSlot *slot)
{
	bytea	   *bytes = palloc(VARHDRSZ + sizeof(slot->v128));

	SET_VARSIZE(bytes, VARHDRSZ + sizeof(slot->v128));
	memcpy(VARDATA(bytes), slot->v128, sizeof(slot->v128));
	return PointerGetDatum(bytes);
}

static Datum
convert_result(const PgwResult *plan, const PgwSlot *slot)
{
	switch (plan->conversion)
	{
		case PGW_I32_INT4:
			return Int32GetDatum(slot->i32);
		case PGW_I32_INT2:
			if (slot->i32 < PG_INT16_MIN || slot->i32 > PG_INT16_MAX)
				i32_out_of_range(slot->i32, plan->type);
			return Int16GetDatum((int16) slot->i32);
		case PGW_I32_BOOL:
			if (slot->i32 != 0 && slot->i32 != 1)
				i32_out_of_range(slot->i32, plan->type);
			return BoolGetDatum(slot->i32 != 0);
		case PGW_I32_CHAR:
			if (slot->i32 < SCHAR_MIN || slot->i32 > SCHAR_MAX)
				i32_out_of_range(slot->i32, plan->type);
			return CharGetDatum((char) slot->i32);
		case PGW_I32_OID:
			return ObjectIdGetDatum((Oid) slot->i32);
		case PGW_I32_DATE:
			if (!DATE_NOT_FINITE(slot->i32) && !IS_VALID_DATE(slot->i32))
				i32_out_of_range(slot->i32, plan->type);
			return DateADTGetDatum(slot->i32);
		case PGW_I64_INT8:
		case PGW_I64_MONEY:
		case PGW_I64_BITS:
			return Int64GetDatum(slot->i64);
		case PGW_I64_TIMESTAMP:
			if (!TIMESTAMP_NOT_FINITE(slot->i64) && !IS_VALID_TIMESTAMP(slot->i64))
				i64_out_of_range(slot->i64, plan->type);
			return TimestampGetDatum(slot->i64);
		case PGW_I64_TIME:
			if (slot->i64 < 0 || slot->i64 > USECS_PER_DAY)
				i64_out_of_range(slot->i64, plan->type);
			return TimeADTGetDatum(slot->i64);
		case PGW_I64_NUMERIC:
			return NumericGetDatum(pgw_numeric_from_slot(PGW_I64, slot));
		case PGW_F32_FLOAT4:
			return Float4GetDatum(slot->f32);
		case PGW_F64_FLOAT8:
			return Float8GetDatum(slot->f64);
		case PGW_V128_NUMERIC:
			return NumericGetDatum(pgw_numeric_from_slot(PGW_V128, slot));
		case PGW_V128_UUID:
			return uuid_from_v128(slot);
		case PGW_V128_BYTEA:
			return bytea_from_v128(slot);
	}
	pg_unreachable();
}

static Datum
checked_result(PgwPlan *plan, int i, const PgwSlot *slot)
{
	PgwResult  *entry = &plan->results[i];

	return pgw_constraint_apply(&entry->constraint, convert_result(entry, slot), false, plan->context);
}

static Datum
row_result(PgwPlan *plan, const PgwSlot *slots)
{
	int			natts = plan->row->natts;
	Datum	   *values = palloc0(natts * sizeof(Datum));
	bool	   *nulls = palloc0(natts * sizeof(bool));
	Datum		datum;
	int			n = 0;

	for (int i = 0; i < natts; i++)
	{
		if (TupleDescAttr(plan->row, i)->attisdropped)
			nulls[i] = true;
		else
		{
			values[i] = checked_result(plan, n, &slots[n]);
			n++;
		}
	}
	datum = HeapTupleGetDatum(heap_form_tuple(plan->row, values, nulls));
	return pgw_constraint_apply(&plan->row_constraint, datum, false, plan->context);
}

Datum
pgw_plan_result(PgwPlan *plan, const PgwSlot *slots)
{
	if (plan->row != NULL)
		return row_result(plan, slots);
	if (plan->nresults == 0)
		return (Datum) 0;
	return checked_result(plan, 0, slots);
}
