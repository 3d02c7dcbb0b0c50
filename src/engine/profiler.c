/*
 * profiler.c
 *		Telling perf which code is which function of a guest.
 *
 * The engine writes the file, one for each process, whenever it loads a module.
 * It opens the file by name, follows symbolic links, appends to what is there,
 * and aborts the process when it cannot.  So the file is made here first, new
 * and the server's own; in a directory with the sticky bit, which /tmp is,
 * nobody else can put another in its place.
 *
 * The file stays when the session ends: perf reads it later.
 */
#include "postgres.h"

#include "engine/profiler.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guc.h"
#include "storage/fd.h"

#if defined(WASMTIME_FEATURE_PROFILING) && defined(__linux__)
#define HAVE_JITDUMP true
#else
#define HAVE_JITDUMP false
#endif

static void
file_name(PgwProfiler profiler, char *path)
{
	if (profiler == PGW_PROFILER_PERFMAP)
		snprintf(path, MAXPGPATH, "/tmp/perf-%d.map", (int) getpid());
	else
		snprintf(path, MAXPGPATH, "./jit-%d.dump", (int) getpid());
}

/* A jitdump file is mapped as if it were code: that is how perf hears of it. */
static bool
can_be_mapped(int fd)
{
	long		length = sysconf(_SC_PAGESIZE);
	void	   *address = mmap(NULL, length, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	return address != MAP_FAILED && munmap(address, length) == 0;
}

/* Makes the file, empty; false, with errno, where the engine could not use it. */
static bool
make_file(PgwProfiler profiler, const char *path)
{
	int			fd;
	bool		usable;
	int			error;

	/* a process that had our id may have left one */
	(void) unlink(path);
	fd = OpenTransientFilePerm(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | PG_BINARY, 0600);
	if (fd < 0)
		return false;
	usable = profiler == PGW_PROFILER_PERFMAP || can_be_mapped(fd);
	error = errno;
	CloseTransientFile(fd);
	if (!usable)
		(void) unlink(path);
	errno = error;
	return usable;
}

/* What the session is to use from now on. */
static PgwProfiler
choose(void)
{
	PgwProfiler wanted = pgw_profiler;
	char		path[MAXPGPATH];

	if (wanted == PGW_PROFILER_NONE)
		return wanted;
	if (wanted == PGW_PROFILER_JITDUMP && !HAVE_JITDUMP)
	{
		ereport(WARNING,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("WebAssembly functions are not profiled in this session"),
				 errdetail("The engine of this build writes no jitdump files.")));
		return PGW_PROFILER_NONE;
	}
	file_name(wanted, path);
	if (make_file(wanted, path))
		return wanted;
	ereport(WARNING,
			(errcode_for_file_access(),
			 errmsg("WebAssembly functions are not profiled in this session"),
			 errdetail("Could not create file \"%s\": %m.", path)));
	return PGW_PROFILER_NONE;
}

void
pgw_profiler_configure(wasm_config_t *config)
{
	static const wasmtime_profiling_strategy_t strategies[] = {
		[PGW_PROFILER_NONE] = WASMTIME_PROFILING_STRATEGY_NONE,
		[PGW_PROFILER_PERFMAP] = WASMTIME_PROFILING_STRATEGY_PERFMAP,
		[PGW_PROFILER_JITDUMP] = WASMTIME_PROFILING_STRATEGY_JITDUMP,
	};
	static PgwProfiler chosen = PGW_PROFILER_NONE;

	if (!pgw_profiler_fixed)
	{
		chosen = choose();
		pgw_profiler_fixed = true;
	}
	wasmtime_config_profiler_set(config, strategies[chosen]);
}
