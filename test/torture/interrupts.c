/*
 * interrupts.c
 *		Interrupts this backend at random instants, or at a chosen instruction,
 *		while it executes a statement or calls a function, and says how each
 *		interrupt was answered.  Only for the test of the same name.
 *
 * A timer of its own raises the real signal, as pg_cancel_backend() and others
 * would.  It does so from a handler in which all signals are blocked, so that
 * the handler of the raised signal finds what the timer has interrupted.
 *
 * What is raised is chosen at random among the letters of a text:
 *
 *		c	a cancel: SIGINT.  Nothing is raised after it.
 *		a	SIGALRM with nothing to do
 *		u	SIGUSR1 with nothing to do
 *		l	SIGUSR1 that asks for a log of the memory contexts
 *
 * Or, alone:
 *
 *		t	statement_timeout, of 1 ms
 */
#include "postgres.h"

#include <signal.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/pg_prng.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "storage/procsignal.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timeout.h"

PG_MODULE_MAGIC;

#define TIMER_SIGNAL SIGRTMIN
#define WATCH_SIGNAL (SIGRTMIN + 1)

/* A cancel that has not been answered after so many seconds of processor time is lost. */
#define WATCH_SECONDS 3

#define MAX_RANGES 200

#if defined(__x86_64__)
#define CAN_STEP
#define TRAP_FLAG 0x100
#endif

/* What has been raised, and how it was answered */
typedef struct Tally
{
	int64		rounds;
	int64		raised;
	int64		in_guest;		/* when code of no library was running */
	int64		cancels;
	int64		cancels_in_guest;
	int64		cancelled;		/* the statement was, by an error 57014 */
	int64		late;			/* the statement had ended; cancelled right after */
	int64		ended;			/* the statement had, before a cancel was raised */
	int64		failed;			/* with an error that was expected */
	int64		lost;
	int64		wrong;
	char	   *example;		/* of what is wrong; NULL for none */
	float8	   *latencies;		/* in µs, of each that was cancelled */
} Tally;

/* The round */
static volatile sig_atomic_t active = 0;
static volatile sig_atomic_t cancel_raised = 0;
static volatile sig_atomic_t cancel_in_guest = 0;
static volatile sig_atomic_t signals_raised = 0;
static volatile sig_atomic_t signals_in_guest = 0;
static volatile sig_atomic_t watch_rang = 0;
static volatile sig_atomic_t lost = 0;
static struct timespec cancel_time;

/* The run */
static const char *kinds;
static int64 delay_min;			/* in ns */
static int64 delay_spread;
static pg_prng_state prng;
static MemoryContext run_memory;
static Tally tally;

static timer_t round_timer;
static timer_t watch_timer;
static bool timers_made = false;

/* Where the code of the server and of libraries is */
static struct
{
	uintptr_t	start;
	uintptr_t	end;
}			ranges[MAX_RANGES];
static int	nranges;

/* What a round does */
typedef struct Work
{
	SPIPlanPtr	plan;			/* a statement with one parameter, or */
	FmgrInfo   *function;		/* a function of one argument, stepped through */
	FmgrInfo   *output;			/* of its result */
	int32		argument;
	const char *expected;		/* result; NULL for any */
	const char *errors;			/* that may be, beside 57014 */
} Work;

/* Stepping: how many instructions there were, and at which to raise something */
static int64 steps;
static int64 steps_until;		/* 0 for each in a guest */

/* --- where the program is --- */

static void
find_libraries(void)
{
	FILE	   *maps = fopen("/proc/self/maps", "r");
	char		line[2048];

	if (maps == NULL)
		elog(ERROR, "could not open /proc/self/maps: %m");
	nranges = 0;
	while (fgets(line, sizeof(line), maps) != NULL && nranges < MAX_RANGES)
	{
		unsigned long start,
					end;
		char		mode[5];

		if (sscanf(line, "%lx-%lx %4s", &start, &end, mode) != 3 || mode[2] != 'x' ||
			strstr(line, "pgsql_tmp_wasm") != NULL || strpbrk(line, "/[") == NULL)
			continue;
		ranges[nranges].start = start;
		ranges[nranges++].end = end;
	}
	fclose(maps);
	if (nranges == MAX_RANGES)
		elog(ERROR, "too many libraries");
}

static uintptr_t
program_counter(const ucontext_t *context)
{
#if defined(__x86_64__)
	return context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	return context->uc_mcontext.pc;
#else
#error "where is the program counter?"
#endif
}

static bool
in_guest(const ucontext_t *context)
{
	uintptr_t	counter = program_counter(context);

	for (int i = 0; i < nranges; i++)
	{
		if (counter >= ranges[i].start && counter < ranges[i].end)
			return false;
	}
	return true;
}

/* --- raising --- */

static void
set_round_timer(int64 ns)
{
	struct itimerspec once = {{0, 0}, {ns / 1000000000, ns % 1000000000}};

	timer_settime(round_timer, 0, &once, NULL);
}

static int64
random_delay(void)
{
	return delay_min + (int64) (pg_prng_double(&prng) * delay_spread) + 1;
}

/* Signals are blocked: they arrive where the caller, a handler, returns to. */
static void
raise_random(const ucontext_t *context)
{
	char		kind = kinds[pg_prng_uint64(&prng) % strlen(kinds)];

	signals_raised++;
	if (in_guest(context))
		signals_in_guest++;
	switch (kind)
	{
		case 'c':
			cancel_raised = 1;
			cancel_in_guest = in_guest(context);
			clock_gettime(CLOCK_MONOTONIC, &cancel_time);
			kill(MyProcPid, SIGINT);
			break;
		case 'a':
			kill(MyProcPid, SIGALRM);
			break;
		case 'u':
			kill(MyProcPid, SIGUSR1);
			break;
		case 'l':
			/* without the backend's number: by its process id alone */
			SendProcSignal(MyProcPid, PROCSIG_LOG_MEMORY_CONTEXT, -1);
			break;
	}
}

static void
on_timer(int signo, siginfo_t *info, void *context)
{
	int			save_errno = errno;

	if (active)
	{
		raise_random(context);
		if (!cancel_raised)
			set_round_timer(random_delay());
	}
	errno = save_errno;
}

/*
 * Rings once in a second of processor time.  A cancel that got lost is repeated,
 * or the test would not go on.
 */
static void
on_watch(int signo, siginfo_t *info, void *context)
{
	int			save_errno = errno;

	if (active && cancel_raised && ++watch_rang > WATCH_SECONDS)
	{
		lost = 1;
		kill(MyProcPid, SIGINT);
	}
	errno = save_errno;
}

static void
install(int signo, void (*handler) (int, siginfo_t *, void *))
{
	struct sigaction action = {.sa_sigaction = handler,.sa_flags = SA_SIGINFO | SA_RESTART};

	sigfillset(&action.sa_mask);
	if (sigaction(signo, &action, NULL) != 0)
		elog(ERROR, "could not install a handler of signal %d: %m", signo);
}

static void
make_timers(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL};
	struct itimerspec second = {{1, 0}, {1, 0}};

	if (timers_made)
		return;
	install(TIMER_SIGNAL, on_timer);
	install(WATCH_SIGNAL, on_watch);
	event.sigev_signo = TIMER_SIGNAL;
	if (timer_create(CLOCK_MONOTONIC, &event, &round_timer) != 0)
		elog(ERROR, "could not create a timer: %m");
	event.sigev_signo = WATCH_SIGNAL;
	if (timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &watch_timer) != 0 ||
		timer_settime(watch_timer, 0, &second, NULL) != 0)
		elog(ERROR, "could not create a timer: %m");
	timers_made = true;
}

static void
start_run(const char *which, int64 seed, int64 rounds)
{
	if (which[0] == '\0' || (strspn(which, "caul") != strlen(which) && strcmp(which, "t") != 0))
		elog(ERROR, "\"%s\" names no interrupts", which);
	make_timers();
	find_libraries();
	kinds = which;
	pg_prng_seed(&prng, seed);
	run_memory = CurrentMemoryContext;
	memset(&tally, 0, sizeof(tally));
	tally.latencies = MemoryContextAllocHuge(run_memory, sizeof(float8) * (rounds + 1));
}

/* --- stepping through instructions --- */

#ifdef CAN_STEP

static void
on_step(int signo, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;
	int			save_errno = errno;

	if (++steps == steps_until)
	{
		raise_random(context);
		interrupted->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
	}
	else if (steps_until == 0 && in_guest(context))
		raise_random(context);
	errno = save_errno;
}

/* Each instruction from here on traps, until stop_stepping(). */
static inline pg_attribute_always_inline void
start_stepping(void)
{
	__asm__ volatile("pushfq; orq %0, (%%rsp); popfq" : : "i" (TRAP_FLAG) : "memory", "cc");
}

static inline pg_attribute_always_inline void
stop_stepping(void)
{
	__asm__ volatile("pushfq; andq %0, (%%rsp); popfq" : : "i" (~TRAP_FLAG) : "memory", "cc");
}

#else

static inline void
start_stepping(void)
{
	elog(ERROR, "this machine cannot step");
}

static inline void
stop_stepping(void)
{
}

#endif							/* CAN_STEP */

/* --- rounds --- */

/* The server's own timer raises it. */
static void
start_timeout(void)
{
	cancel_raised = 1;
	clock_gettime(CLOCK_MONOTONIC, &cancel_time);
	cancel_time.tv_nsec += 1000000;
	enable_timeout_after(STATEMENT_TIMEOUT, 1);
}

static void
start_round(void)
{
	cancel_raised = 0;
	cancel_in_guest = 0;
	signals_raised = 0;
	signals_in_guest = 0;
	watch_rang = 0;
	lost = 0;
	steps = 0;
	active = 1;
}

/*
 * Returns whether a cancel is still to be answered; none is afterwards, or the
 * next round would see it.
 */
static bool
end_round(void)
{
	bool		pending;

	active = 0;
	set_round_timer(0);
	disable_timeout(STATEMENT_TIMEOUT, false);
	pending = QueryCancelPending;
	QueryCancelPending = false;
	tally.rounds++;
	tally.raised += signals_raised;
	tally.in_guest += signals_in_guest;
	tally.cancels += cancel_raised;
	tally.cancels_in_guest += cancel_in_guest;
	return pending;
}

static void pg_attribute_printf(1, 2)
note_wrong(const char *format,...)
{
	va_list		args;
	char		text[500];

	tally.wrong++;
	if (tally.example != NULL)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	tally.example = MemoryContextStrdup(run_memory, text);
}

static void
note_cancelled(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	tally.latencies[tally.cancelled++] = (now.tv_sec - cancel_time.tv_sec) * 1e6 +
		(now.tv_nsec - cancel_time.tv_nsec) / 1e3;
}

/* The work is done; pending says whether a cancel was left unanswered. */
static void
judge_result(const Work *work, const char *result, bool pending)
{
	if (work->expected != NULL && strcmp(result, work->expected) != 0)
		note_wrong("%s instead of %s", result, work->expected);
	else if (lost || (cancel_raised && !pending))
		tally.lost++;
	else if (cancel_raised)
		tally.late++;
	else
		tally.ended++;
}

static void
judge_error(const Work *work, const ErrorData *error, bool pending)
{
	const char *sqlstate = unpack_sql_state(error->sqlerrcode);

	if (error->sqlerrcode == ERRCODE_QUERY_CANCELED && cancel_raised && !pending)
	{
		if (lost)
			tally.lost++;
		else
			note_cancelled();
	}
	else if (strstr(work->errors, sqlstate) != NULL)
	{
		if (cancel_raised && !pending)
			tally.lost++;
		else
			tally.failed++;
	}
	else
		note_wrong("%s: %s", sqlstate, error->message);
}

static char *
execute_plan(const Work *work)
{
	Datum		argument = Int32GetDatum(work->argument);
	char	   *result = "";

	if (SPI_execute_plan(work->plan, &argument, NULL, false, 0) < 0)
		elog(ERROR, "could not execute the statement");
	if (SPI_tuptable != NULL && SPI_processed > 0)
		result = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	return result ? result : "";
}

static char *
step_function(const Work *work)
{
	Datum		result;

	start_stepping();
	result = FunctionCall1(work->function, Int32GetDatum(work->argument));
	stop_stepping();
	return OutputFunctionCall(work->output, result);
}

static void
play_round(const Work *work)
{
	MemoryContext memory = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	bool		pending;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(memory);
	PG_TRY();
	{
		char	   *result;

		start_round();
		if (work->plan != NULL)
		{
			if (kinds[0] == 't')
				start_timeout();
			else
				set_round_timer(random_delay());
			result = execute_plan(work);
		}
		else
			result = step_function(work);
		pending = end_round();
		judge_result(work, result, pending);
		SPI_freetuptable(SPI_tuptable);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		stop_stepping();
		pending = end_round();
		MemoryContextSwitchTo(memory);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		judge_error(work, error, pending);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(memory);
	CurrentResourceOwner = owner;
}

/* --- runs --- */

static int
compare_latencies(const void *a, const void *b)
{
	float8		x = *(const float8 *) a;
	float8		y = *(const float8 *) b;

	return (x > y) - (x < y);
}

static Datum
quantile(double q)
{
	int64		n = tally.cancelled;

	if (n == 0)
		return Float8GetDatum(0);
	return Float8GetDatum(tally.latencies[Min(n - 1, (int64) (n * q))]);
}

static Datum
result_of_run(FunctionCallInfo fcinfo)
{
	TupleDesc	desc;
	bool		nulls[15] = {false};
	Datum		values[15];
	int			n = 0;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "the result is no row");
	qsort(tally.latencies, tally.cancelled, sizeof(float8), compare_latencies);
	values[n++] = Int64GetDatum(tally.rounds);
	values[n++] = Int64GetDatum(tally.raised);
	values[n++] = Int64GetDatum(tally.in_guest);
	values[n++] = Int64GetDatum(tally.cancels);
	values[n++] = Int64GetDatum(tally.cancels_in_guest);
	values[n++] = Int64GetDatum(tally.cancelled);
	values[n++] = Int64GetDatum(tally.late);
	values[n++] = Int64GetDatum(tally.ended);
	values[n++] = Int64GetDatum(tally.failed);
	values[n++] = Int64GetDatum(tally.lost);
	values[n++] = Int64GetDatum(tally.wrong);
	values[n++] = CStringGetTextDatum(tally.example ? tally.example : "");
	values[n++] = quantile(0.5);
	values[n++] = quantile(0.99);
	values[n++] = quantile(1);
	Assert(n == desc->natts);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

static MemoryContext
make_round_memory(void)
{
	return AllocSetContextCreate(CurrentMemoryContext, "round", ALLOCSET_DEFAULT_SIZES);
}

/*
 * storm(statement text, argument integer, argument_spread integer,
 *		 expected text, errors text, kinds text,
 *		 delay integer, delay_spread integer, rounds integer, seed bigint)
 *
 * Executes a statement again and again, with an argument and after delays in µs
 * that are random in their ranges.  The expected result is NULL for any.
 */
PG_FUNCTION_INFO_V1(storm);
PGDLLEXPORT Datum
storm(PG_FUNCTION_ARGS)
{
	Oid			type = INT4OID;
	int32		argument = PG_GETARG_INT32(1);
	int32		spread = PG_GETARG_INT32(2);
	int32		rounds = PG_GETARG_INT32(8);
	Work		work = {.errors = text_to_cstring(PG_GETARG_TEXT_PP(4))};
	MemoryContext memory = CurrentMemoryContext;
	MemoryContext round_memory = make_round_memory();

	if (!PG_ARGISNULL(3))
		work.expected = text_to_cstring(PG_GETARG_TEXT_PP(3));
	start_run(text_to_cstring(PG_GETARG_TEXT_PP(5)), PG_GETARG_INT64(9), rounds);
	delay_min = PG_GETARG_INT32(6) * INT64CONST(1000);
	delay_spread = PG_GETARG_INT32(7) * INT64CONST(1000);
	SPI_connect();
	work.plan = SPI_prepare(text_to_cstring(PG_GETARG_TEXT_PP(0)), 1, &type);
	if (work.plan == NULL)
		elog(ERROR, "could not prepare the statement");
	for (int32 i = 0; i < rounds; i++)
	{
		work.argument = argument + (spread > 0 ? pg_prng_uint64(&prng) % spread : 0);
		MemoryContextSwitchTo(round_memory);
		play_round(&work);
		MemoryContextReset(round_memory);
	}
	SPI_finish();
	MemoryContextSwitchTo(memory);
	return result_of_run(fcinfo);
}

#ifdef CAN_STEP

/* What a call of a function takes that is looked up once */
typedef struct Callee
{
	FmgrInfo	function;
	FmgrInfo	output;
} Callee;

static void
prepare_call(Work *work, Callee *callee, Oid function, int32 argument)
{
	Oid			output;
	bool		varlena;

	fmgr_info(function, &callee->function);
	getTypeOutputInfo(get_func_rettype(function), &output, &varlena);
	fmgr_info(output, &callee->output);
	work->function = &callee->function;
	work->output = &callee->output;
	work->argument = argument;
	install(SIGTRAP, on_step);
}

static void
execute_before(const char *statement)
{
	if (SPI_execute(statement, false, 0) < 0)
		elog(ERROR, "could not execute \"%s\"", statement);
	SPI_freetuptable(SPI_tuptable);
}

/*
 * instructions(function regprocedure, argument integer, before text) returns bigint
 *
 * How many instructions a call of a function takes after a statement, when it
 * is not the first.
 */
PG_FUNCTION_INFO_V1(instructions);
PGDLLEXPORT Datum
instructions(PG_FUNCTION_ARGS)
{
	Work		work = {.plan = NULL};
	Callee		callee;

	prepare_call(&work, &callee, PG_GETARG_OID(0), PG_GETARG_INT32(1));
	SPI_connect();
	steps_until = -1;
	step_function(&work);
	execute_before(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	steps = 0;
	step_function(&work);
	SPI_finish();
	PG_RETURN_INT64(steps);
}

/*
 * step(function regprocedure, argument integer,
 *		expected text, errors text, kinds text, before text,
 *		first bigint, last bigint, rounds integer, seed bigint)
 *
 * Calls a function of an integer again and again, each time after a statement,
 * and raises something at one instruction, the numbers of which are from the
 * range: each in turn, or so many random ones.
 */
PG_FUNCTION_INFO_V1(step);
PGDLLEXPORT Datum
step(PG_FUNCTION_ARGS)
{
	int64		first = PG_GETARG_INT64(6);
	int64		count = PG_GETARG_INT64(7) - first + 1;
	int32		random = PG_GETARG_INT32(8);
	int64		rounds = random > 0 ? random : count;
	char	   *before = text_to_cstring(PG_GETARG_TEXT_PP(5));
	Work		work = {.errors = text_to_cstring(PG_GETARG_TEXT_PP(3))};
	Callee		callee;
	MemoryContext memory = CurrentMemoryContext;
	MemoryContext round_memory = make_round_memory();

	if (!PG_ARGISNULL(2))
		work.expected = text_to_cstring(PG_GETARG_TEXT_PP(2));
	prepare_call(&work, &callee, PG_GETARG_OID(0), PG_GETARG_INT32(1));
	start_run(text_to_cstring(PG_GETARG_TEXT_PP(4)), PG_GETARG_INT64(9), rounds);
	SPI_connect();
	for (int64 i = 0; i < rounds; i++)
	{
		MemoryContextSwitchTo(round_memory);
		execute_before(before);
		steps_until = first + (random > 0 ? pg_prng_uint64(&prng) % count : i);
		play_round(&work);
		MemoryContextReset(round_memory);
	}
	SPI_finish();
	MemoryContextSwitchTo(memory);
	return result_of_run(fcinfo);
}

/*
 * step_through(function regprocedure, argument integer,
 *		expected text, kinds text, seed bigint)
 *
 * Calls a function of an integer once, and raises something at each instruction
 * of the guest.
 */
PG_FUNCTION_INFO_V1(step_through);
PGDLLEXPORT Datum
step_through(PG_FUNCTION_ARGS)
{
	Work		work = {.expected = text_to_cstring(PG_GETARG_TEXT_PP(2)),.errors = ""};
	Callee		callee;

	prepare_call(&work, &callee, PG_GETARG_OID(0), PG_GETARG_INT32(1));
	start_run(text_to_cstring(PG_GETARG_TEXT_PP(3)), PG_GETARG_INT64(4), 1);
	steps_until = 0;
	play_round(&work);
	return result_of_run(fcinfo);
}

#endif							/* CAN_STEP */

/*
 * barriers(count integer) returns float8
 *
 * Waits so many times until all processes of the server have absorbed a
 * barrier; returns the longest time in ms.
 */
PG_FUNCTION_INFO_V1(barriers);
PGDLLEXPORT Datum
barriers(PG_FUNCTION_ARGS)
{
	int32		count = PG_GETARG_INT32(0);
	double		longest = 0;

	for (int32 i = 0; i < count; i++)
	{
		instr_time	start,
					took;

		INSTR_TIME_SET_CURRENT(start);
		WaitForProcSignalBarrier(EmitProcSignalBarrier(PROCSIGNAL_BARRIER_SMGRRELEASE));
		INSTR_TIME_SET_CURRENT(took);
		INSTR_TIME_SUBTRACT(took, start);
		longest = Max(longest, INSTR_TIME_GET_MILLISEC(took));
	}
	PG_RETURN_FLOAT8(longest);
}
