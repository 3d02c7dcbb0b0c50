/*
 * calls.c
 *		The C side of bench/calls: the least that a function can cost.
 */
#include "postgres.h"

#include "fmgr.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(bench_add);

Datum
bench_add(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(PG_GETARG_INT64(0) + PG_GETARG_INT64(1));
}
