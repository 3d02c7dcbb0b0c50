/*
 * lock.c
 *		Waiting for one's turn to compile.
 */
#include "postgres.h"

#include "engine/lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include "access/xact.h"
#include "compat.h"
#include "guc.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "storage/latch.h"

/* How often, in milliseconds, one looks whether it is his turn */
#define PGW_TURN_MS 10

static void
pause_before_next_try(void)
{
	if (WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | WL_TIMEOUT,
				  PGW_TURN_MS, pgw_wait_event_compile()) & WL_LATCH_SET)
		ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

static bool
try_slots(LOCKTAG *tag)
{
	for (int slot = 0; slot < pgw_compile_workers; slot++)
	{
		SET_LOCKTAG_ADVISORY(*tag, 0, 0, slot, PGW_LOCK_SLOT);
		if (LockAcquire(tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL)
			return true;
	}
	return false;
}

void
pgw_lock_slot(LOCKTAG *tag)
{
	LOCKTAG		queue;

	SET_LOCKTAG_ADVISORY(queue, 0, 0, 0, PGW_LOCK_QUEUE);
	pgw_lock_acquire(&queue);
	PG_TRY();
	{
		while (!try_slots(tag))
			pause_before_next_try();
	}
	PG_FINALLY();
	{
		pgw_lock_release(&queue);
	}
	PG_END_TRY();
}

int
pgw_lock_group(void)
{
	int			fd;

	if (!IsInParallelMode())
		return -1;
	fd = OpenTransientFile(".", O_RDONLY | O_CLOEXEC);
	/* a file system without locks lets them compile at the same time */
	while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && (errno == EWOULDBLOCK || errno == EINTR))
		pause_before_next_try();
	return fd;
}

void
pgw_unlock_group(int fd)
{
	if (fd >= 0)
		CloseTransientFile(fd);
}
