/*
 * pg.c
 *		The kernels as functions of PostgreSQL in C, named c_<kernel>.
 */
#include "postgres.h"

#include "fmgr.h"
#include "kernels.h"

PG_MODULE_MAGIC;

#define C_FUNCTION(name, result) \
	PG_FUNCTION_INFO_V1(c_##name); \
	Datum \
	c_##name(PG_FUNCTION_ARGS) \
	{ \
		PG_RETURN_##result(name(PG_GETARG_INT32(0), PG_GETARG_INT32(1))); \
	} \
	extern int	no_such_variable

C_FUNCTION(sieve, INT64);
C_FUNCTION(crc32, INT64);
C_FUNCTION(matrix, FLOAT8);
C_FUNCTION(matrix_simd, FLOAT8);
C_FUNCTION(nbody, FLOAT8);
C_FUNCTION(edit_distance, INT64);
C_FUNCTION(sha256, INT64);
C_FUNCTION(tokenizer, INT64);
C_FUNCTION(base64, INT64);
C_FUNCTION(quicksort, INT64);
C_FUNCTION(mandelbrot, INT64);
