/*
 * report.c
 *		Messages that a guest has written.
 */
#include "postgres.h"

#include "host/report.h"

#include "engine/encoding.h"
#include "mb/pg_wchar.h"

static char
shown(unsigned char c, bool with_all)
{
	if (c == '\n' || c == '\t')
		return c;
	return c < 0x20 || c == 0x7f || (c >= 0x80 && !with_all) ? '?' : c;
}

void
pgw_report(int level, const char *text, size_t length, bool can_look_up)
{
	bool		with_all = can_look_up || GetDatabaseEncoding() == PG_UTF8;
	char	   *safe = palloc_extended(length + 1, MCXT_ALLOC_HUGE);
	char	   *converted;

	for (size_t i = 0; i < length; i++)
		safe[i] = shown(text[i], with_all);
	converted = pgw_from_utf8_lossy(safe, length);
	ereport(level,
			(errmsg_internal("%s", converted)));
	pfree(converted);
	pfree(safe);
}
