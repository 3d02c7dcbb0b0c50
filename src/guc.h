/*
 * guc.h
 *		Every setting of the extension.
 */
#ifndef PGW_GUC_H
#define PGW_GUC_H

/*
 * The settings that a module may have of its own, by a SET clause of its
 * function.  In the limits of a module, -1 stands for what the session has.
 */
typedef struct PgwLimits
{
	int			memory;			/* kB: the linear memory of one instance */
	int			module_size;	/* kB: the bytes of a module */
	int			compile_timeout;	/* ms */
	int			compile_memory; /* kB: address space of wasm-compile */
	double		fuel;			/* for one call; 0: calls are not metered */
	const char *environment;	/* lines NAME=value, in UTF-8, or NULL: equal ones
								 * are the same string; a session has none */
	const char *directories;	/* lines that pgw_grant_read() reads; the same */
} PgwLimits;

/* What the session has set; no field is -1. */
extern PgwLimits pgw_session_limits;

/* The limits of who sets none. */
extern const PgwLimits pgw_no_limits;

extern int	pgw_session_memory_limit;	/* kB: the sum over all instances */
extern int	pgw_instance_limit;
extern int	pgw_compile_workers;
extern int	pgw_cache_size;		/* MB */

typedef enum PgwProfiler
{
	PGW_PROFILER_NONE,
	PGW_PROFILER_PERFMAP,
	PGW_PROFILER_JITDUMP
} PgwProfiler;

extern int	pgw_profiler;		/* a PgwProfiler */

/* Set when the session has made an engine: it is too late to change the profiler. */
extern bool pgw_profiler_fixed;

/* wasm.output_level: the elevel of what guests write to their standard output and error */
extern int	pgw_output_level;

/* wasm.stat_max: how many functions and modules the statistics have room for */
extern int	pgw_stat_max;

/* Where a signal handler can find and change the program counter */
#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))
#define PGW_CAN_REDIRECT 1
#endif

/* wasm.interruption: how a running guest is stopped */
typedef enum PgwInterruption
{
	PGW_INTERRUPTION_SIGNAL,	/* by a signal handler, wherever it is */
	PGW_INTERRUPTION_EPOCH		/* by an epoch that it polls */
} PgwInterruption;

extern int	pgw_interruption;	/* a PgwInterruption */

extern void pgw_guc_init(void);

/* How many directories a module may be granted */
#define PGW_GRANTS_MAX 16

/* A directory that a superuser has granted a module */
typedef struct PgwGrant
{
	const char *guest;			/* an absolute path, as the guest sees it */
	int			guest_length;
	const char *host;			/* an absolute path, of the server */
	int			host_length;
	bool		writable;
} PgwGrant;

/*
 * Reads a line of wasm.directories, GUEST=HOST or GUEST=HOST:rw, and moves on to the
 * next.  False: it is none.
 */
extern bool pgw_grant_read(const char **lines, PgwGrant *grant);

/* To be called when wasm.interruption changes.  May not throw. */
extern void (*pgw_guc_on_interruption) (void);

/* To be called when the session switches metering on or off.  May not throw. */
extern void (*pgw_guc_on_metering) (bool metering);

/*
 * Sets what "wasm.name" = value says, as of a SET clause; other names are
 * passed over.  Throws when the value is not valid.
 */
extern void pgw_limits_set(PgwLimits *limits, const char *name, const char *value);

/* The limits with those of the session filled in. */
extern PgwLimits pgw_limits_effective(const PgwLimits *limits);

static inline double
pgw_limits_fuel(const PgwLimits *limits)
{
	return limits->fuel >= 0 ? limits->fuel : pgw_session_limits.fuel;
}

#endif							/* PGW_GUC_H */
