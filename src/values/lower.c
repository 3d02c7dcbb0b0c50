/*
 * lower.c
 *		SQL values become values of WIT types, in slots or in a guest's memory.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "engine/encoding.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"
#include "utils/xid8.h"
#include "values/json.h"
#include "values/node.h"
#include "values/number.h"

/* --- numbers --- */

static void pg_attribute_noreturn() pg_attribute_cold
out_of_range(PgwNode *node, Datum datum)
{
	Oid			function;
	bool		is_varlena;

	getTypeOutputInfo(node->type, &function, &is_varlena);
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("value %s of type %s is out of range for WebAssembly type %s",
					OidOutputFunctionCall(function, datum), format_type_be(node->type), pgw_wit_text(node->wit))));
}

static bool
integer_of(Oid type, Datum datum, int128_pgw min, int128_pgw max, int128_pgw *value)
{
	switch (type)
	{
		case INT2OID:
			*value = DatumGetInt16(datum);
			break;
		case INT4OID:
			*value = DatumGetInt32(datum);
			break;
		case INT8OID:
			*value = DatumGetInt64(datum);
			break;
		case OIDOID:
			*value = DatumGetObjectId(datum);
			break;
		case XID8OID:
			*value = U64FromFullTransactionId(DatumGetFullTransactionId(datum));
			break;
		default:
			return pgw_integer_from_numeric(DatumGetNumeric(datum), min, max, value);
	}
	return *value >= min && *value <= max;
}

static void
lower_integer(PgwNode *node, Datum datum, PgwCanon *canon, PgwPlace place)
{
	int128_pgw	min;
	int128_pgw	max;
	int128_pgw	value;

	pgw_integer_range(node->wit->kind, &min, &max);
	if (!integer_of(node->base, datum, min, max, &value))
		out_of_range(node, datum);
	pgw_canon_put(canon, place, node->wit->size, (uint64) value);
}

static float8
float_of(Oid type, Datum datum)
{
	switch (type)
	{
		case FLOAT4OID:
			return DatumGetFloat4(datum);
		case FLOAT8OID:
			return DatumGetFloat8(datum);
		case INT2OID:
			return DatumGetInt16(datum);
		case INT4OID:
			return DatumGetInt32(datum);
		case INT8OID:
			return DatumGetInt64(datum);
		default:
			return DatumGetFloat8(DirectFunctionCall1(numeric_float8, datum));
	}
}

static void
lower_float(PgwNode *node, Datum datum, PgwCanon *canon, PgwPlace place)
{
	union
	{
		float4		f32;
		float8		f64;
		uint64		bits;
	}			value = {.bits = 0};
	float8		wide = float_of(node->base, datum);

	if (node->wit->kind == PGW_WIT_F64)
		value.f64 = wide;
	else
	{
		value.f32 = (float4) wide;
		if (isinf(value.f32) && !isinf(wide))
			out_of_range(node, datum);
	}
#ifdef WORDS_BIGENDIAN
	if (node->wit->kind == PGW_WIT_F32)
		value.bits >>= 32;
#endif
	pgw_canon_put(canon, place, node->wit->size, value.bits);
}

/* --- text --- */

/* In the database's encoding */
static const char *
text_of(PgwNode *node, Datum datum, size_t *length)
{
	struct varlena *value;
	const char *text;

	if (node->base == TEXTOID || node->base == VARCHAROID || node->base == BPCHAROID)
	{
		value = PG_DETOAST_DATUM_PACKED(datum);
		*length = VARSIZE_ANY_EXHDR(value);
		return VARDATA_ANY(value);
	}
	text = OutputFunctionCall(&node->output, datum);
	*length = strlen(text);
	return text;
}

static const char *
utf8_of(PgwNode *node, Datum datum, size_t *length)
{
	const char *text = text_of(node, datum, length);

	return pgw_to_utf8(text, length);
}

static void
lower_text(PgwNode *node, Datum datum, PgwCanon *canon, PgwPlace place)
{
	size_t		length;
	const char *text = utf8_of(node, datum, &length);

	pgw_canon_put_string(canon, place, text, length);
}

static void
lower_char(PgwNode *node, Datum datum, PgwCanon *canon, PgwPlace place)
{
	size_t		length;
	const char *text;

	if (node->base == CHAROID)
	{
		pgw_canon_put(canon, place, 4, (unsigned char) DatumGetChar(datum));
		return;
	}
	text = utf8_of(node, datum, &length);
	if (length == 0 || length != pg_utf_mblen((const unsigned char *) text))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a value of WebAssembly type char must be one character")));
	pgw_canon_put(canon, place, 4, utf8_to_unicode((const unsigned char *) text));
}

static void
lower_label(PgwNode *node, Datum datum, PgwCanon *canon, PgwPlace place)
{
	size_t		length;
	const char *label = text_of(node, datum, &length);

	pgw_canon_put_label(node->wit, label, length, canon, place);
}

/* --- lists --- */

static ArrayType *
list_of(Datum datum)
{
	ArrayType  *array = DatumGetArrayTypeP(datum);

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("an array of %d dimensions cannot be passed to a WebAssembly function", ARR_NDIM(array)),
				 errdetail("A list has one dimension.")));
	return array;
}

static void pg_attribute_noreturn() pg_attribute_cold
refuse_null_element(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("an array with null values cannot be passed to a WebAssembly function")));
}

static void
lower_numbers(PgwNode *node, Datum datum, PgwCanon *canon, PgwPlace place)
{
	ArrayType  *array = list_of(datum);
	uint32		size = node->wit->members[0].type->size;

	if (array_contains_nulls(array))
		refuse_null_element();
	pgw_canon_put_list(canon, place, ARR_DATA_PTR(array), ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)),
					   size, size);
}

static void
lower_array(PgwNode *node, Datum datum, PgwCanon *canon, PgwPlace place)
{
	const PgwWit *element = node->wit->members[0].type;
	PgwNode    *child = node->children[0];
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	uint32		address;

	deconstruct_array(list_of(datum), node->element_type, node->element_length, node->element_by_value,
					  node->element_alignment, &elements, &nulls, &count);
	address = pgw_canon_alloc_list(canon, place, count, element->size, element->alignment);
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (nulls[i] && !pgw_node_takes_null(child))
			refuse_null_element();
		pgw_lower(child, elements[i], nulls[i], canon, (PgwPlace) {NULL, address + i * element->size});
	}
}

/* --- rows, cases, flags --- */

static void
lower_row(PgwNode *node, Datum datum, PgwCanon *canon, PgwPlace place)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(datum);
	HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(header),.t_data = header};
	int			natts = node->row->natts;
	Datum	   *values = palloc(Max(natts, 1) * sizeof(Datum));
	bool	   *nulls = palloc(Max(natts, 1) * sizeof(bool));

	heap_deform_tuple(&tuple, node->row, values, nulls);
	for (int i = 0; i < node->wit->nmembers; i++)
	{
		int			column = node->columns[i];

		if (nulls[column] && !pgw_node_takes_null(node->children[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("column \"%s\" of an argument of a WebAssembly function must not be null",
							NameStr(TupleDescAttr(node->row, column)->attname))));
		pgw_lower(node->children[i], values[column], nulls[column], canon,
				  pgw_place_of_member(place, &node->wit->members[i]));
	}
}

static void
lower_option(PgwNode *node, Datum datum, bool isnull, PgwCanon *canon, PgwPlace place)
{
	pgw_canon_put_case(node->wit, !isnull, canon, place);
	if (!isnull)
		pgw_lower(node->children[0], datum, false, canon, pgw_place_of_payload(place, node->wit));
}

static void
lower_flags(PgwNode *node, Datum datum, PgwCanon *canon, PgwPlace place)
{
	uint32		mask = 0;
	Datum	   *elements;
	bool	   *nulls;
	int			count;

	deconstruct_array(list_of(datum), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		struct varlena *name;

		if (nulls[i])
			refuse_null_element();
		name = PG_DETOAST_DATUM_PACKED(elements[i]);
		mask |= pgw_canon_flag(node->wit, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
	}
	pgw_canon_put(canon, place, node->wit->size, mask);
}

static void
lower_mask(PgwNode *node, Datum datum, PgwCanon *canon, PgwPlace place)
{
	uint64		mask = DatumGetInt64(datum);

	if (mask >> node->wit->nmembers != 0)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("bit mask " INT64_FORMAT " has bits beyond the %d flags of the WebAssembly type",
						DatumGetInt64(datum), node->wit->nmembers)));
	pgw_canon_put(canon, place, node->wit->size, mask);
}

static void
lower_bytes(Datum datum, PgwCanon *canon, PgwPlace place)
{
	bytea	   *bytes = DatumGetByteaPP(datum);

	pgw_canon_put_list(canon, place, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), 1, 1);
}

static void
lower_json(PgwNode *node, Datum datum, bool isnull, PgwCanon *canon, PgwPlace place)
{
	if (isnull)
		pgw_canon_put_case(node->wit, 0, canon, place);
	else
		pgw_json_lower(node->wit, DatumGetJsonbP(datum), canon, place);
}

void
pgw_lower(PgwNode *node, Datum datum, bool isnull, PgwCanon *canon, PgwPlace place)
{
	Assert(!isnull || pgw_node_takes_null(node));
	switch (node->form)
	{
		case PGW_FORM_SAME:
			pgw_canon_put(canon, place, node->wit->size, (uint64) datum);
			break;
		case PGW_FORM_BOOL:
			pgw_canon_put(canon, place, 1, DatumGetBool(datum));
			break;
		case PGW_FORM_INTEGER:
			lower_integer(node, datum, canon, place);
			break;
		case PGW_FORM_FLOAT:
			lower_float(node, datum, canon, place);
			break;
		case PGW_FORM_CHAR:
			lower_char(node, datum, canon, place);
			break;
		case PGW_FORM_TEXT:
		case PGW_FORM_OTHER:
			lower_text(node, datum, canon, place);
			break;
		case PGW_FORM_LABEL:
			lower_label(node, datum, canon, place);
			break;
		case PGW_FORM_BYTES:
			lower_bytes(datum, canon, place);
			break;
		case PGW_FORM_NUMBERS:
			lower_numbers(node, datum, canon, place);
			break;
		case PGW_FORM_ARRAY:
			lower_array(node, datum, canon, place);
			break;
		case PGW_FORM_ROW:
			lower_row(node, datum, canon, place);
			break;
		case PGW_FORM_OPTION:
			lower_option(node, datum, isnull, canon, place);
			break;
		case PGW_FORM_FLAGS:
			lower_flags(node, datum, canon, place);
			break;
		case PGW_FORM_MASK:
			lower_mask(node, datum, canon, place);
			break;
		case PGW_FORM_JSON:
			lower_json(node, datum, isnull, canon, place);
			break;
		case PGW_FORM_RESULT:
		case PGW_FORM_OUTCOME:
			elog(ERROR, "a WebAssembly result cannot be an argument");
	}
}
