/*
 * lock.h
 *		Locks on what the backends of a cluster do one at a time: compiling a
 *		module, and the slots of those that compile.
 *
 * They are locks of PostgreSQL's lock manager, in classes of the advisory locks
 * that no SQL function can take: waiting for one can be interrupted and shows
 * in pg_locks, and the end of the transaction, or of the backend, releases it.
 */
#ifndef PGW_LOCK_H
#define PGW_LOCK_H

#include "postgres.h"

#include "storage/lock.h"

/* pg_advisory_lock() has the classes 1 and 2. */
#define PGW_LOCK_SLOT 0x5741
#define PGW_LOCK_MODULE 0x5742
#define PGW_LOCK_QUEUE 0x5743

/* digest has at least 12 bytes */
static inline void
pgw_lock_module(LOCKTAG *tag, const uint8 *digest)
{
	uint32		words[3];

	memcpy(words, digest, sizeof(words));
	SET_LOCKTAG_ADVISORY(*tag, words[0], words[1], words[2], PGW_LOCK_MODULE);
}

/* Waits; may throw. */
static inline void
pgw_lock_acquire(const LOCKTAG *tag)
{
	(void) LockAcquire(tag, ExclusiveLock, false, false);
}

static inline void
pgw_lock_release(const LOCKTAG *tag)
{
	LockRelease(tag, ExclusiveLock, false);
}

/*
 * Takes one of the slots, of which there are wasm.compile_workers.  Who has
 * waited longest is the first to get one.
 */
extern void pgw_lock_slot(LOCKTAG *tag);

/*
 * The lock manager takes the processes of a parallel query for one, so that the
 * locks above do not keep them from each other.  This one does, where it is
 * taken by one of them: one of all in the cluster has it.  To be taken before a
 * slot.  Returns what pgw_unlock_group() wants.
 */
extern int	pgw_lock_group(void);
extern void pgw_unlock_group(int fd);

#endif							/* PGW_LOCK_H */
