/*
 * log.c
 *		The interface log of wit/host.wit.
 */
#include "postgres.h"

#include "host/log.h"

#include "host/report.h"
#include "mb/pg_wchar.h"

/* What a message may have, in bytes */
#define MESSAGE_MAX (1024 * 1024)

/* By the numbers of the enum level */
static const int levels[] = {DEBUG1, LOG, INFO, NOTICE, WARNING};

static uint32
report(PgwGuest *guest, const PgwSlot *slots)
{
	uint32		level = slots[0].i32;
	uint32		length = slots[2].i32;
	const char *message = pgw_guest_bytes(guest, slots[1].i32, length);

	if (message == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("WebAssembly guest gave a message outside of its memory")));
	if (length > MESSAGE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("WebAssembly guest gave a message of %u bytes", length),
				 errdetail("A message can have %d.", MESSAGE_MAX)));
	if (level >= lengthof(levels))
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("WebAssembly guest gave a message of level %u, which does not exist", level)));
	(void) pg_verify_mbstr(PG_UTF8, message, length, false);
	pgw_report(levels[level], message, length, true);
	return 0;
}

static const PgwHostFunction functions[] = {
	{"log", "iii", report},
	{NULL}
};

const PgwHostModule pgw_log_module = {"postgres:host/log@0.1.0", functions};
