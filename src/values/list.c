/*
 * list.c
 *		Values that a guest has in its memory: strings, bytes and lists of numbers.
 *
 * Guests speak UTF-8.  A value of a type other than bytea, text, varchar and
 * arrays of numbers is the text of its output function, and made by its input
 * function.  Numbers have in an array the bytes that they have in a guest.
 */
#include "postgres.h"

#include "values/list.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* Arrays of these are lists of numbers, where the processor has their byte order. */
static bool
is_number(Oid type)
{
#ifdef WORDS_BIGENDIAN
	return false;
#else
	return type == INT2OID || type == INT4OID || type == INT8OID || type == FLOAT4OID || type == FLOAT8OID;
#endif
}

/*
 * Not numbers and truth values: they have a type in WebAssembly, and a function
 * declared with another one is more likely a mistake.
 */
static bool
is_string(Oid base)
{
	switch (base)
	{
		case BOOLOID:
		case CHAROID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case OIDOID:
		case FLOAT4OID:
		case FLOAT8OID:
			return false;
	}
	switch (get_typtype(base))
	{
		case TYPTYPE_BASE:
		case TYPTYPE_ENUM:
		case TYPTYPE_RANGE:
		case TYPTYPE_MULTIRANGE:
			return !OidIsValid(get_element_type(base));
		default:
			return false;
	}
}

static PgwList *
make(PgwListKind kind, Oid type, Oid base)
{
	PgwList    *list = palloc0(sizeof(PgwList));

	list->kind = kind;
	list->type = type;
	list->is_domain = type != base;
	list->element_size = 1;
	return list;
}

PgwList *
pgw_list_make(Oid type)
{
	int32		typmod = -1;
	Oid			base = getBaseTypeAndTypmod(type, &typmod);
	Oid			element = get_element_type(base);
	PgwList    *list;
	Oid			function;
	bool		is_varlena;

	if (base == BYTEAOID)
		return make(PGW_LIST_BYTES, type, base);
	if ((base == TEXTOID || base == VARCHAROID) && typmod < 0)
		return make(PGW_LIST_TEXT, type, base);
	/* not int2vector */
	if (is_number(element) && get_array_type(element) == base)
	{
		list = make(PGW_LIST_NUMBERS, type, base);
		list->element_type = element;
		list->element_size = get_typlen(element);
		return list;
	}
	if (!is_string(base))
		return NULL;
	list = make(PGW_LIST_OTHER, type, base);
	list->typmod = typmod;
	getTypeOutputInfo(type, &function, &is_varlena);
	fmgr_info(function, &list->output);
	getTypeInputInfo(base, &function, &list->input_param);
	fmgr_info(function, &list->input);
	return list;
}

/* --- arguments --- */

/* Text of the database in UTF-8. */
static void
to_utf8(const char **text, size_t *length)
{
	char	   *converted;

	if (GetDatabaseEncoding() == PG_UTF8)
		return;
	if (GetDatabaseEncoding() == PG_SQL_ASCII)
	{
		(void) pg_verify_mbstr(PG_UTF8, *text, *length, false);
		return;
	}
	converted = pg_server_to_any(*text, *length, PG_UTF8);
	if (converted == *text)
		return;
	*text = converted;
	*length = strlen(converted);
}

static void
lower_numbers(Datum datum, const char **elements, size_t *length)
{
	ArrayType  *array = DatumGetArrayTypeP(datum);

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("an array of %d dimensions cannot be passed to a WebAssembly function", ARR_NDIM(array)),
				 errdetail("A list has one dimension.")));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("an array with null values cannot be passed to a WebAssembly function")));
	*elements = ARR_DATA_PTR(array);
	*length = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
}

void
pgw_list_lower(PgwList *list, Datum datum, const char **elements, size_t *length)
{
	struct varlena *value;

	switch (list->kind)
	{
		case PGW_LIST_NUMBERS:
			lower_numbers(datum, elements, length);
			return;
		case PGW_LIST_BYTES:
		case PGW_LIST_TEXT:
			value = PG_DETOAST_DATUM_PACKED(datum);
			*elements = VARDATA_ANY(value);
			*length = VARSIZE_ANY_EXHDR(value);
			break;
		case PGW_LIST_OTHER:
			*elements = OutputFunctionCall(&list->output, datum);
			*length = strlen(*elements);
			break;
	}
	if (list->kind != PGW_LIST_BYTES)
		to_utf8(elements, length);
}

/* --- results --- */

static struct varlena *
copy_numbers(const PgwList *list, const void *elements, size_t length)
{
	size_t		header = ARR_OVERHEAD_NONULLS(1);
	ArrayType  *array;

	if (length == 0)
		return (struct varlena *) construct_empty_array(list->element_type);
	array = palloc(header + length * list->element_size);
	SET_VARSIZE(array, header + length * list->element_size);
	array->ndim = 1;
	array->dataoffset = 0;
	array->elemtype = list->element_type;
	ARR_DIMS(array)[0] = length;
	ARR_LBOUND(array)[0] = 1;
	memcpy(ARR_DATA_PTR(array), elements, length * list->element_size);
	return (struct varlena *) array;
}

struct varlena *
pgw_list_copy(const PgwList *list, const void *elements, size_t length)
{
	struct varlena *copy;
	size_t		allowed = (MaxAllocSize - ARR_OVERHEAD_NONULLS(1)) / list->element_size;

	if (length > allowed)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("WebAssembly function returned a list of %zu elements", length),
				 errdetail("A value of the type %s can have %zu.", format_type_be(list->type), allowed)));
	if (list->kind == PGW_LIST_NUMBERS)
		return copy_numbers(list, elements, length);
	copy = palloc(VARHDRSZ + length);
	SET_VARSIZE(copy, VARHDRSZ + length);
	memcpy(VARDATA(copy), elements, length);
	return copy;
}

/* The text is verified; a conversion makes a new value. */
static text *
from_utf8(text *copy)
{
	const char *bytes = VARDATA(copy);
	int			length = VARSIZE(copy) - VARHDRSZ;
	char	   *converted;

	(void) pg_verify_mbstr(PG_UTF8, bytes, length, false);
	if (GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII)
		return copy;
	converted = pg_any_to_server(bytes, length, PG_UTF8);
	return converted == bytes ? copy : cstring_to_text(converted);
}

Datum
pgw_list_lift(PgwList *list, struct varlena *copy)
{
	Datum		datum;

	if (list->kind == PGW_LIST_TEXT || list->kind == PGW_LIST_OTHER)
		copy = from_utf8(copy);
	if (list->kind == PGW_LIST_OTHER)
		datum = InputFunctionCall(&list->input, text_to_cstring(copy), list->input_param, list->typmod);
	else
		datum = PointerGetDatum(copy);
	if (list->is_domain)
		domain_check(datum, false, list->type, NULL, NULL);
	return datum;
}
