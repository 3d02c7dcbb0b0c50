/*
 * interrupt.c
 *		Cancel, timeout and termination reach a running guest; signals stay the
 *		engine's.
 *
 * Without a thread and without a tick: PostgreSQL's handlers of SIGINT,
 * SIGTERM, SIGUSR1 and SIGALRM are wrapped.  When one of them leaves
 * InterruptPending set while a guest runs, there are two ways to serve the
 * interrupt, as CHECK_FOR_INTERRUPTS() does anywhere else:
 *
 * A guest that was interrupted in its own code has left PostgreSQL in the state
 * of a call that it made: the signal handler itself serves.  When that threw, the guest is redirected to a trap.  Code that the
 * guest had called is let go on; the guest is held where that comes back.
 *
 * A guest whose code polls an epoch is reached by incrementing that: at its next
 * loop or call it enters the deadline callback.  The engine computes the next
 * deadline from the epoch that is current after the callback has returned, so
 * an increment between the callback's check and that moment has no effect.
 *
 * Wherever the signal came, as long as the interrupt is pending, a one-shot
 * timer brings another SIGALRM here.  PostgreSQL tolerates spurious alarms.
 */
#include "postgres.h"

#include "engine/interrupt.h"

#include <time.h>
#include <ucontext.h>

#include "engine/config.h"
#include "engine/error.h"
#include "engine/redirect.h"
#include "fmgr.h"

/* When to try again: soon where the guest was in the engine's code or entered it */
#define PGW_RETRY_SOON_NS (200 * 1000L)
#define PGW_RETRY_NS (5 * 1000 * 1000L)

sig_atomic_t pgw_guest_calls = 0;

/* All that were made */
static wasm_engine_t *watched_engines[PGW_MODES];
static int	nwatched = 0;
static timer_t retry_timer;

/* Signals whose PostgreSQL handler may set InterruptPending. */
static const int wrapped_signals[] = {SIGINT, SIGTERM, SIGUSR1, SIGALRM};

/* Signals by which the engine learns of a trap. */
static const int trap_signals[] = {SIGSEGV, SIGILL, SIGFPE, SIGBUS};

/* Libraries that never replace a signal handler, nor does PostgreSQL once it serves */
static const char *const harmless_libraries[] = {"wasm", "plpgsql", "pg_stat_statements", "auto_explain"};

typedef struct WrappedSignal
{
	struct sigaction first;		/* found when the engine started */
	struct sigaction previous;	/* found when last wrapped */
	volatile sig_atomic_t depth;
} WrappedSignal;

static WrappedSignal wrapped[NSIG];
static struct sigaction trap_actions[NSIG];

/* The engine's handler of SIGSEGV; ours comes before it. */
static struct sigaction engine_fault_action;

static void
retry_in(long ns)
{
	struct itimerspec once = {.it_value.tv_nsec = ns};

	timer_settime(retry_timer, 0, &once, NULL);
}

void
pgw_interrupt_retry(void)
{
	for (int i = 0; i < nwatched; i++)
		wasmtime_engine_increment_epoch(watched_engines[i]);
	if (InterruptHoldoffCount == 0 && CritSectionCount == 0)
		pgw_redirect_hold();
	retry_in(PGW_RETRY_SOON_NS);
}

/* Is the backend about to end at the next CHECK_FOR_INTERRUPTS()? */
static bool
is_about_to_end(void)
{
	return ProcDiePending && InterruptHoldoffCount == 0 &&
		CritSectionCount == 0 && QueryCancelHoldoffCount == 0;
}

void
pgw_interrupt_check(void)
{
	if (is_about_to_end())
		ereport(ERROR,
				(errcode(ERRCODE_ADMIN_SHUTDOWN),
				 errmsg("terminating connection due to administrator command")));
	CHECK_FOR_INTERRUPTS();
}

/*
 * Serves interrupts in the middle of a guest.  Returns false when the guest is
 * to be unwound: then pgw_error_throw() throws what was thrown here.
 *
 * A backend that is to end does not leave from here by proc_exit(), with the
 * engine's frames live, where that can be avoided: pgw_error_throw() does it
 * when the guest has been unwound.
 */
static bool
serve(void)
{
	MemoryContext caller = CurrentMemoryContext;
	volatile bool served = true;

	if (is_about_to_end())
		return false;

	PG_TRY();
	{
		CHECK_FOR_INTERRUPTS();
	}
	PG_CATCH();
	{
		pgw_error_capture(caller);
		served = false;
	}
	PG_END_TRY();
	return served;
}

/*
 * Reaches the guest that a signal handler has interrupted, or something that it
 * called.  A handler that serves is what any function called by the guest would
 * be: signals are let in again as they were.
 */
static void
reach_guest(ucontext_t *context)
{
	if (!pgw_redirect_in_guest(context))
	{
		pgw_interrupt_retry();
		return;
	}
	sigprocmask(SIG_SETMASK, &context->uc_sigmask, NULL);
	if (!serve())
		pgw_redirect(context);
	else if (InterruptPending)
		retry_in(PGW_RETRY_NS);
}

static void
call_handler(const struct sigaction *action, int signo, siginfo_t *info, void *context)
{
	if (action->sa_flags & SA_SIGINFO)
		action->sa_sigaction(signo, info, context);
	else if (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN)
		action->sa_handler(signo);
}

/*
 * A handler installed over ours may call ours as its own predecessor: the
 * second entry goes to the handler that was there first.
 */
static void
wrapping_handler(int signo, siginfo_t *info, void *context)
{
	int			save_errno = errno;
	WrappedSignal *signal = &wrapped[signo];

	if (signal->depth > 0)
		call_handler(&signal->first, signo, info, context);
	else
	{
		signal->depth++;
		call_handler(&signal->previous, signo, info, context);
		signal->depth--;
	}
	if (InterruptPending && pgw_guest_calls > 0)
		reach_guest(context);
	errno = save_errno;
}

/*
 * A guest has been held where it came back to its own code.  This runs on the
 * engine's signal stack, where nothing can be served: the alarm comes when this
 * returns, since signals are blocked here.  In a trampoline, which may share a
 * page with that, the guest must get further first.
 */
static void
fault_handler(int signo, siginfo_t *info, void *context)
{
	int			save_errno = errno;

	if (!pgw_redirect_held(info, context))
		call_handler(&engine_fault_action, signo, info, context);
	else if (pgw_redirect_in_guest(context))
		kill(MyProcPid, SIGALRM);
	else
		retry_in(PGW_RETRY_SOON_NS);
	errno = save_errno;
}

/* After the engine has installed its own */
static void
install_fault_handler(void)
{
	struct sigaction action;

	sigaction(SIGSEGV, NULL, &engine_fault_action);
	action = engine_fault_action;
	action.sa_flags |= SA_SIGINFO;
	action.sa_sigaction = fault_handler;
	for (int i = 0; i < lengthof(wrapped_signals); i++)
		sigaddset(&action.sa_mask, wrapped_signals[i]);
	sigaction(SIGSEGV, &action, NULL);
}

static bool
same_handler(const struct sigaction *a, const struct sigaction *b)
{
	if ((a->sa_flags & SA_SIGINFO) != (b->sa_flags & SA_SIGINFO))
		return false;
	if (a->sa_flags & SA_SIGINFO)
		return a->sa_sigaction == b->sa_sigaction;
	return a->sa_handler == b->sa_handler;
}

/* Wraps the handler of a signal unless it is wrapped already. */
static void
wrap(int signo)
{
	struct sigaction action;

	if (sigaction(signo, NULL, &action) != 0)
		elog(ERROR, "could not query the handler of signal %d: %m", signo);
	if ((action.sa_flags & SA_SIGINFO) && action.sa_sigaction == wrapping_handler)
		return;
	wrapped[signo].previous = action;
	action.sa_flags |= SA_SIGINFO;
	action.sa_sigaction = wrapping_handler;
	if (sigaction(signo, &action, NULL) != 0)
		elog(ERROR, "could not wrap the handler of signal %d: %m", signo);
}

void
pgw_interrupt_init(wasm_engine_t *engine)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,.sigev_signo = SIGALRM};

	if (nwatched > 0)
	{
		watched_engines[nwatched++] = engine;
		return;
	}
	if (timer_create(CLOCK_MONOTONIC, &event, &retry_timer) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("could not create a timer: %m")));
	watched_engines[nwatched++] = engine;
	install_fault_handler();
	for (int i = 0; i < lengthof(trap_signals); i++)
		sigaction(trap_signals[i], NULL, &trap_actions[trap_signals[i]]);
	for (int i = 0; i < lengthof(wrapped_signals); i++)
	{
		wrap(wrapped_signals[i]);
		wrapped[wrapped_signals[i]].first = wrapped[wrapped_signals[i]].previous;
	}
}

static bool
is_harmless(const char *library)
{
	const char *slash = last_dir_separator(library);
	const char *name = slash != NULL ? slash + 1 : library;

	for (int i = 0; i < lengthof(harmless_libraries); i++)
	{
		size_t		length = strlen(harmless_libraries[i]);

		if (strncmp(name, harmless_libraries[i], length) == 0 && strcmp(name + length, DLSUFFIX) == 0)
			return true;
	}
	return false;
}

/*
 * Has the backend code that may replace a signal handler at any time?  Libraries are
 * never unloaded: as long as their names take as much room, they are the same.
 */
static bool
has_other_libraries(void)
{
	static Size known = 0;
	static bool others = true;
	Size		size = EstimateLibraryStateSpace();
	char	   *names;

	if (size == known)
		return others;
	names = palloc(size);
	SerializeLibraryState(size, names);
	others = false;
	for (const char *name = names; *name != '\0'; name += strlen(name) + 1)
		others = others || !is_harmless(name);
	pfree(names);
	known = size;
	return others;
}

void
pgw_interrupt_restore(void)
{
	struct sigaction current;

	if (!has_other_libraries())
		return;
	for (int i = 0; i < lengthof(trap_signals); i++)
	{
		int			signo = trap_signals[i];

		if (sigaction(signo, NULL, &current) == 0 &&
			!same_handler(&current, &trap_actions[signo]))
			sigaction(signo, &trap_actions[signo], NULL);
	}
	for (int i = 0; i < lengthof(wrapped_signals); i++)
		wrap(wrapped_signals[i]);
}

#ifdef PGW_TEST_LATE_SIGNAL
/*
 * Test builds only: raises a cancel after the callback's check, where an
 * increment of the epoch is lost.
 */
static void
raise_late_signal(void)
{
	static bool raised = false;

	if (!raised)
	{
		raised = true;
		raise(SIGINT);
	}
}
#endif

/*
 * Called by a guest when the epoch has moved.  Returns an error, which unwinds
 * the guest, when an interrupt threw; NULL to let the guest go on.
 */
static wasmtime_error_t *
on_deadline(wasmtime_context_t *context, void *data, uint64_t *delta,
			wasmtime_update_deadline_kind_t *kind)
{
	if (!serve())
		return wasmtime_error_new("interrupted");

#ifdef PGW_TEST_LATE_SIGNAL
	raise_late_signal();
#endif
	*delta = 1;
	*kind = WASMTIME_UPDATE_DEADLINE_CONTINUE;
	return NULL;
}

void
pgw_interrupt_watch(wasmtime_store_t *store)
{
	wasmtime_context_set_epoch_deadline(wasmtime_store_context(store), 1);
	wasmtime_store_epoch_deadline_callback(store, on_deadline, NULL, NULL);
}
