/*
 * lift.c
 *		Values of WIT types, in slots or in a guest's memory, become SQL values.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "engine/encoding.h"
#include "engine/interrupt.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/xid8.h"
#include "values/json.h"
#include "values/node.h"
#include "values/number.h"

/* --- numbers --- */

static void pg_attribute_noreturn() pg_attribute_cold
out_of_range(const PgwNode *node, int128_pgw value)
{
	bool		negative = value < 0;

	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("%s value %s%s is out of range for type %s", pgw_wit_text(node->wit), negative ? "-" : "",
					pgw_unsigned_text(negative ? -value : value), format_type_be(node->type))));
}

static Datum
lift_integer(PgwNode *node, PgwCanon *canon, PgwPlace place)
{
	int128_pgw	value = pgw_get_integer(node->wit->kind, pgw_canon_get(canon, place, node->wit->size));

	switch (node->base)
	{
		case INT2OID:
			if (value < PG_INT16_MIN || value > PG_INT16_MAX)
				out_of_range(node, value);
			return Int16GetDatum((int16) value);
		case INT4OID:
			if (value < PG_INT32_MIN || value > PG_INT32_MAX)
				out_of_range(node, value);
			return Int32GetDatum((int32) value);
		case INT8OID:
			if (value > PG_INT64_MAX)
				out_of_range(node, value);
			return Int64GetDatum((int64) value);
		case OIDOID:
			if (value < 0 || value > PG_UINT32_MAX)
				out_of_range(node, value);
			return ObjectIdGetDatum((Oid) value);
		case XID8OID:
			if (value < 0)
				out_of_range(node, value);
			return FullTransactionIdGetDatum(FullTransactionIdFromU64((uint64) value));
		default:
			if (value < 0)
				return NumericGetDatum(int64_to_numeric((int64) value));
			return NumericGetDatum(pgw_numeric_from_unsigned((uint128_pgw) value));
	}
}

static Datum
lift_same(PgwNode *node, PgwCanon *canon, PgwPlace place)
{
	uint64		bits = pgw_canon_get(canon, place, node->wit->size);

	switch (node->wit->size)
	{
		case 2:
			return Int16GetDatum((int16) bits);
		case 4:
			return Int32GetDatum((int32) bits);
		default:
			return Int64GetDatum((int64) bits);
	}
}

static Datum
lift_float(PgwNode *node, PgwCanon *canon, PgwPlace place)
{
	float8		value = pgw_get_float(node->wit->kind, pgw_canon_get(canon, place, node->wit->size));

	/* the casts of SQL: 22003 where it does not fit */
	switch (node->base)
	{
		case FLOAT8OID:
			return Float8GetDatum(value);
		case FLOAT4OID:
			return DirectFunctionCall1(dtof, Float8GetDatum(value));
		case INT2OID:
			return DirectFunctionCall1(dtoi2, Float8GetDatum(value));
		case INT4OID:
			return DirectFunctionCall1(dtoi4, Float8GetDatum(value));
		case INT8OID:
			return DirectFunctionCall1(dtoi8, Float8GetDatum(value));
		default:
			return NumericGetDatum(node->wit->kind == PGW_WIT_F32 ? pgw_numeric_from_float((float4) value) :
								   pgw_numeric_from_double(value));
	}
}

/* --- text --- */

static Datum
datum_of_text(PgwNode *node, const char *text, uint32 length)
{
	text = pgw_from_valid_utf8(text, &length);
	if (node->base == TEXTOID || node->base == VARCHAROID || node->base == BPCHAROID)
		return PointerGetDatum(cstring_to_text_with_len(text, length));
	return InputFunctionCall(&node->input, pnstrdup(text, length), node->input_param, node->constraint.typmod);
}

static Datum
lift_text(PgwNode *node, PgwCanon *canon, PgwPlace place)
{
	uint32		length;
	const char *text = pgw_canon_get_string(canon, place, &length);

	return datum_of_text(node, text, length);
}

static Datum
lift_char(PgwNode *node, PgwCanon *canon, PgwPlace place)
{
	char	   *text;

	if (node->base == CHAROID)
	{
		uint32		code = pgw_canon_get(canon, place, 4);

		if (code > 255)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("char value U+%04X is out of range for type \"char\"", code)));
		return CharGetDatum((char) code);
	}
	text = pgw_canon_get_char(canon, place);
	return datum_of_text(node, text, strlen(text));
}

/* --- lists --- */

static void
check_length(const PgwNode *node, PgwCanon *canon, uint32 count, size_t size)
{
	size_t		allowed = (MaxAllocSize - ARR_OVERHEAD_NONULLS(1)) / size;

	if (count > allowed)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("WebAssembly function %s returned a list of %u elements", canon->function, count),
				 errdetail("A value of the type %s can have %zu.", format_type_be(node->type), allowed)));
}

static Datum
lift_bytes(PgwNode *node, PgwCanon *canon, PgwPlace place)
{
	uint32		address;
	uint32		count = pgw_canon_get_list(node->wit, canon, place, &address);
	bytea	   *bytes;

	check_length(node, canon, count, 1);
	bytes = palloc(VARHDRSZ + count);
	SET_VARSIZE(bytes, VARHDRSZ + count);
	memcpy(VARDATA(bytes), canon->memory.bytes + address, count);
	return PointerGetDatum(bytes);
}

static Datum
lift_numbers(PgwNode *node, PgwCanon *canon, PgwPlace place)
{
	uint32		size = node->wit->members[0].type->size;
	uint32		address;
	uint32		count = pgw_canon_get_list(node->wit, canon, place, &address);
	size_t		length = ARR_OVERHEAD_NONULLS(1) + (size_t) count * size;
	ArrayType  *array;

	if (count == 0)
		return PointerGetDatum(construct_empty_array(node->element_type));
	check_length(node, canon, count, size);
	array = palloc(length);
	SET_VARSIZE(array, length);
	array->ndim = 1;
	array->dataoffset = 0;
	array->elemtype = node->element_type;
	ARR_DIMS(array)[0] = count;
	ARR_LBOUND(array)[0] = 1;
	memcpy(ARR_DATA_PTR(array), canon->memory.bytes + address, (size_t) count * size);
	return PointerGetDatum(array);
}

PgwSet *
pgw_lift_set(PgwNode *element, const PgwWit *list, PgwCanon *canon, PgwPlace place)
{
	uint32		size = list->members[0].type->size;
	PgwSet	   *set = palloc(sizeof(PgwSet));
	uint32		address;

	set->count = pgw_canon_get_list(list, canon, place, &address);
	check_length(element, canon, set->count, sizeof(Datum));
	pgw_canon_take(canon, (uint64) set->count * (sizeof(Datum) + sizeof(bool)));
	set->values = palloc(Max(set->count, 1) * sizeof(Datum));
	set->nulls = palloc(Max(set->count, 1) * sizeof(bool));
	for (uint32 i = 0; i < set->count; i++)
	{
		pgw_interrupt_check();
		set->values[i] = pgw_lift(element, canon, (PgwPlace) {NULL, address + i * size}, &set->nulls[i]);
	}
	return set;
}

static Datum
lift_array(PgwNode *node, PgwCanon *canon, PgwPlace place)
{
	PgwSet	   *set = pgw_lift_set(node->children[0], node->wit, canon, place);
	int			bound = 1;
	int			length = set->count;

	if (length == 0)
		return PointerGetDatum(construct_empty_array(node->element_type));
	return PointerGetDatum(construct_md_array(set->values, set->nulls, 1, &length, &bound, node->element_type,
											  node->element_length, node->element_by_value,
											  node->element_alignment));
}

/* --- rows, cases, flags --- */

static Datum
lift_row(PgwNode *node, PgwCanon *canon, PgwPlace place)
{
	int			natts = node->row->natts;
	Datum	   *values = palloc0(Max(natts, 1) * sizeof(Datum));
	bool	   *nulls = palloc(Max(natts, 1) * sizeof(bool));

	pgw_canon_take(canon, sizeof(HeapTupleHeaderData) + natts * (2 * sizeof(Datum) + sizeof(bool)));
	memset(nulls, true, natts * sizeof(bool));
	for (int i = 0; i < node->wit->nmembers; i++)
	{
		int			column = node->columns[i];

		values[column] = pgw_lift(node->children[i], canon, pgw_place_of_member(place, &node->wit->members[i]),
							  &nulls[column]);
	}
	return HeapTupleGetDatum(heap_form_tuple(node->row, values, nulls));
}

static Datum
lift_label(PgwNode *node, PgwCanon *canon, PgwPlace place)
{
	const char *label = node->wit->members[pgw_canon_get_case(node->wit, canon, place)].name;

	return datum_of_text(node, label, strlen(label));
}

static Datum
lift_option(PgwNode *node, PgwCanon *canon, PgwPlace place, bool *isnull)
{
	if (pgw_canon_get_case(node->wit, canon, place) == 0)
	{
		*isnull = true;
		return (Datum) 0;
	}
	return pgw_lift(node->children[0], canon, pgw_place_of_payload(place, node->wit), isnull);
}

static Datum
lift_flags(PgwNode *node, PgwCanon *canon, PgwPlace place)
{
	const PgwWit *wit = node->wit;
	uint32		mask = pgw_canon_get(canon, place, wit->size);
	Datum	   *set = palloc(Max(wit->nmembers, 1) * sizeof(Datum));
	int			count = 0;

	for (int i = 0; i < wit->nmembers; i++)
	{
		if (mask & (UINT32_C(1) << i))
			set[count++] = CStringGetTextDatum(wit->members[i].name);
	}
	return PointerGetDatum(construct_array(set, count, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Bits without a name are not the guest's to set. */
static Datum
lift_mask(PgwNode *node, PgwCanon *canon, PgwPlace place)
{
	uint64		mask = pgw_canon_get(canon, place, node->wit->size);

	return Int64GetDatum((int64) (mask & ((UINT64CONST(1) << node->wit->nmembers) - 1)));
}

/* --- errors --- */

/* A text under that key of an object; NULL when there is none. */
static char *
text_under(Jsonb *object, const char *key)
{
	JsonbValue	found;

	if (!JB_ROOT_IS_OBJECT(object) ||
		getKeyJsonValueFromContainer(&object->root, key, strlen(key), &found) == NULL || found.type != jbvString)
		return NULL;
	return pnstrdup(found.val.string.val, found.val.string.len);
}

/* Successes and warnings are no errors. */
static int
sqlstate_of(const char *text)
{
	if (text == NULL || strlen(text) != 5 || strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 5 ||
		strncmp(text, "00", 2) == 0 || strncmp(text, "01", 2) == 0 || strncmp(text, "02", 2) == 0)
		return ERRCODE_EXTERNAL_ROUTINE_EXCEPTION;
	return MAKE_SQLSTATE(text[0], text[1], text[2], text[3], text[4]);
}

static PgwGuestError *
error_of(const PgwWit *wit, PgwCanon *canon, PgwPlace place)
{
	PgwGuestError *error = palloc0(sizeof(PgwGuestError));
	Jsonb	   *json;
	JsonbValue	scalar;

	error->sqlstate = ERRCODE_EXTERNAL_ROUTINE_EXCEPTION;
	if (wit == NULL)
	{
		error->message = psprintf("WebAssembly function %s returned an error", canon->function);
		return error;
	}
	json = pgw_json_lift_message(wit, canon, place);
	error->sqlstate = sqlstate_of(text_under(json, "sqlstate"));
	error->message = text_under(json, "message");
	error->detail = text_under(json, "detail");
	error->hint = text_under(json, "hint");
	if (error->message == NULL && JB_ROOT_IS_SCALAR(json) && JsonbExtractScalar(&json->root, &scalar) &&
		scalar.type == jbvString)
		error->message = pnstrdup(scalar.val.string.val, scalar.val.string.len);
	if (error->message == NULL)
		error->message = JsonbToCString(NULL, &json->root, VARSIZE(json));
	return error;
}

bool
pgw_lift_error(const PgwWit *result, PgwCanon *canon, PgwPlace place)
{
	if (pgw_canon_get_case(result, canon, place) == 0)
		return false;
	canon->error = error_of(result->members[1].type, canon, pgw_place_of_payload(place, result));
	return true;
}

static Datum
lift_result(PgwNode *node, PgwCanon *canon, PgwPlace place, bool *isnull)
{
	if (pgw_lift_error(node->wit, canon, place))
	{
		*isnull = true;
		return (Datum) 0;
	}
	if (node->children[0] == NULL)
		return (Datum) 0;
	return pgw_lift(node->children[0], canon, pgw_place_of_payload(place, node->wit), isnull);
}

static Datum
lift_outcome(PgwNode *node, PgwCanon *canon, PgwPlace place)
{
	uint32		n = pgw_canon_get_case(node->wit, canon, place);
	Datum		values[2] = {BoolGetDatum(true), BoolGetDatum(true)};
	bool		nulls[2] = {true, true};

	nulls[n] = false;
	if (node->children[n] != NULL)
		values[n] = pgw_lift(node->children[n], canon, pgw_place_of_payload(place, node->wit), &nulls[n]);
	return HeapTupleGetDatum(heap_form_tuple(node->row, values, nulls));
}

static Datum
lift_json(PgwNode *node, PgwCanon *canon, PgwPlace place, bool *isnull)
{
	*isnull = node->wit->kind == PGW_WIT_OPTION && pgw_canon_get_case(node->wit, canon, place) == 0;
	return *isnull ? (Datum) 0 : JsonbPGetDatum(pgw_json_lift(node->wit, canon, place));
}

static Datum
lift_value(PgwNode *node, PgwCanon *canon, PgwPlace place, bool *isnull)
{
	switch (node->form)
	{
		case PGW_FORM_SAME:
			return lift_same(node, canon, place);
		case PGW_FORM_BOOL:
			return BoolGetDatum(pgw_canon_get(canon, place, 1) != 0);
		case PGW_FORM_INTEGER:
			return lift_integer(node, canon, place);
		case PGW_FORM_FLOAT:
			return lift_float(node, canon, place);
		case PGW_FORM_CHAR:
			return lift_char(node, canon, place);
		case PGW_FORM_TEXT:
		case PGW_FORM_OTHER:
			return lift_text(node, canon, place);
		case PGW_FORM_LABEL:
			return lift_label(node, canon, place);
		case PGW_FORM_BYTES:
			return lift_bytes(node, canon, place);
		case PGW_FORM_NUMBERS:
			return lift_numbers(node, canon, place);
		case PGW_FORM_ARRAY:
			return lift_array(node, canon, place);
		case PGW_FORM_ROW:
			return lift_row(node, canon, place);
		case PGW_FORM_OPTION:
			return lift_option(node, canon, place, isnull);
		case PGW_FORM_RESULT:
			return lift_result(node, canon, place, isnull);
		case PGW_FORM_OUTCOME:
			return lift_outcome(node, canon, place);
		case PGW_FORM_FLAGS:
			return lift_flags(node, canon, place);
		case PGW_FORM_MASK:
			return lift_mask(node, canon, place);
		case PGW_FORM_JSON:
			return lift_json(node, canon, place, isnull);
	}
	pg_unreachable();
}

Datum
pgw_lift(PgwNode *node, PgwCanon *canon, PgwPlace place, bool *isnull)
{
	Datum		datum;

	*isnull = false;
	datum = lift_value(node, canon, place, isnull);
	/* what is in an option has been checked */
	if (node->is_constrained && canon->error == NULL && (*isnull || node->form != PGW_FORM_OPTION))
		datum = pgw_constraint_apply(&node->constraint, datum, *isnull, node->context);
	return datum;
}
