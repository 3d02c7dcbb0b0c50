/*
 * functions.c
 *		The C side of the suite: the least that a function can cost.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(add_integer);
PG_FUNCTION_INFO_V1(add_bigint);
PG_FUNCTION_INFO_V1(add_double);
PG_FUNCTION_INFO_V1(add_8);
PG_FUNCTION_INFO_V1(add_32);
PG_FUNCTION_INFO_V1(nothing);
PG_FUNCTION_INFO_V1(two_values);
PG_FUNCTION_INFO_V1(same);
PG_FUNCTION_INFO_V1(echo);
PG_FUNCTION_INFO_V1(echo_row);
PG_FUNCTION_INFO_V1(find);
PG_FUNCTION_INFO_V1(forever);

Datum
add_integer(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(PG_GETARG_INT32(0) + PG_GETARG_INT32(1));
}

Datum
add_bigint(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(PG_GETARG_INT64(0) + PG_GETARG_INT64(1));
}

Datum
add_double(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(PG_GETARG_FLOAT8(0) + PG_GETARG_FLOAT8(1));
}

static inline int64
sum_of_arguments(FunctionCallInfo fcinfo, int count)
{
	int64		sum = 0;

	for (int i = 0; i < count; i++)
		sum += PG_GETARG_INT64(i);
	return sum;
}

Datum
add_8(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(sum_of_arguments(fcinfo, 8));
}

Datum
add_32(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(sum_of_arguments(fcinfo, 32));
}

Datum
nothing(PG_FUNCTION_ARGS)
{
	PG_RETURN_VOID();
}

/* The descriptor of the result is found once a query. */
Datum
two_values(PG_FUNCTION_ARGS)
{
	TupleDesc	descriptor = fcinfo->flinfo->fn_extra;
	int64		a = PG_GETARG_INT64(0);
	int64		b = PG_GETARG_INT64(1);
	Datum		values[2] = {Int64GetDatum(a + b), Int64GetDatum(a - b)};
	bool		nulls[2] = {false, false};

	if (descriptor == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "a composite result is expected");
		fcinfo->flinfo->fn_extra = descriptor = BlessTupleDesc(descriptor);
		MemoryContextSwitchTo(caller);
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls)));
}

Datum
same(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(PG_GETARG_INT32(0));
}

/* A copy, as functions return values that they make */
Datum
echo(PG_FUNCTION_ARGS)
{
	text	   *argument = PG_GETARG_TEXT_PP(0);

	PG_RETURN_TEXT_P(cstring_to_text_with_len(VARDATA_ANY(argument), VARSIZE_ANY_EXHDR(argument)));
}

Datum
echo_row(PG_FUNCTION_ARGS)
{
	HeapTupleHeader argument = PG_GETARG_HEAPTUPLEHEADER(0);
	Size		length = HeapTupleHeaderGetDatumLength(argument);

	PG_RETURN_DATUM(PointerGetDatum(memcpy(palloc(length), argument, length)));
}

Datum
find(PG_FUNCTION_ARGS)
{
	static SPIPlanPtr plan = NULL;
	Datum		key = PG_GETARG_DATUM(0);
	Datum		result;
	bool		isnull;

	SPI_connect();
	if (plan == NULL)
	{
		plan = SPI_prepare("SELECT t FROM found WHERE n = $1", 1, (Oid[]) {INT4OID});
		SPI_keepplan(plan);
	}
	if (SPI_execute_plan(plan, &key, NULL, true, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "found %d rows", (int) SPI_processed);
	result = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	result = SPI_datumTransfer(result, false, -1);
	SPI_finish();
	PG_RETURN_DATUM(result);
}

/* A loop that can be cancelled, as all of C code should be. */
Datum
forever(PG_FUNCTION_ARGS)
{
	for (;;)
		CHECK_FOR_INTERRUPTS();
	PG_RETURN_VOID();
}
