/*
 * pg.c
 *		The kernels as functions of PostgreSQL in C, named c_<kernel>.
 */
#include "postgres.h"

#include "fmgr.h"
#include "kernels.h"

PG_MODULE_MAGIC;

#define C_FUNCTION(name, result, ...) \
	PG_FUNCTION_INFO_V1(c_##name); \
	Datum \
	c_##name(PG_FUNCTION_ARGS) \
	{ \
		PG_RETURN_##result(name(__VA_ARGS__)); \
	} \
	extern int	no_such_variable
#define C_KERNEL(name, result) C_FUNCTION(name, result, PG_GETARG_INT32(0), PG_GETARG_INT32(1))

C_KERNEL(sieve, INT64);
C_KERNEL(crc32, INT64);
C_KERNEL(matrix, FLOAT8);
C_KERNEL(matrix_simd, FLOAT8);
C_KERNEL(nbody, FLOAT8);
C_KERNEL(edit_distance, INT64);
C_KERNEL(sha256, INT64);
C_KERNEL(tokenizer, INT64);
C_KERNEL(base64, INT64);
C_KERNEL(quicksort, INT64);
C_KERNEL(mandelbrot, INT64);

C_FUNCTION(fibonacci, INT64, PG_GETARG_INT32(0));
C_FUNCTION(fibonacci_modulo, INT64, PG_GETARG_INT32(0));
