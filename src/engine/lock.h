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

static inline void
pgw_lock_slot(LOCKTAG *tag, uint32 slot)
{
	SET_LOCKTAG_ADVISORY(*tag, 0, 0, slot, PGW_LOCK_SLOT);
}

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

static inline bool
pgw_lock_try(const LOCKTAG *tag)
{
	return LockAcquire(tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

static inline void
pgw_lock_release(const LOCKTAG *tag)
{
	LockRelease(tag, ExclusiveLock, false);
}

#endif							/* PGW_LOCK_H */
