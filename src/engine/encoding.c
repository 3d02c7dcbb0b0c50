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

static bool
is_ascii(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
	{
		if (IS_HIGHBIT_SET(text[i]))
			return false;
	}
	return true;
}

/* Is UTF-8 the database's, or taken as it is? */
static bool
keeps_utf8(void)
{
	return GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII;
}

/*
 * Text in another encoding, palloc'd, with "?" for each character that is none, or
 * that the other encoding does not have; NULL where there is one and lossy is not
 * set, and where there is no such conversion.
 */
static char *
convert(const char *text, size_t length, int from, int to, bool lossy)
{
	Oid			conversion = FindDefaultConversionProc(from, to);
	char	   *converted;
	char	   *end;

	if (length > MaxAllocSize / MAX_CONVERSION_GROWTH - 1 || !OidIsValid(conversion))
		return NULL;
	converted = end = palloc(length * MAX_CONVERSION_GROWTH + 1);
	*end = '\0';
	while (length > 0)
	{
		size_t		done = pg_do_encoding_conversion_buf(conversion, from, to,
														 (unsigned char *) unconstify(char *, text), length,
														 (unsigned char *) end, length * MAX_CONVERSION_GROWTH + 1, true);

		end += strlen(end);
		if (done < length)
		{
			if (!lossy)
			{
				pfree(converted);
				return NULL;
			}
			done = Min(done + pg_encoding_mblen(from, text + done), length);
			*end++ = '?';
			*end = '\0';
		}
		text += done;
		length -= done;
	}
	return converted;
}

/* A copy with "?" for all that is not ASCII */
static char *
only_ascii(const char *text, size_t length)
{
	char	   *copy = pnstrdup(text, length);

	for (char *c = copy; *c != '\0'; c++)
	{
		if (IS_HIGHBIT_SET(*c))
			*c = '?';
	}
	return copy;
}

char *
pgw_from_utf8(const char *text, size_t length)
{
	if (length > MaxAllocSize - 1 || memchr(text, '\0', length) != NULL ||
		!pg_verify_mbstr(PG_UTF8, text, length, true))
		return NULL;
	/* ASCII is the same everywhere, also where no conversion can be looked up */
	if (keeps_utf8() || is_ascii(text, length))
		return pnstrdup(text, length);
	return convert(text, length, PG_UTF8, GetDatabaseEncoding(), false);
}

char *
pgw_from_utf8_lossy(const char *text, size_t length)
{
	char	   *converted = pgw_from_utf8(text, length);

	if (converted == NULL && !keeps_utf8())
		converted = convert(text, length, PG_UTF8, GetDatabaseEncoding(), true);
	return converted != NULL ? converted : only_ascii(text, length);
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

	if (keeps_utf8())
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

const char *
pgw_to_utf8_lossy(const char *text, size_t *length)
{
	char	   *converted = NULL;

	if (keeps_utf8())
	{
		if (pg_verify_mbstr(PG_UTF8, text, *length, true))
			return text;
	}
	else
		converted = convert(text, *length, GetDatabaseEncoding(), PG_UTF8, true);
	if (converted == NULL)
		converted = only_ascii(text, *length);
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
