/*
 * stat.h
 *		Counters of functions and modules.
 *
 * A session counts for itself.  With the library in shared_preload_libraries,
 * what it counted is added to the counters of the cluster, in shared memory,
 * when a transaction ends and when the session does.  Nothing is kept over a
 * restart.
 */
#ifndef PGW_STAT_H
#define PGW_STAT_H

#include "postgres.h"

typedef enum PgwStatCounter
{
	PGW_STAT_CALLS,
	PGW_STAT_TRAPS,
	PGW_STAT_CANCELS,
	/* of modules only: */
	PGW_STAT_INSTANCES,
	PGW_STAT_MEMORY,			/* bytes; of the live instances, so it can sink */
	PGW_STAT_COMPILES,
	PGW_STAT_COMPILE_TIME,		/* microseconds */
	PGW_STAT_CACHE_HITS
} PgwStatCounter;

#define PGW_STAT_COUNTERS (PGW_STAT_CACHE_HITS + 1)

/*
 * A function as this session counts it.  Whoever calls the function increments
 * calls; that is all that a call costs.  The counters of its module follow.
 */
typedef struct PgwStat
{
	uint64		calls;			/* since the session began */
} PgwStat;

/* To be called by _PG_init(). */
extern void pgw_stat_init(void);

/*
 * The counters of a function that calls that module, an inline function being
 * its own module; valid until pgw_stat_detach().  May throw.
 */
extern PgwStat *pgw_stat_attach(Oid function, Oid module);

/* Never throws. */
extern void pgw_stat_detach(PgwStat *stat);

/* A call was ended by an error in the guest; by a cancel.  Never throw. */
extern void pgw_stat_trap(PgwStat *stat);
extern void pgw_stat_cancel(PgwStat *stat);

/* An instance was made; a module was compiled; its code was in the cache.  May throw. */
extern void pgw_stat_instance(Oid module);
extern void pgw_stat_compile(Oid module, double milliseconds);
extern void pgw_stat_cache_hit(Oid module);

/*
 * The memory of a module's instances, of which one was counted, has grown by so
 * many bytes, or shrunk.  Never throws.
 */
extern void pgw_stat_memory(Oid module, int64 bytes);

/*
 * Called before counters are flushed or read, to report what else is to be
 * counted; NULL for nothing.  Must not throw.
 */
extern void (*pgw_stat_on_report) (void);

/* What the views show: of the cluster or of this session, in this database. */
typedef struct PgwStatRow
{
	Oid			object;
	Oid			module;			/* of a function; a module itself */
	int64		counters[PGW_STAT_COUNTERS];
} PgwStatRow;

/*
 * Calls visit for each function, or for each module, of which anything was
 * counted.  visit must not call a function of this file.
 */
typedef void (*PgwStatVisitor) (const PgwStatRow *row, void *data);
extern void pgw_stat_visit(bool modules, PgwStatVisitor visit, void *data);

/* Sets all but the memory to zero, of this database. */
extern void pgw_stat_reset(void);

#endif							/* PGW_STAT_H */
