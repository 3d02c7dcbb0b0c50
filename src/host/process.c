/*
 * process.c
 *		What a process has, for guests of WASI: output, time, random numbers, and
 *		an end.
 */
#include "postgres.h"

#include "host/process.h"

#include <time.h>

#include "access/xact.h"
#include "engine/interrupt.h"
#include "guc.h"
#include "host/report.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#define NS_PER_SECOND INT64CONST(1000000000)
#define NS_PER_MS INT64CONST(1000000)

/* How long to wait before looking for interrupts and the clock again, in ms */
#define WAIT_MAX 60000

/* Random bytes are made so many at a time. */
#define RANDOM_MAX (1024 * 1024)

/* A line that is longer is reported in parts. */
#define LINE_MAX_BYTES (64 * 1024)

/* --- output --- */

/* What was written to standard output and error since their last line feeds */
static StringInfo pending[2] = {NULL};

/* Reports what is pending up to the last line feed. */
static void
report_lines(StringInfo text)
{
	int			start = 0;
	const char *end;

	while ((end = memchr(text->data + start, '\n', text->len - start)) != NULL)
	{
		pgw_report(pgw_output_level, text->data + start, end - text->data - start, true);
		start = end - text->data + 1;
	}
	memmove(text->data, text->data + start, text->len - start);
	text->len -= start;
}

/* Reports a line without an end.  It is gone then, even if that throws. */
static void
report_rest(StringInfo text, bool can_look_up)
{
	int			length = text->len;
	char	   *line;

	if (length == 0)
		return;
	line = palloc(length);
	memcpy(line, text->data, length);
	resetStringInfo(text);
	pgw_report(pgw_output_level, line, length, can_look_up);
	pfree(line);
}

static void
report_pending(bool can_look_up)
{
	for (int i = 0; i < lengthof(pending); i++)
	{
		if (pending[i] != NULL)
			report_rest(pending[i], can_look_up);
	}
}

/* The last line of a guest may have no end. */
static void
on_transaction(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PARALLEL_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
		report_pending(true);
	else if (event == XACT_EVENT_ABORT || event == XACT_EVENT_PARALLEL_ABORT)
		report_pending(false);
}

static StringInfo
pending_of(uint32 fd)
{
	static bool registered = false;
	StringInfo *text = &pending[fd - 1];

	if (!registered)
		RegisterXactCallback(on_transaction, NULL);
	registered = true;
	if (*text == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);

		*text = makeStringInfo();
		MemoryContextSwitchTo(caller);
	}
	return *text;
}

void
pgw_output(uint32 stream, const char *bytes, size_t length)
{
	StringInfo	text = pending_of(stream);

	appendBinaryStringInfo(text, bytes, length);
	report_lines(text);
	if (text->len > LINE_MAX_BYTES)
		report_rest(text, true);
}

/* --- time --- */

int64
pgw_now_monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64) now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

void
pgw_wait_until(int64 until)
{
	for (;;)
	{
		int64		left = until - pgw_now_monotonic();

		pgw_interrupt_check();
		if (left <= 0)
			return;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 (long) Min((left + NS_PER_MS - 1) / NS_PER_MS, WAIT_MAX), PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
	}
}

/* --- random numbers, the end, the environment --- */

void
pgw_random(char *bytes, size_t length)
{
	for (size_t done = 0; done < length; done += RANDOM_MAX)
	{
		pgw_interrupt_check();
		if (!pg_strong_random(bytes + done, Min(length - done, RANDOM_MAX)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate random values")));
	}
}

void
pgw_exit(uint32 code)
{
	if (code != 0)
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("WebAssembly guest exited with code %u", code)));
}

bool
pgw_variable(const char *environment, size_t index, PgwText *name, PgwText *value)
{
	const char *line = environment != NULL ? environment : "";
	const char *end = line + strlen(line);

	for (; line < end; index--)
	{
		const char *line_end = memchr(line, '\n', end - line);
		const char *equals = memchr(line, '=', end - line);

		line_end = line_end != NULL ? line_end : end;
		if (index == 0)
		{
			*name = (PgwText) {line, equals - line};
			*value = (PgwText) {equals + 1, line_end - equals - 1};
			return true;
		}
		line = line_end + 1;
	}
	return false;
}
