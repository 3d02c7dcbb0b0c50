/*
 * number.h
 *		Numbers of WebAssembly and numerics.
 */
#ifndef PGW_NUMBER_H
#define PGW_NUMBER_H

#include "postgres.h"

#include "engine/wit.h"
#include "utils/numeric.h"

typedef __int128 int128_pgw;
typedef unsigned __int128 uint128_pgw;

/* The range of an integer type of WIT, and a number of it from its bits */
extern void pgw_integer_range(PgwWitKind kind, int128_pgw *min, int128_pgw *max);
extern int128_pgw pgw_get_integer(PgwWitKind kind, uint64 bits);

/* The same for the float types; floats of 32 bits are exact in 64. */
extern float8 pgw_get_float(PgwWitKind kind, uint64 bits);

/* The decimal digits, with sign, of an integral numeric, palloc'd; else NULL. */
extern char *pgw_integral_digits(Numeric value);

/* False when the value is none of the integers from min to max. */
extern bool pgw_integer_from_numeric(Numeric value, int128_pgw min, int128_pgw max, int128_pgw *result);

/* In decimal digits; palloc'd. */
extern char *pgw_unsigned_text(uint128_pgw value);

/* Exactly; palloc'd. */
extern Numeric pgw_numeric_from_unsigned(uint128_pgw value);

/* The shortest decimal number that denotes the float; palloc'd. */
extern Numeric pgw_numeric_from_float(float4 value);
extern Numeric pgw_numeric_from_double(float8 value);

#endif							/* PGW_NUMBER_H */
