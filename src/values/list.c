/*
 * list.c
 *		Values that a guest has in its memory: strings and lists of bytes.
 *
 * Guests speak UTF-8.  A value of a type other than bytea, text and varchar is
 * the text of its output function, and made by its input function, which checks
 * what the type, or a domain, demands.
 */
#include "postgres.h"

#include "values/list.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/*
 * Not numbers and truth values: they have a type in WebAssembly, and a function
 * declared with another one is more likely a mistake.
 */
static bool
is_string(Oid type)
{
	Oid			base = getBaseType(type);

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

PgwList *
pgw_list_make(Oid type)
{
	PgwList    *list;
	Oid			function;
	bool		is_varlena;

	if (!is_string(type))
		return NULL;
	list = palloc0(sizeof(PgwList));
	list->type = type;
	list->is_bytes = getBaseType(type) == BYTEAOID;
	list->is_text = type == TEXTOID || type == VARCHAROID;
	getTypeOutputInfo(type, &function, &is_varlena);
	fmgr_info(function, &list->output);
	getTypeInputInfo(type, &function, &list->input_param);
	fmgr_info(function, &list->input);
	return list;
}

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

void
pgw_list_lower(PgwList *list, Datum datum, const char **bytes, size_t *length)
{
	if (list->is_bytes || list->is_text)
	{
		struct varlena *value = PG_DETOAST_DATUM_PACKED(datum);

		*bytes = VARDATA_ANY(value);
		*length = VARSIZE_ANY_EXHDR(value);
	}
	else
	{
		*bytes = OutputFunctionCall(&list->output, datum);
		*length = strlen(*bytes);
	}
	if (!list->is_bytes)
		to_utf8(bytes, length);
}

bytea *
pgw_list_copy(const void *bytes, size_t length)
{
	bytea	   *copy;

	if (length > MaxAllocSize - VARHDRSZ)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("WebAssembly function returned a value of %zu bytes", length),
				 errdetail("PostgreSQL's limit is %zu bytes.", (size_t) MaxAllocSize - VARHDRSZ)));
	copy = palloc(VARHDRSZ + length);
	SET_VARSIZE(copy, VARHDRSZ + length);
	memcpy(VARDATA(copy), bytes, length);
	return copy;
}

/* The text is verified; a conversion makes a new value. */
static text *
from_utf8(bytea *copy)
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
pgw_list_lift(PgwList *list, bytea *copy)
{
	Datum		datum;
	char	   *string;

	if (list->is_bytes && list->type == BYTEAOID)
		return PointerGetDatum(copy);
	if (list->is_bytes)
	{
		/* a domain over bytea */
		datum = PointerGetDatum(copy);
		domain_check(datum, false, list->type, NULL, NULL);
		return datum;
	}
	copy = from_utf8(copy);
	if (list->is_text)
		return PointerGetDatum(copy);
	string = text_to_cstring(copy);
	datum = InputFunctionCall(&list->input, string, list->input_param, -1);
	pfree(string);
	return datum;
}
