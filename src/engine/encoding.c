/*
 * encoding.c
 *		Guests and the engine speak UTF-8; the database may not.
 */
#include "postgres.h"

#include "engine/encoding.h"

#include "catalog/namespace.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

/* Names in messages are cut at this length, in bytes. */
#define PGW_NAME_SHOWN_MAX 128

char *
pgw_from_utf8(const char *text, size_t length)
{
	int			encoding = GetDatabaseEncoding();
	Oid			conversion;
	size_t		size;
	char	   *converted;

	if (length > MaxAllocSize / MAX_CONVERSION_GROWTH - 1 ||
		memchr(text, '\0', length) != NULL ||
		!pg_verify_mbstr(PG_UTF8, text, length, true))
		return NULL;
	if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII)
		return pnstrdup(text, length);
	conversion = FindDefaultConversionProc(PG_UTF8, encoding);
	if (!OidIsValid(conversion))
		return NULL;
	size = length * MAX_CONVERSION_GROWTH + 1;
	converted = palloc(size);
	if (pg_do_encoding_conversion_buf(conversion, PG_UTF8, encoding,
									  (unsigned char *) unconstify(char *, text), length,
									  (unsigned char *) converted, size, true) < length)
	{
		pfree(converted);
		return NULL;
	}
	return converted;
}

char *
pgw_from_utf8_lossy(const char *text, size_t length)
{
	char	   *converted = pgw_from_utf8(text, length);

	if (converted != NULL)
		return converted;
	converted = pnstrdup(text, length);
	for (char *c = converted; *c != '\0'; c++)
	{
		if (IS_HIGHBIT_SET(*c))
			*c = '?';
	}
	return converted;
}

char *
pgw_from_utf8_strict(const char *text, size_t length)
{
	char	   *converted;

	if (length > MaxAllocSize - 1)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("WebAssembly guest gave a text of %zu bytes", length),
				 errdetail("A text can have %zu.", MaxAllocSize - 1)));
	converted = pg_any_to_server(text, length, PG_UTF8);
	return converted == text ? pnstrdup(text, length) : converted;
}

char *
pgw_from_valid_utf8(const char *text, uint32 *length)
{
	char	   *converted;

	if (GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII)
		return unconstify(char *, text);
	converted = pg_any_to_server(text, *length, PG_UTF8);
	if (converted != text)
		*length = strlen(converted);
	return converted;
}

const char *
pgw_to_utf8(const char *text, size_t *length)
{
	char	   *converted;

	if (GetDatabaseEncoding() == PG_UTF8)
		return text;
	if (GetDatabaseEncoding() == PG_SQL_ASCII)
	{
		(void) pg_verify_mbstr(PG_UTF8, text, *length, false);
		return text;
	}
	converted = pg_server_to_any(text, *length, PG_UTF8);
	if (converted != text)
		*length = strlen(converted);
	return converted;
}

char *
pgw_shown_name(const char *name)
{
	size_t		length = name ? strlen(name) : 0;
	size_t		shown = name ? pg_mbcliplen(name, length, PGW_NAME_SHOWN_MAX) : 0;
	char	   *copy;

	if (name == NULL)
		return pstrdup("?");
	copy = psprintf("%.*s%s", (int) shown, name, shown < length ? "..." : "");
	for (char *c = copy; *c != '\0'; c++)
	{
		if ((unsigned char) *c < 0x20 || *c == 0x7f)
			*c = '?';
	}
	return copy;
}
