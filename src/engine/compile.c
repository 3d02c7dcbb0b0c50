/*
 * compile.c
 *		Runs the program wasm-compile: no backend parses or compiles a module.
 *
 * The program is a child of this backend, on two pipes.  The backend waits on
 * its latch and serves interrupts; whatever ends the wait, an error or the
 * backend's own end, kills and reaps the child.  How many run in the cluster is
 * bounded by slots, which are locks of PostgreSQL's lock manager: waiting for
 * one can be interrupted, shows in pg_locks, and ends with the holder.
 */
#include "postgres.h"

#include "engine/compile.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compat.h"
#include "engine/error.h"
#include "engine/lock.h"
#include "engine/text.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Room in a pipe, where the system lets us choose */
#define PGW_PIPE_SIZE (1024 * 1024)

/* How often, in milliseconds, a child is looked at that is to end of itself */
#define PGW_REAP_MS 5

typedef struct Helper
{
	pid_t		pid;			/* 0: not running */
	int			input;			/* our ends of its pipes; -1: closed */
	int			output;
	int			nfiles;			/* counted by AcquireExternalFD() */
	LOCKTAG		slot;
	bool		has_slot;
	TimestampTz deadline;
	const PgwLimits *limits;
} Helper;

/* --- limits --- */

void
pgw_compile_check_size(size_t length, const PgwLimits *limits)
{
	size_t		limit = (size_t) limits->module_size * 1024;

	if (length > limit)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("WebAssembly module is too large"),
				 errdetail("It has %zu bytes; wasm.module_size_limit allows %zu.", length, limit)));
}

/* --- the child --- */

static void
close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Kills and reaps the child, if it runs.  Never throws. */
static void
stop_helper(int code, Datum arg)
{
	Helper	   *helper = (Helper *) DatumGetPointer(arg);

	close_end(&helper->input);
	close_end(&helper->output);
	for (; helper->nfiles > 0; helper->nfiles--)
		ReleaseExternalFD();
	if (helper->pid != 0)
	{
		kill(helper->pid, SIGKILL);
		while (waitpid(helper->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	helper->pid = 0;
	/* a backend that ends gives its locks back later */
	if (helper->has_slot && code == 0)
		pgw_lock_release(&helper->slot);
	helper->has_slot = false;
}

static void
make_pipe(Helper *helper, int ends[2])
{
	ReserveExternalFD();
	helper->nfiles++;
	if (pipe2(ends, O_CLOEXEC) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not create a pipe: %m")));
#ifdef F_SETPIPE_SZ
	fcntl(ends[0], F_SETPIPE_SZ, PGW_PIPE_SIZE);
#endif
}

/* Starts the program with those arguments on the child's ends of the pipes. */
static int
spawn(Helper *helper, char *const arguments[], int input, int output)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t	none;
	sigset_t	all;
	char		path[MAXPGPATH];
	int			result;

	snprintf(path, sizeof(path), "%s/%s", pkglib_path, PGW_HELPER);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	result = posix_spawn(&helper->pid, path, &files, &attributes, arguments, environ);
	if (result != 0)
		helper->pid = 0;
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return result;
}

static void
start_helper(Helper *helper, const char *action, PgwMode mode)
{
	char		parent[16];
	char		modes[16];
	char		memory[16];
	char		seconds[16];
	char	   *const arguments[] = {PGW_HELPER, PGW_BUILD, parent, (char *) action, modes, memory, seconds, NULL};
	int			input[2];
	int			output[2];
	int			result;

	snprintf(parent, sizeof(parent), "%d", (int) getpid());
	snprintf(modes, sizeof(modes), "%u", mode);
	snprintf(memory, sizeof(memory), "%d", helper->limits->compile_memory);
	snprintf(seconds, sizeof(seconds), "%d", helper->limits->compile_timeout / 1000 + 2);

	make_pipe(helper, input);
	helper->input = input[1];
	PG_TRY();
	{
		make_pipe(helper, output);
	}
	PG_CATCH();
	{
		close(input[0]);
		PG_RE_THROW();
	}
	PG_END_TRY();
	helper->output = output[0];
	result = spawn(helper, arguments, input[0], output[1]);
	close(input[0]);
	close(output[1]);
	if (result != 0)
	{
		errno = result;
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("could not start the program \"%s/%s\": %m", pkglib_path, PGW_HELPER),
				 errhint("It is installed with the extension, and compiles WebAssembly modules.")));
	}
	fcntl(helper->input, F_SETFL, O_NONBLOCK);
	fcntl(helper->output, F_SETFL, O_NONBLOCK);
}

static void pg_attribute_noreturn()
refuse_time(const Helper *helper)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("compiling a WebAssembly module took too long"),
			 errdetail("wasm.compile_timeout allows %d ms.", helper->limits->compile_timeout)));
}

/*
 * Waits until the pipe is ready, or for at most that many milliseconds; serves
 * interrupts.
 */
static void
wait_for(const Helper *helper, int fd, int event, long most)
{
	long		left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), helper->deadline);

	if (left <= 0)
		refuse_time(helper);
	if (WaitLatchOrSocket(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | WL_TIMEOUT | event,
						  fd, Min(left, most), pgw_wait_event_compile()) & WL_LATCH_SET)
		ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/* The child may end before it has read all: why, its reply or its end will tell. */
static void
send_module(Helper *helper, const char *bytes, size_t length)
{
	while (length > 0)
	{
		ssize_t		n = write(helper->input, bytes, length);

		if (n > 0)
		{
			bytes += n;
			length -= n;
		}
		else if (n < 0 && errno == EPIPE)
			break;
		else if (n < 0 && errno == EAGAIN)
			wait_for(helper, helper->input, WL_SOCKET_WRITEABLE, LONG_MAX);
		else if (n < 0 && errno != EINTR)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not write to the program %s: %m", PGW_HELPER)));
	}
	close_end(&helper->input);
}

/* Reads that many bytes; false when the child's output ends before. */
static bool
receive(Helper *helper, void *bytes, size_t length)
{
	while (length > 0)
	{
		ssize_t		n = read(helper->output, bytes, length);

		if (n == 0)
			return false;
		if (n > 0)
		{
			bytes = (char *) bytes + n;
			length -= n;
		}
		else if (errno == EAGAIN)
			wait_for(helper, helper->output, WL_SOCKET_READABLE, LONG_MAX);
		else if (errno != EINTR)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not read from the program %s: %m", PGW_HELPER)));
	}
	return true;
}

/* Reaps the child, which has closed its output and so should be about to end. */
static int
await_end(Helper *helper)
{
	int			status = 0;

	while (waitpid(helper->pid, &status, WNOHANG) == 0)
		wait_for(helper, PGINVALID_SOCKET, 0, PGW_REAP_MS);
	helper->pid = 0;
	return status;
}

/* The child closed its output without a whole reply: says why, as an error. */
static void pg_attribute_noreturn()
explain_end(Helper *helper)
{
	int			status = await_end(helper);

	/* a cancel or timeout is a signal to the whole process group */
	CHECK_FOR_INTERRUPTS();
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		refuse_time(helper);
	if (WIFSIGNALED(status))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("could not compile WebAssembly module"),
				 errdetail("The program %s was terminated by signal %d: %s.",
						   PGW_HELPER, WTERMSIG(status), pg_strsignal(WTERMSIG(status))),
				 errhint("The module may need more memory than wasm.compile_memory_limit allows, which is %d MB.",
						 helper->limits->compile_memory / 1024)));
	ereport(ERROR,
			(errcode(ERRCODE_SYSTEM_ERROR),
			 errmsg("could not compile WebAssembly module"),
			 errdetail("The program %s ended with exit code %d and without a reply.",
					   PGW_HELPER, WEXITSTATUS(status))));
}

static void pg_attribute_noreturn()
refuse_reply(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYSTEM_ERROR),
			 errmsg("could not compile WebAssembly module"),
			 errdetail("The program %s gave a reply that makes no sense.", PGW_HELPER)));
}

/* Returns the payload, palloc'd and followed by a zero byte. */
static char *
receive_reply(Helper *helper, PgwReply *reply)
{
	char	   *payload;

	if (!receive(helper, reply, sizeof(*reply)))
		explain_end(helper);
	if (reply->magic != PGW_REPLY_MAGIC || reply->kind > PGW_REPLY_BUILD ||
		reply->length > (uint64) helper->limits->compile_memory * 1024)
		refuse_reply();
	payload = MemoryContextAllocHuge(CurrentMemoryContext, reply->length + 1);
	if (!receive(helper, payload, reply->length))
		explain_end(helper);
	payload[reply->length] = '\0';
	return payload;
}

/* --- replies --- */

static void pg_attribute_noreturn()
refuse_limits(const PgwReply *reply, const char *payload)
{
	static const char *const entries[] = {
		NULL, "types", "imports", "functions", "tables", "memories", "globals", "exports",
		NULL, "element segments", "functions", "data segments"
	};
	uint64		found[2] = {0, 0};

	memcpy(found, payload, Min(reply->length, sizeof(found)));
	if (reply->kind == PGW_REPLY_ENTRIES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("WebAssembly module has too many %s",
						found[0] < lengthof(entries) && entries[found[0]] ? entries[found[0]] : "entries in a section"),
				 errdetail("It has %llu; %d are allowed.",
						   (unsigned long long) found[1], PGW_ENTRIES_MAX)));
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("WebAssembly module has a function that is too large"),
			 errdetail("The code of function %llu, counted without imports, has %llu bytes; %d are allowed.",
					   (unsigned long long) found[0], (unsigned long long) found[1], PGW_FUNCTION_SIZE_MAX)));
}

/* Throws what the reply says, as an error about that module. */
static void
check_reply(const PgwReply *reply, const char *payload, const char *bytes, size_t length)
{
	switch ((PgwReplyKind) reply->kind)
	{
		case PGW_REPLY_ARTIFACT:
			return;
		case PGW_REPLY_WAT_ERROR:
			pgw_error_throw_wat(payload, bytes, length);
			break;
		case PGW_REPLY_INVALID:
			pgw_error_throw_invalid(payload);
			break;
		case PGW_REPLY_ENTRIES:
		case PGW_REPLY_FUNCTION_SIZE:
			refuse_limits(reply, payload);
			break;
		case PGW_REPLY_BUILD:
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("the program %s is of another build than the extension's library in use", PGW_HELPER),
					 errhint("After an upgrade of the extension, connect again, or restart a server that preloads the library.")));
			break;
	}
	refuse_reply();
}

/* Runs the program to its reply; the payload is palloc'd. */
static char *
run(const char *action, PgwMode mode, const char *bytes, size_t length, const PgwLimits *limits, PgwReply *reply)
{
	Helper		helper = {.input = -1,.output = -1,.limits = limits};
	char	   *payload;

	PG_ENSURE_ERROR_CLEANUP(stop_helper, PointerGetDatum(&helper));
	{
		pgw_lock_slot(&helper.slot);
		helper.has_slot = true;
		helper.deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), limits->compile_timeout);
		start_helper(&helper, action, mode);
		send_module(&helper, bytes, length);
		payload = receive_reply(&helper, reply);
	}
	PG_END_ENSURE_ERROR_CLEANUP(stop_helper, PointerGetDatum(&helper));
	stop_helper(0, PointerGetDatum(&helper));
	return payload;
}

char *
pgw_compile(const char *bytes, size_t length, const PgwLimits *limits,
			PgwMode mode, size_t *artifact_length, PgwLayout *layout)
{
	PgwReply	reply;
	char	   *payload;

	pgw_compile_check_size(length, limits);
	payload = run(PGW_ACTION_COMPILE, mode, bytes, length, limits, &reply);
	check_reply(&reply, payload, bytes, length);
	*artifact_length = reply.length;
	*layout = reply.layout;
	return payload;
}

bool
pgw_compile_validate(const char *bytes, size_t length, const PgwLimits *limits)
{
	PgwReply	reply;
	char	   *payload;

	pgw_compile_check_size(length, limits);
	payload = run(PGW_ACTION_VALIDATE, 0, bytes, length, limits, &reply);
	if (reply.kind == PGW_REPLY_BUILD)
		check_reply(&reply, payload, bytes, length);
	pfree(payload);
	return reply.kind == PGW_REPLY_ARTIFACT;
}
