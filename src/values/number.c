/*
 * number.c
 *		Numbers of WebAssembly and numerics.
 */
#include "postgres.h"

#include "values/number.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

/* 2^128 - 1 has 39 decimal digits. */
#define DIGITS_MAX 39

/* The decimal digits, with sign, of an integral numeric; else NULL. */
char *
pgw_integral_digits(Numeric value)
{
	Datum		truncated;

	if (numeric_is_nan(value) || numeric_is_inf(value))
		return NULL;
	truncated = DirectFunctionCall2(numeric_trunc, NumericGetDatum(value), Int32GetDatum(0));
	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, truncated, NumericGetDatum(value))))
		return NULL;
	return DatumGetCString(DirectFunctionCall1(numeric_out, truncated));
}

bool
pgw_integer_from_numeric(Numeric value, int128_pgw min, int128_pgw max, int128_pgw *result)
{
	const char *digits = pgw_integral_digits(value);
	bool		negative;

	if (digits == NULL)
		return false;
	negative = *digits == '-';
	digits += negative;
	/* 10^38 is in range */
	if (strlen(digits) >= DIGITS_MAX)
		return false;
	*result = 0;
	for (; *digits != '\0'; digits++)
		*result = *result * 10 + (*digits - '0');
	if (negative)
		*result = -*result;
	return *result >= min && *result <= max;
}

static Numeric
numeric_from_text(const char *text)
{
	return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(text),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

char *
pgw_unsigned_text(uint128_pgw value)
{
	char		digits[DIGITS_MAX + 1];
	char	   *c = digits + DIGITS_MAX;

	*c = '\0';
	do
	{
		*--c = '0' + (int) (value % 10);
		value /= 10;
	} while (value != 0);
	return pstrdup(c);
}

Numeric
pgw_numeric_from_unsigned(uint128_pgw value)
{
	if (value <= PG_INT64_MAX)
		return int64_to_numeric((int64) value);
	return numeric_from_text(pgw_unsigned_text(value));
}

static Numeric
from_shortest(double value, const char *shortest)
{
	if (isnan(value))
		return numeric_from_text("NaN");
	if (isinf(value))
		return numeric_from_text(value < 0 ? "-Infinity" : "Infinity");
	return numeric_from_text(shortest);
}

Numeric
pgw_numeric_from_float(float4 value)
{
	char		digits[FLOAT_SHORTEST_DECIMAL_LEN];

	float_to_shortest_decimal_buf(value, digits);
	return from_shortest(value, digits);
}

Numeric
pgw_numeric_from_double(float8 value)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(value, digits);
	return from_shortest(value, digits);
}

/* --- numbers of WIT --- */

void
pgw_integer_range(PgwWitKind kind, int128_pgw *min, int128_pgw *max)
{
	static const uint8 bits[] = {
		[PGW_WIT_BOOL] = 1,
		[PGW_WIT_S8] = 8,[PGW_WIT_U8] = 8,[PGW_WIT_S16] = 16,[PGW_WIT_U16] = 16,
		[PGW_WIT_S32] = 32,[PGW_WIT_U32] = 32,[PGW_WIT_S64] = 64,[PGW_WIT_U64] = 64
	};
	bool		is_signed = kind == PGW_WIT_S8 || kind == PGW_WIT_S16 || kind == PGW_WIT_S32 || kind == PGW_WIT_S64;

	*min = is_signed ? -((int128_pgw) 1 << (bits[kind] - 1)) : 0;
	*max = ((int128_pgw) 1 << (bits[kind] - is_signed)) - 1;
}

int128_pgw
pgw_get_integer(PgwWitKind kind, uint64 bits)
{
	switch (kind)
	{
		case PGW_WIT_BOOL:
			return bits != 0;
		case PGW_WIT_S8:
			return (int8) bits;
		case PGW_WIT_U8:
			return (uint8) bits;
		case PGW_WIT_S16:
			return (int16) bits;
		case PGW_WIT_U16:
			return (uint16) bits;
		case PGW_WIT_S32:
			return (int32) bits;
		case PGW_WIT_U32:
			return (uint32) bits;
		case PGW_WIT_S64:
			return (int64) bits;
		default:
			return bits;
	}
}

float8
pgw_get_float(PgwWitKind kind, uint64 bits)
{
	float4		f32;
	float8		f64;
	uint32		low = (uint32) bits;

	if (kind == PGW_WIT_F32)
	{
		memcpy(&f32, &low, sizeof(f32));
		return f32;
	}
	memcpy(&f64, &bits, sizeof(f64));
	return f64;
}
