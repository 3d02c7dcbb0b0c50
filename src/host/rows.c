/*
 * rows.c
 *		Values of queries: parameters from a guest, rows to it.
 *
 * Rows are kept as the executor sends them, already converted, and given to the
 * guest when all that belongs to the query is closed: only then does the guest run
 * again, to allocate memory.
 */
#include "postgres.h"

#include "host/rows.h"

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "engine/encoding.h"
#include "engine/interrupt.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* A value in the guest's memory */
typedef struct GuestValue
{
	uint8		kind;
	uint8		unused[7];
	union
	{
		uint8		boolean;
		int64		integer;
		double		number;
		PgwGuestList list;
	}			of;
} GuestValue;

StaticAssertDecl(sizeof(GuestValue) == 16, "a value has 16 bytes");

#define VALUE_ALIGNMENT 8

/* A record column in the guest's memory */
typedef struct GuestColumn
{
	PgwGuestList name;
	PgwGuestList type_name;
} GuestColumn;

struct PgwColumn
{
	Oid			type;			/* as declared */
	Oid			base;			/* under domains */
	FmgrInfo	output;			/* once it was needed */
};

/* --- parameters --- */

static void
read_value(PgwGuest *guest, const GuestValue *from, PgwValue *value)
{
	value->kind = from->kind;
	switch (from->kind)
	{
		case PGW_VALUE_NULL:
			break;
		case PGW_VALUE_BOOLEAN:
			value->of.boolean = from->of.boolean != 0;
			break;
		case PGW_VALUE_INT:
			value->of.integer = from->of.integer;
			break;
		case PGW_VALUE_FLOAT:
			value->of.number = from->of.number;
			break;
		case PGW_VALUE_TEXT:
			value->of.bytes = pgw_guest_utf8(guest, from->of.list);
			value->length = from->of.list.length;
			break;
		case PGW_VALUE_BYTES:
			value->of.bytes = pgw_guest_list(guest, from->of.list, 1, 1);
			value->length = from->of.list.length;
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
					 errmsg("WebAssembly guest gave a value of kind %u, which does not exist", from->kind)));
	}
}

PgwValue *
pgw_values_read(PgwGuest *guest, PgwGuestList list)
{
	const GuestValue *from = pgw_guest_list(guest, list, sizeof(GuestValue), VALUE_ALIGNMENT);
	PgwValue   *values = palloc_extended(Max(list.length, 1) * sizeof(PgwValue), MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < list.length; i++)
		read_value(guest, &from[i], &values[i]);
	return values;
}

void
pgw_param_make(PgwParam *param, Oid type, MemoryContext context)
{
	Oid			function;

	param->type = type;
	param->is_bytea = getBaseType(type) == BYTEAOID;
	getTypeInputInfo(type, &function, &param->input_param);
	fmgr_info_cxt(function, &param->input, context);
}

static Datum
input(PgwParam *param, const char *text)
{
	return InputFunctionCall(&param->input, unconstify(char *, text), param->input_param, -1);
}

static Datum
integer_datum(PgwParam *param, int64 value)
{
	char		digits[MAXINT8LEN + 1];

	if (param->type == INT8OID)
		return Int64GetDatum(value);
	if (param->type == INT4OID && value == (int32) value)
		return Int32GetDatum((int32) value);
	pg_lltoa(value, digits);
	return input(param, digits);
}

static Datum
number_datum(PgwParam *param, double value)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (param->type == FLOAT8OID)
		return Float8GetDatum(value);
	double_to_shortest_decimal_buf(value, digits);
	return input(param, digits);
}

static Datum
bytes_datum(PgwParam *param, const char *bytes, size_t length)
{
	bytea	   *value;
	Datum		datum;

	if (!param->is_bytea)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("bytes of a WebAssembly guest cannot be a parameter of type %s",
						format_type_be(param->type))));
	if (length > MaxAllocSize - VARHDRSZ)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a bytea value cannot have %zu bytes", length)));
	value = palloc(VARHDRSZ + length);
	SET_VARSIZE(value, VARHDRSZ + length);
	memcpy(VARDATA(value), bytes, length);
	datum = PointerGetDatum(value);
	if (param->type != BYTEAOID)
		domain_check(datum, false, param->type, NULL, NULL);
	return datum;
}

Datum
pgw_param_datum(PgwParam *param, const PgwValue *value)
{
	switch (value->kind)
	{
		case PGW_VALUE_NULL:
			/* a domain may forbid it */
			return input(param, NULL);
		case PGW_VALUE_BOOLEAN:
			return param->type == BOOLOID ? BoolGetDatum(value->of.boolean) :
				input(param, value->of.boolean ? "true" : "false");
		case PGW_VALUE_INT:
			return integer_datum(param, value->of.integer);
		case PGW_VALUE_FLOAT:
			return number_datum(param, value->of.number);
		case PGW_VALUE_TEXT:
			return input(param, pgw_from_utf8_strict(value->of.bytes, value->length));
		case PGW_VALUE_BYTES:
			return bytes_datum(param, value->of.bytes, value->length);
	}
	pg_unreachable();
}

/* --- receiving rows --- */

static void
start_rows(DestReceiver *receiver, int operation, TupleDesc row)
{
	PgwRows    *rows = (PgwRows *) receiver;
	MemoryContext caller = MemoryContextSwitchTo(rows->context);

	rows->ncolumns = row->natts;
	rows->columns = palloc0(Max(row->natts, 1) * sizeof(PgwColumn));
	for (int i = 0; i < row->natts; i++)
	{
		rows->columns[i].type = TupleDescAttr(row, i)->atttypid;
		rows->columns[i].base = getBaseType(rows->columns[i].type);
	}
	MemoryContextSwitchTo(caller);
}

/* Bytes as they are now, to be kept. */
static void
keep_bytes(PgwRows *rows, PgwValue *value, PgwValueKind kind, const char *bytes, size_t length)
{
	char	   *copy = MemoryContextAllocHuge(rows->context, Max(length, 1));

	memcpy(copy, bytes, length);
	value->kind = kind;
	value->of.bytes = copy;
	value->length = length;
	rows->size += length;
}

static void
keep_text(PgwRows *rows, PgwValue *value, const char *text, size_t length)
{
	text = pgw_to_utf8(text, &length);
	keep_bytes(rows, value, PGW_VALUE_TEXT, text, length);
}

static void
keep_integer(PgwValue *value, int64 integer)
{
	value->kind = PGW_VALUE_INT;
	value->of.integer = integer;
}

static void
keep_number(PgwValue *value, double number)
{
	value->kind = PGW_VALUE_FLOAT;
	value->of.number = number;
}

/* What the output function of the type writes */
static char *
output(PgwRows *rows, PgwColumn *column, Datum datum)
{
	Oid			function;
	bool		is_varlena;

	if (!OidIsValid(column->output.fn_oid))
	{
		getTypeOutputInfo(column->type, &function, &is_varlena);
		fmgr_info_cxt(function, &column->output, rows->context);
	}
	return OutputFunctionCall(&column->output, datum);
}

static void
keep_value(PgwRows *rows, PgwColumn *column, Datum datum, PgwValue *value)
{
	struct varlena *bytes;
	char	   *text;

	switch (column->base)
	{
		case BOOLOID:
			value->kind = PGW_VALUE_BOOLEAN;
			value->of.boolean = DatumGetBool(datum);
			break;
		case INT2OID:
			keep_integer(value, DatumGetInt16(datum));
			break;
		case INT4OID:
			keep_integer(value, DatumGetInt32(datum));
			break;
		case INT8OID:
			keep_integer(value, DatumGetInt64(datum));
			break;
		case OIDOID:
			keep_integer(value, DatumGetObjectId(datum));
			break;
		case FLOAT4OID:
			keep_number(value, DatumGetFloat4(datum));
			break;
		case FLOAT8OID:
			keep_number(value, DatumGetFloat8(datum));
			break;
		case BYTEAOID:
			bytes = PG_DETOAST_DATUM_PACKED(datum);
			keep_bytes(rows, value, PGW_VALUE_BYTES, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
			break;
		case TEXTOID:
		case VARCHAROID:
			bytes = PG_DETOAST_DATUM_PACKED(datum);
			keep_text(rows, value, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
			break;
		default:
			text = output(rows, column, datum);
			keep_text(rows, value, text, strlen(text));
			break;
	}
}

/* Room for one more row */
static PgwValue *
add_row(PgwRows *rows)
{
	PgwValue   *row;

	rows->size += sizeof(PgwGuestList) + rows->ncolumns * sizeof(GuestValue);
	if (rows->nvalues + rows->ncolumns > rows->room)
	{
		rows->room = Max(rows->room * 2, rows->nvalues + rows->ncolumns);
		rows->values = rows->values == NULL ?
			MemoryContextAllocHuge(rows->context, rows->room * sizeof(PgwValue)) :
			repalloc_huge(rows->values, rows->room * sizeof(PgwValue));
	}
	row = rows->values + rows->nvalues;
	rows->nvalues += rows->ncolumns;
	rows->nrows++;
	return row;
}

static bool
receive_row(TupleTableSlot *slot, DestReceiver *receiver)
{
	PgwRows    *rows = (PgwRows *) receiver;
	MemoryContext caller = MemoryContextSwitchTo(rows->scratch);
	PgwValue   *row = add_row(rows);

	slot_getallattrs(slot);
	for (int i = 0; i < rows->ncolumns; i++)
	{
		if (slot->tts_isnull[i])
			row[i].kind = PGW_VALUE_NULL;
		else
			keep_value(rows, &rows->columns[i], slot->tts_values[i], &row[i]);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextReset(rows->scratch);
	if (rows->size > rows->size_max)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("result of a query does not fit in the memory of the WebAssembly guest"),
				 errhint("Fetch the rows through a cursor; the setting wasm.memory_limit bounds the memory.")));
	return true;
}

static void
end_rows(DestReceiver *receiver)
{
}

PgwRows *
pgw_rows_make(PgwGuest *guest)
{
	PgwRows    *rows = palloc0(sizeof(PgwRows));

	rows->receiver.receiveSlot = receive_row;
	rows->receiver.rStartup = start_rows;
	rows->receiver.rShutdown = end_rows;
	rows->receiver.rDestroy = end_rows;
	/* of the kinds that there are, one of which nobody knows more */
	rows->receiver.mydest = DestTuplestore;
	rows->context = CurrentMemoryContext;
	rows->scratch = AllocSetContextCreate(CurrentMemoryContext, "wasm row", ALLOCSET_DEFAULT_SIZES);
	rows->size_max = pgw_guest_store(guest)->memory_limit;
	return rows;
}

/* --- giving rows --- */

static GuestValue
give_value(PgwGuest *guest, const PgwValue *value)
{
	GuestValue	given = {.kind = value->kind};

	switch (value->kind)
	{
		case PGW_VALUE_NULL:
			break;
		case PGW_VALUE_BOOLEAN:
			given.of.boolean = value->of.boolean;
			break;
		case PGW_VALUE_INT:
			given.of.integer = value->of.integer;
			break;
		case PGW_VALUE_FLOAT:
			given.of.number = value->of.number;
			break;
		case PGW_VALUE_TEXT:
		case PGW_VALUE_BYTES:
			given.of.list = pgw_guest_give(guest, value->of.bytes, value->length);
			break;
	}
	return given;
}

static PgwGuestList
give_row(PgwGuest *guest, const PgwValue *values, int count)
{
	PgwGuestList row = pgw_guest_alloc_list(guest, count, sizeof(GuestValue), VALUE_ALIGNMENT);

	for (int i = 0; i < count; i++)
	{
		GuestValue	value = give_value(guest, &values[i]);

		pgw_guest_write(guest, row.address + i * sizeof(value), &value, sizeof(value), VALUE_ALIGNMENT);
	}
	return row;
}

PgwGuestList
pgw_rows_give(PgwGuest *guest, const PgwRows *rows)
{
	PgwGuestList list = pgw_guest_alloc_list(guest, rows->nrows, sizeof(PgwGuestList), PGW_LIST_ALIGNMENT);

	for (uint64 i = 0; i < rows->nrows; i++)
	{
		PgwGuestList row;

		pgw_interrupt_check();
		row = give_row(guest, rows->values + i * rows->ncolumns, rows->ncolumns);
		pgw_guest_write(guest, list.address + i * sizeof(row), &row, sizeof(row), PGW_LIST_ALIGNMENT);
	}
	return list;
}

PgwGuestList
pgw_columns_give(PgwGuest *guest, TupleDesc row)
{
	PgwGuestList list = pgw_guest_alloc_list(guest, row->natts, sizeof(GuestColumn), PGW_LIST_ALIGNMENT);

	for (int i = 0; i < row->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(row, i);
		GuestColumn column;

		column.name = pgw_guest_give_text(guest, NameStr(attribute->attname));
		column.type_name = pgw_guest_give_text(guest, format_type_with_typemod(attribute->atttypid,
																			   attribute->atttypmod));
		pgw_guest_write(guest, list.address + i * sizeof(column), &column, sizeof(column), PGW_LIST_ALIGNMENT);
	}
	return list;
}
