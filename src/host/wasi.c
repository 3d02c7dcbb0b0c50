/*
 * wasi.c
 *		WASI, preview 1, but for files.
 *
 * Types, numbers and signatures are those of wasi_snapshot_preview1 (the
 * witx files in the repository WebAssembly/WASI).  There are no arguments; the
 * environment is what was granted; clocks and random numbers work.
 */
#include "postgres.h"

#include "host/wasi.h"

#include <time.h>

#include "engine/interrupt.h"
#include "host/process.h"
#include "host/wasi_guest.h"

#define EVENTTYPE_CLOCK 0
#define SUBCLOCKFLAGS_ABSTIME 1

/* Subscriptions that are looked at in one call */
#define SUBSCRIPTIONS_MAX 4096

#define NS_PER_SECOND INT64CONST(1000000000)

/* --- arguments, of which there are none, and environment --- */

static uint32
no_strings(PgwGuest *guest, const PgwSlot *slots)
{
	return SUCCESS;
}

static uint32
no_sizes(PgwGuest *guest, const PgwSlot *slots)
{
	uint32		error = put32(guest, slots[0].i32, 0);

	return error != SUCCESS ? error : put32(guest, slots[1].i32, 0);
}

/* The address of each variable, and behind each other what they are, NAME=value */
static uint32
environment(PgwGuest *guest, const PgwSlot *slots)
{
	const char *lines = pgw_guest_store(guest)->environment;
	uint32		target = slots[1].i32;
	PgwText		name;
	PgwText		value;

	for (size_t i = 0; pgw_variable(lines, i, &name, &value); i++)
	{
		char	   *line = psprintf("%.*s=%.*s", (int) name.length, name.bytes, (int) value.length, value.bytes);
		size_t		length = strlen(line) + 1;

		if (put32(guest, slots[0].i32 + i * 4, target) != SUCCESS || put(guest, target, line, length) != SUCCESS)
			return FAULT;
		target += length;
	}
	return SUCCESS;
}

static uint32
environment_sizes(PgwGuest *guest, const PgwSlot *slots)
{
	const char *lines = pgw_guest_store(guest)->environment;
	uint32		count = 0;
	uint32		size = 0;
	PgwText		name;
	PgwText		value;

	for (; pgw_variable(lines, count, &name, &value); count++)
		size += name.length + value.length + 2;
	return put32(guest, slots[0].i32, count) != SUCCESS ? FAULT : put32(guest, slots[1].i32, size);
}

/* --- clocks, random numbers --- */

static bool
find_clock(uint32 id, clockid_t *clock)
{
	static const clockid_t clocks[] = {
		CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID
	};

	if (id >= lengthof(clocks))
		return false;
	*clock = clocks[id];
	return true;
}

static int64
in_nanoseconds(struct timespec time)
{
	return (int64) time.tv_sec * NS_PER_SECOND + time.tv_nsec;
}

static uint32
clock_res(PgwGuest *guest, const PgwSlot *slots)
{
	clockid_t	clock;
	struct timespec resolution;

	if (!find_clock(slots[0].i32, &clock) || clock_getres(clock, &resolution) != 0)
		return INVAL;
	return put64(guest, slots[1].i32, in_nanoseconds(resolution));
}

static uint32
clock_time(PgwGuest *guest, const PgwSlot *slots)
{
	clockid_t	clock;
	struct timespec now;

	if (!find_clock(slots[0].i32, &clock) || clock_gettime(clock, &now) != 0)
		return INVAL;
	return put64(guest, slots[2].i32, in_nanoseconds(now));
}

static uint32
random_bytes(PgwGuest *guest, const PgwSlot *slots)
{
	uint32		length = slots[1].i32;
	char	   *target = pgw_guest_bytes(guest, slots[0].i32, length);

	if (target == NULL)
		return FAULT;
	pgw_random(target, length);
	return SUCCESS;
}

/* --- waiting --- */

typedef struct Subscription
{
	uint64		userdata;
	uint8		type;
	uint8		unused1[7];
	uint32		clock;			/* of a clock: ... */
	uint32		unused2;
	uint64		timeout;		/* ns */
	uint64		precision;
	uint8		flags;
	uint8		unused3[7];
} Subscription;

typedef struct Event
{
	uint64		userdata;
	uint16		error;
	uint8		type;
	uint8		unused[5];
	uint64		nbytes;
	uint64		flags;
} Event;

StaticAssertDecl(sizeof(Subscription) == 48, "a subscription has 48 bytes");
StaticAssertDecl(sizeof(Event) == 32, "an event has 32 bytes");

/* When a subscription is due, on the monotonic clock; files are always ready. */
static int64
due_time(const Subscription *subscription, int64 now)
{
	int64		timeout = (int64) Min(to_guest64(subscription->timeout), PG_INT64_MAX / 2);
	clockid_t	clock;
	struct timespec of_clock;

	if (subscription->type != EVENTTYPE_CLOCK || !find_clock(to_guest32(subscription->clock), &clock))
		return now;
	if ((subscription->flags & SUBCLOCKFLAGS_ABSTIME) == 0)
		return now + timeout;
	clock_gettime(clock, &of_clock);
	return now + timeout - in_nanoseconds(of_clock);
}

/* Waits for the first of the subscriptions, and reports all that are due by then. */
static uint32
wait_for_events(PgwGuest *guest, uint32 events, uint32 result, const Subscription *subscriptions, uint32 count)
{
	int64		now = pgw_now_monotonic();
	int64	   *due = palloc(count * sizeof(int64));
	int64		first = PG_INT64_MAX;
	uint32		nevents = 0;

	for (uint32 i = 0; i < count; i++)
	{
		due[i] = due_time(&subscriptions[i], now);
		first = Min(first, due[i]);
	}
	pgw_wait_until(first);
	for (uint32 i = 0; i < count; i++)
	{
		Event		event = {.userdata = subscriptions[i].userdata,.type = subscriptions[i].type};

		if (due[i] > first)
			continue;
		if (put(guest, events + nevents * sizeof(Event), &event, sizeof(event)) != SUCCESS)
			return FAULT;
		nevents++;
	}
	pfree(due);
	return put32(guest, result, nevents);
}

static uint32
poll_oneoff(PgwGuest *guest, const PgwSlot *slots)
{
	uint32		count = slots[2].i32;
	const void *source;
	Subscription *subscriptions;
	uint32		error;

	if (count == 0 || count > SUBSCRIPTIONS_MAX)
		return INVAL;
	source = pgw_guest_bytes(guest, slots[0].i32, count * sizeof(Subscription));
	if (source == NULL)
		return FAULT;
	subscriptions = palloc(count * sizeof(Subscription));
	memcpy(subscriptions, source, count * sizeof(Subscription));
	error = wait_for_events(guest, slots[1].i32, slots[3].i32, subscriptions, count);
	pfree(subscriptions);
	return error;
}

static uint32
yield(PgwGuest *guest, const PgwSlot *slots)
{
	pgw_interrupt_check();
	return SUCCESS;
}

/* --- the end --- */

static uint32
no_signals(PgwGuest *guest, const PgwSlot *slots)
{
	return NOSYS;
}

static uint32
end_process(PgwGuest *guest, const PgwSlot *slots)
{
	pgw_exit(slots[0].i32);
	pgw_guest_exit(guest);
	return 0;
}

/* --- all of them --- */

static const PgwHostFunction functions[] = {
	{"args_get", "ii:i", no_strings},
	{"args_sizes_get", "ii:i", no_sizes},
	{"environ_get", "ii:i", environment},
	{"environ_sizes_get", "ii:i", environment_sizes},
	{"clock_res_get", "ii:i", clock_res},
	{"clock_time_get", "iIi:i", clock_time},
	{"poll_oneoff", "iiii:i", poll_oneoff},
	{"proc_exit", "i", end_process},
	{"proc_raise", "i:i", no_signals},
	{"random_get", "ii:i", random_bytes},
	{"sched_yield", ":i", yield},
	{NULL}
};

const PgwHostModule pgw_wasi_module = {WASI_MODULE, functions};
