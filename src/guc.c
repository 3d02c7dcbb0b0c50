/*
 * guc.c
 *		Every setting of the extension.
 */
#include "postgres.h"

#include "guc.h"

#include <limits.h>

#include "compat.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/memutils.h"

/* A 32-bit linear memory has at most 65,536 pages of 64 kB. */
#define PGW_PAGE_KB 64
#define PGW_MEMORY_MAX_KB (65536 * PGW_PAGE_KB)

/* A body holds two hex digits a byte, and less than 1 GB. */
#define PGW_MODULE_SIZE_MAX_KB (500 * 1024)

/* Below this wasm-compile cannot even start. */
#define PGW_COMPILE_MEMORY_MIN_KB (128 * 1024)

/* The largest number up to which a double has all integers */
#define PGW_FUEL_MAX 9007199254740992.0

PgwLimits	pgw_session_limits;
const PgwLimits pgw_no_limits = {-1, -1, -1, -1, -1, NULL, NULL};

int			pgw_session_memory_limit;
int			pgw_instance_limit;
int			pgw_compile_workers;
int			pgw_cache_size;
int			pgw_stat_max = 5000;
int			pgw_output_level = DEBUG1;
int			pgw_profiler = PGW_PROFILER_NONE;
bool		pgw_profiler_fixed = false;

#ifdef PGW_CAN_REDIRECT
#define PGW_INTERRUPTION_DEFAULT PGW_INTERRUPTION_SIGNAL
#else
#define PGW_INTERRUPTION_DEFAULT PGW_INTERRUPTION_EPOCH
#endif

int			pgw_interruption = PGW_INTERRUPTION_DEFAULT;

void		(*pgw_guc_on_metering) (bool metering) = NULL;
void		(*pgw_guc_on_interruption) (void) = NULL;

static const struct config_enum_entry interruptions[] = {
#ifdef PGW_CAN_REDIRECT
	{"signal", PGW_INTERRUPTION_SIGNAL, false},
#endif
	{"epoch", PGW_INTERRUPTION_EPOCH, false},
	{NULL, 0, false}
};

typedef struct IntSetting
{
	const char *name;
	const char *summary;
	const char *details;		/* or NULL */
	int		   *variable;
	int			boot;
	int			min;
	int			max;
	GucContext	context;
	int			flags;
} IntSetting;

static const IntSetting int_settings[] = {
	{"wasm.memory_limit",
		"Sets the maximum size of the linear memory of one WebAssembly instance.",
		"Instances that exist already keep the limit that they were made with.",
	&pgw_session_limits.memory, 64 * 1024, PGW_PAGE_KB, PGW_MEMORY_MAX_KB, PGC_SUSET, GUC_UNIT_KB},
	{"wasm.module_size_limit",
		"Sets the maximum size of a WebAssembly module, binary or text.", NULL,
	&pgw_session_limits.module_size, 64 * 1024, 1, PGW_MODULE_SIZE_MAX_KB, PGC_SUSET, GUC_UNIT_KB},
	{"wasm.compile_timeout",
		"Sets the maximum time to compile one WebAssembly module.", NULL,
	&pgw_session_limits.compile_timeout, 60 * 1000, 1, INT_MAX, PGC_SUSET, GUC_UNIT_MS},
	{"wasm.compile_memory_limit",
		"Sets the maximum address space of the process that compiles a WebAssembly module.", NULL,
	&pgw_session_limits.compile_memory, 2 * 1024 * 1024, PGW_COMPILE_MEMORY_MIN_KB, INT_MAX, PGC_SUSET, GUC_UNIT_KB},
	{"wasm.session_memory_limit",
		"Sets the maximum sum of the linear memories of all WebAssembly instances of a session.", NULL,
	&pgw_session_memory_limit, 256 * 1024, PGW_PAGE_KB, INT_MAX, PGC_SUSET, GUC_UNIT_KB},
	{"wasm.instance_limit",
		"Sets the maximum number of live WebAssembly instances of a session.",
		"When it is reached, the idle instance that was used longest ago gives way.",
	&pgw_instance_limit, 64, 1, 10000, PGC_SUSET, 0},
	{"wasm.compile_workers",
		"Sets how many WebAssembly modules the server compiles at the same time.", NULL,
	&pgw_compile_workers, 2, 1, 1024, PGC_SIGHUP, 0},
	{"wasm.cache_size",
		"Sets the maximum size of the cache of compiled WebAssembly modules.",
		"Zero switches the cache off.",
	&pgw_cache_size, 1024, 0, INT_MAX, PGC_SIGHUP, GUC_UNIT_MB},
};

static const struct config_enum_entry profilers[] = {
	{"none", PGW_PROFILER_NONE, false},
	{"perfmap", PGW_PROFILER_PERFMAP, false},
	{"jitdump", PGW_PROFILER_JITDUMP, false},
	{NULL, 0, false}
};

static const struct config_enum_entry output_levels[] = {
	{"debug1", DEBUG1, false},
	{"log", LOG, false},
	{"info", INFO, false},
	{"notice", NOTICE, false},
	{"warning", WARNING, false},
	{NULL, 0, false}
};

/* What a session sets is nobody's. */
static char *ignored_environment;
static char *ignored_directories;

static bool
check_environment(char **environment, void **extra, GucSource source)
{
	for (const char *line = *environment; line != NULL && *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n')
	{
		size_t		name = strcspn(line, "=\n");

		if (name > 0 && line[name] == '=')
			continue;
		GUC_check_errdetail("Each line is to be a name, \"=\" and a value.");
		return false;
	}
	return true;
}

/* Is it an absolute path without ".."? */
static bool
is_plain_path(const char *path, int length)
{
	if (length == 0 || *path != '/' || length >= MAXPGPATH)
		return false;
	for (int start = 0, end; start < length; start = end + 1)
	{
		for (end = start; end < length && path[end] != '/'; end++)
			;
		if (end - start == 2 && strncmp(path + start, "..", 2) == 0)
			return false;
	}
	return true;
}

bool
pgw_grant_read(const char **lines, PgwGrant *grant)
{
	const char *line = *lines;
	int			length = strcspn(line, "\n");
	const char *equals = memchr(line, '=', length);

	*lines += length + (line[length] == '\n');
	if (equals == NULL)
		return false;
	grant->guest = line;
	grant->guest_length = equals - line;
	grant->host = equals + 1;
	grant->host_length = length - grant->guest_length - 1;
	grant->writable = grant->host_length > 3 && strncmp(line + length - 3, ":rw", 3) == 0;
	if (grant->writable)
		grant->host_length -= 3;
	return is_plain_path(grant->guest, grant->guest_length) && is_plain_path(grant->host, grant->host_length);
}

static bool
is_in_data_directory(const PgwGrant *grant)
{
	char		path[MAXPGPATH];

	strlcpy(path, grant->host, grant->host_length + 1);
	canonicalize_path(path);
	return DataDir != NULL && path_is_prefix_of_path(DataDir, path);
}

/* Of what the paths lead to, host/files.c makes sure when it is used. */
static bool
check_directories(char **directories, void **extra, GucSource source)
{
	const char *lines = *directories;
	int			count = 0;

	while (lines != NULL && *lines != '\0')
	{
		PgwGrant	grant;

		if (!pgw_grant_read(&lines, &grant))
			GUC_check_errdetail("Each line is to be an absolute path for guests, \"=\", and an absolute path of the server, with \":rw\" behind it if guests may write; none with \"..\".");
		else if (is_in_data_directory(&grant))
			GUC_check_errdetail("The data directory of the server is not for guests.");
		else if (++count > PGW_GRANTS_MAX)
			GUC_check_errdetail("There may be %d directories.", PGW_GRANTS_MAX);
		else
			continue;
		return false;
	}
	return true;
}

/* The one copy of a text that lives for ever; there are few. */
static const char *
intern(const char *text)
{
	static List *texts = NIL;
	MemoryContext caller;
	ListCell   *cell;

	foreach(cell, texts)
	{
		if (strcmp(lfirst(cell), text) == 0)
			return lfirst(cell);
	}
	caller = MemoryContextSwitchTo(TopMemoryContext);
	texts = lappend(texts, pstrdup(text));
	MemoryContextSwitchTo(caller);
	return llast(texts);
}

static bool
check_profiler(int *profiler, void **extra, GucSource source)
{
	if (source == PGC_S_TEST || !pgw_profiler_fixed || *profiler == pgw_profiler)
		return true;
	GUC_check_errdetail("\"wasm.profiler\" cannot be changed after any WebAssembly function has been used in the session.");
	return false;
}

static void
on_fuel(double fuel, void *extra)
{
	if ((fuel > 0) != (pgw_session_limits.fuel > 0) && pgw_guc_on_metering != NULL)
		pgw_guc_on_metering(fuel > 0);
}

static void
on_interruption(int interruption, void *extra)
{
	if (interruption != pgw_interruption && pgw_guc_on_interruption != NULL)
		pgw_guc_on_interruption();
}

/*
 * What a client says at its start of a setting that is not defined yet hides
 * the values of the configuration file, the database and the role.  When the
 * setting is defined and the client turns out to have no right to it, the
 * built-in default would be all that is left: refuse to be loaded instead.
 */
static void
refuse_hidden_value(const char *name)
{
	const struct config_generic *parameter = pgw_find_parameter(name);

	if (parameter != NULL && parameter->reset_source == PGC_S_CLIENT &&
		pg_parameter_aclcheck(name, parameter->reset_srole, ACL_SET) != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to set parameter \"%s\"", name),
				 errhint("Connect without that option.")));
}

void
pgw_guc_init(void)
{
	for (int i = 0; i < lengthof(int_settings); i++)
		refuse_hidden_value(int_settings[i].name);
	refuse_hidden_value("wasm.fuel");
	refuse_hidden_value("wasm.interruption");
	refuse_hidden_value("wasm.output_level");
	refuse_hidden_value("wasm.directories");
	refuse_hidden_value("wasm.environment");
	refuse_hidden_value("wasm.stat_max");
	refuse_hidden_value("wasm.profiler");
	for (int i = 0; i < lengthof(int_settings); i++)
	{
		const IntSetting *s = &int_settings[i];

		DefineCustomIntVariable(s->name, s->summary, s->details, s->variable,
								s->boot, s->min, s->max, s->context, s->flags, NULL, NULL, NULL);
	}
	DefineCustomStringVariable("wasm.directories",
							   "Sets the directories of a WebAssembly module, one GUEST=HOST or GUEST=HOST:rw a line.",
							   "Counts only as a setting of the module's function.",
							   &ignored_directories, "", PGC_SUSET, 0, check_directories, NULL, NULL);
	DefineCustomStringVariable("wasm.environment",
							   "Sets the environment variables of a WebAssembly module, one NAME=value a line.",
							   "Counts only as a setting of the module's function.",
							   &ignored_environment, "", PGC_SUSET, 0, check_environment, NULL, NULL);
	DefineCustomRealVariable("wasm.fuel",
							 "Sets how much fuel one call of a WebAssembly function may consume.",
							 "About one unit for each instruction; zero lets calls run without.",
							 &pgw_session_limits.fuel, 0, 0, PGW_FUEL_MAX,
							 PGC_SUSET, 0, NULL, on_fuel, NULL);
	DefineCustomEnumVariable("wasm.interruption",
							 "Sets how a running WebAssembly function is stopped.",
							 "By a signal handler wherever it is, or by an epoch that its code polls.",
							 &pgw_interruption, PGW_INTERRUPTION_DEFAULT, interruptions,
							 PGC_SUSET, 0, NULL, on_interruption, NULL);
	DefineCustomEnumVariable("wasm.output_level",
							 "Sets the level of messages for what WebAssembly functions write to their standard output and error.",
							 NULL,
							 &pgw_output_level, DEBUG1, output_levels,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("wasm.profiler",
							 "Sets how perf learns the names of WebAssembly functions.",
							 "Read when a session first uses a WebAssembly function.",
							 &pgw_profiler, PGW_PROFILER_NONE, profilers,
							 PGC_SUSET, 0, check_profiler, NULL, NULL);
	/* shared memory is made once; a session that counts for itself may follow a change */
	DefineCustomIntVariable("wasm.stat_max",
							"Sets how many functions and modules the statistics of WebAssembly have room for.",
							NULL,
							&pgw_stat_max,
							5000, 100, INT_MAX / 2,
							process_shared_preload_libraries_in_progress ? PGC_POSTMASTER : PGC_SIGHUP, 0,
							NULL, NULL, NULL);
	MarkGUCPrefixReserved("wasm");
}

static void pg_attribute_noreturn()
refuse_value(const char *name, const char *value)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for parameter \"%s\": \"%s\"", name, value)));
}

/* Where limits have what the session keeps in that variable; NULL when they have not. */
static int *
field_of(PgwLimits *limits, const int *variable)
{
	size_t		offset = (const char *) variable - (const char *) &pgw_session_limits;

	return offset < sizeof(PgwLimits) ? (int *) ((char *) limits + offset) : NULL;
}

/* A grant, checked and interned */
static const char *
granted(const char *name, const char *value, GucStringCheckHook check)
{
	if (!check(unconstify(char **, &value), NULL, PGC_S_FILE))
		refuse_value(name, value);
	return intern(value);
}

void
pgw_limits_set(PgwLimits *limits, const char *name, const char *value)
{
	if (pg_strcasecmp(name, "wasm.fuel") == 0)
	{
		if (!parse_real(value, &limits->fuel, 0, NULL) ||
			!(limits->fuel >= 0 && limits->fuel <= PGW_FUEL_MAX))
			refuse_value(name, value);
		return;
	}
	if (pg_strcasecmp(name, "wasm.environment") == 0)
	{
		limits->environment = granted(name, value, check_environment);
		return;
	}
	if (pg_strcasecmp(name, "wasm.directories") == 0)
	{
		limits->directories = granted(name, value, check_directories);
		return;
	}
	for (int i = 0; i < lengthof(int_settings); i++)
	{
		const IntSetting *s = &int_settings[i];
		int		   *field = field_of(limits, s->variable);

		if (field == NULL || pg_strcasecmp(name, s->name) != 0)
			continue;
		if (!parse_int(value, field, s->flags, NULL) || *field < s->min || *field > s->max)
			refuse_value(name, value);
	}
}

PgwLimits
pgw_limits_effective(const PgwLimits *limits)
{
	PgwLimits	result = *limits;

	for (int i = 0; i < lengthof(int_settings); i++)
	{
		int		   *field = field_of(&result, int_settings[i].variable);

		if (field != NULL && *field < 0)
			*field = *int_settings[i].variable;
	}
	result.fuel = pgw_limits_fuel(limits);
	return result;
}
