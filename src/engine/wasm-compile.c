/*
 * wasm-compile.c
 *		The program that parses and compiles modules for backends.
 *
 * Neither can be interrupted or bounded within a process that must live on.
 * Here both may fail, run out of memory or go on for ever: the program limits
 * its own resources, dies with its backend, and can open no file.
 * helper.h says how it is called.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __linux__
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#include "engine/component.h"
#include "engine/config.h"
#include "engine/helper.h"
#include "engine/text.h"

/* Modules below this size are compiled by one thread */
#define PARALLEL_SIZE (64 * 1024)
#define THREADS_MAX 4

/* Components within components are looked at so deep; the engine refuses more. */
#define DEPTH_MAX 100

#define FAIL 1

/* --- resources --- */

static void
close_inherited_files(void)
{
#if defined(__linux__) && defined(SYS_close_range)
	if (syscall(SYS_close_range, STDERR_FILENO + 1, UINT_MAX, 0) == 0)
		return;
#endif
	for (long fd = sysconf(_SC_OPEN_MAX) - 1; fd > STDERR_FILENO; fd--)
		close((int) fd);
}

/* The parent may have died before the signal was asked for. */
static void
die_with_parent(pid_t parent)
{
#ifdef __linux__
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	if (getppid() != parent)
		_exit(FAIL);
}

static void
limit(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit now;

	if (getrlimit(resource, &now) != 0)
		_exit(FAIL);
	if (now.rlim_max == RLIM_INFINITY || now.rlim_max > hard)
		now.rlim_max = hard;
	now.rlim_cur = now.rlim_max < soft ? now.rlim_max : soft;
	if (setrlimit(resource, &now) != 0)
		_exit(FAIL);
}

/* When the system's memory runs out, this process is to end, and no backend. */
static void
be_killed_first(void)
{
#ifdef __linux__
	int			fd = open("/proc/self/oom_score_adj", O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, "1000", 4) < 0)
	{
		/* as good as the system allows */
	}
	close(fd);
#endif
}

static long
thread_count(void)
{
	long		processors = sysconf(_SC_NPROCESSORS_ONLN);

	return processors < 1 ? 1 : processors > THREADS_MAX ? THREADS_MAX : processors;
}

static void
limit_resources(const char *memory_kb, const char *seconds)
{
	rlim_t		memory = (rlim_t) strtoull(memory_kb, NULL, 10) * 1024;
	rlim_t		time = (rlim_t) strtoull(seconds, NULL, 10) * thread_count();
	char		threads[8];

	limit(RLIMIT_CORE, 0, 0);
	limit(RLIMIT_NOFILE, STDERR_FILENO + 1, STDERR_FILENO + 1);
	limit(RLIMIT_AS, memory, memory);
	/* at the soft limit comes SIGXCPU, which tells the backend the cause */
	limit(RLIMIT_CPU, time, time + 1);
#ifdef M_ARENA_MAX
	/* an arena takes 64 MB of address space */
	mallopt(M_ARENA_MAX, 2);
#endif
	snprintf(threads, sizeof(threads), "%ld", thread_count());
	setenv("RAYON_NUM_THREADS", threads, 1);
}

/* --- pipes --- */

/* All of standard input. */
static wasm_byte_vec_t
read_module(void)
{
	size_t		room = 64 * 1024;
	wasm_byte_vec_t module = {0, malloc(room)};

	while (module.data != NULL)
	{
		ssize_t		n = read(STDIN_FILENO, module.data + module.size, room - module.size);

		if (n == 0)
			return module;
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0)
			module.size += n;
		if (module.size == room)
			module.data = realloc(module.data, room *= 2);
	}
	abort();
}

static void
write_all(const void *bytes, size_t length)
{
	while (length > 0)
	{
		ssize_t		n = write(STDOUT_FILENO, bytes, length);

		if (n < 0 && errno != EINTR)
			_exit(FAIL);
		if (n > 0)
		{
			bytes = (const char *) bytes + n;
			length -= n;
		}
	}
}

static void
send_reply(const PgwReply *head, const void *payload)
{
	write_all(head, sizeof(*head));
	write_all(payload, head->length);
	_exit(0);
}

static void
reply_artifact(const PgwLayout *layout, const void *payload, size_t length)
{
	PgwReply	head = {PGW_REPLY_MAGIC, PGW_REPLY_ARTIFACT, length, *layout};

	send_reply(&head, payload);
}

static void
reply(PgwReplyKind kind, const void *payload, size_t length)
{
	PgwReply	head = {PGW_REPLY_MAGIC, kind, length};

	send_reply(&head, payload);
}

static void
reply_error(PgwReplyKind kind, const wasmtime_error_t *error)
{
	wasm_byte_vec_t message;

	wasmtime_error_message(error, &message);
	reply(kind, message.data, strnlen(message.data, message.size));
}

/* --- limits on sections --- */

/* An unsigned LEB128 number of at most 32 bits; false when there is none. */
static bool
read_number(const uint8_t **at, const uint8_t *end, uint32_t *number)
{
	uint64_t	value = 0;

	for (int shift = 0; shift < 35 && *at < end; shift += 7)
	{
		uint8_t		byte = *(*at)++;

		value |= (uint64_t) (byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
		{
			*number = (uint32_t) value;
			return value <= UINT32_MAX;
		}
	}
	return false;
}

static void
check_functions(uint32_t count, const uint8_t *at, const uint8_t *end)
{
	uint32_t	size;

	for (uint32_t i = 0; i < count && read_number(&at, end, &size) && size <= end - at; i++)
	{
		uint64_t	found[2] = {i, size};

		if (size > PGW_FUNCTION_SIZE_MAX)
			reply(PGW_REPLY_FUNCTION_SIZE, found, sizeof(found));
		at += size;
	}
}

/* What is malformed here is left to the engine to explain. */
static void
check_section(uint8_t id, const uint8_t *at, const uint8_t *end)
{
	uint32_t	count;

	if (id == PGW_SECTION_CUSTOM || id == PGW_SECTION_START || !read_number(&at, end, &count))
		return;
	if (count > PGW_ENTRIES_MAX)
	{
		uint64_t	found[2] = {id, count};

		reply(PGW_REPLY_ENTRIES, found, sizeof(found));
	}
	if (id == PGW_SECTION_CODE)
		check_functions(count, at, end);
}

static void
check_sections(const uint8_t *module, size_t length, int depth)
{
	bool		is_component = pgw_is_component((const char *) module, length);
	const uint8_t *at = module + 8;
	const uint8_t *end = module + length;

	while (length > 8 && depth < DEPTH_MAX && at < end)
	{
		uint8_t		id = *at++;
		uint32_t	size;

		if (!read_number(&at, end, &size) || size > end - at)
			return;
		if (!is_component)
			check_section(id, at, at + size);
		else if (id == PGW_SECTION_MODULE || id == PGW_SECTION_COMPONENT)
			check_sections(at, size, depth + 1);
		at += size;
	}
}

/* --- what is asked for --- */

static void
to_binary(wasm_byte_vec_t *module)
{
	wasm_byte_vec_t binary;
	wasmtime_error_t *error;

	if (!pgw_is_wat(module->data, module->size))
		return;
	error = wasmtime_wat2wasm(module->data, module->size, &binary);
	if (error != NULL)
		reply_error(PGW_REPLY_WAT_ERROR, error);
	free(module->data);
	*module = binary;
}

static wasm_engine_t *
make_engine(PgwMode mode, bool parallel)
{
	wasm_config_t *config = pgw_config_new(mode);

	wasmtime_config_parallel_compilation_set(config, parallel);
	return wasm_engine_new_with_config(config);
}

static void
validate(const wasm_byte_vec_t *module)
{
	bool		is_component = pgw_is_component(module->data, module->size);
	wasm_engine_t *engine = make_engine(PGW_MODE_EPOCHS | (is_component ? PGW_MODE_COMPONENT : 0), false);
	wasmtime_error_t *error;

	if (is_component)
		error = pgw_component_validate(engine, (const uint8_t *) module->data, module->size);
	else
		error = wasmtime_module_validate(engine, (const uint8_t *) module->data, module->size);
	if (error != NULL)
		reply_error(PGW_REPLY_INVALID, error);
	reply(PGW_REPLY_ARTIFACT, NULL, 0);
}

/* Replies, or returns why it cannot; NULL: the engine mixes other code with the guest's. */
static wasmtime_error_t *
try_compile(const wasm_byte_vec_t *module, PgwMode mode)
{
	wasm_engine_t *engine = make_engine(mode, module->size >= PARALLEL_SIZE);
	PgwLayout	layout = {.mode = mode};
	wasmtime_module_t *compiled;
	wasm_byte_vec_t artifact;
	wasmtime_error_t *error;

	error = wasmtime_module_new(engine, (const uint8_t *) module->data, module->size, &compiled);
	if (error == NULL)
		error = wasmtime_module_serialize(compiled, &artifact);
	if (error == NULL && ((mode & PGW_MODE_EPOCHS) || pgw_layout_find(artifact.data, &layout)))
		reply_artifact(&layout, artifact.data, artifact.size);
	return error;
}

/* Replies, or returns why it cannot.  Components poll epochs. */
static wasmtime_error_t *
compile_component(const wasm_byte_vec_t *component, PgwMode mode)
{
	PgwLayout	layout = {.mode = mode | PGW_MODE_EPOCHS | PGW_MODE_COMPONENT};
	wasm_engine_t *engine = make_engine(layout.mode, component->size >= PARALLEL_SIZE);
	wasm_byte_vec_t artifact;
	wasmtime_error_t *error;

	error = pgw_component_compile(engine, (const uint8_t *) component->data, component->size, &artifact);
	if (error == NULL)
		reply_artifact(&layout, artifact.data, artifact.size);
	return error;
}

static void
compile(const wasm_byte_vec_t *module, PgwMode mode)
{
	wasmtime_error_t *error;

	if (pgw_is_component(module->data, module->size))
		reply_error(PGW_REPLY_INVALID, compile_component(module, mode));
	error = try_compile(module, mode);

	/* perhaps it has tail calls; another fault will show again */
	if ((mode & PGW_MODE_EPOCHS) == 0)
		error = try_compile(module, mode | PGW_MODE_EPOCHS);
	reply_error(PGW_REPLY_INVALID, error);
}

int
main(int argc, char **argv)
{
	wasm_byte_vec_t module;

	if (argc != 7)
	{
		static const char usage[] = "wasm-compile is started by PostgreSQL, for the extension wasm.\n";

		return write(STDERR_FILENO, usage, strlen(usage)) < 0 ? FAIL : 2;
	}
	close_inherited_files();
	die_with_parent((pid_t) strtol(argv[2], NULL, 10));
	be_killed_first();
	limit_resources(argv[5], argv[6]);

	module = read_module();
	if (strcmp(argv[1], PGW_BUILD) != 0)
		reply(PGW_REPLY_BUILD, PGW_BUILD, strlen(PGW_BUILD));
	to_binary(&module);
	check_sections((const uint8_t *) module.data, module.size, 0);
	if (strcmp(argv[3], PGW_ACTION_VALIDATE) == 0)
		validate(&module);
	else
		compile(&module, (PgwMode) strtoul(argv[4], NULL, 10));
	return FAIL;
}
