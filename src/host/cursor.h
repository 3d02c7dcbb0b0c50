/*
 * cursor.h
 *		Cursors that an instance has open.
 */
#ifndef PGW_CURSOR_H
#define PGW_CURSOR_H

#include "postgres.h"

#include "host/host.h"
#include "utils/portal.h"

typedef struct PgwCursor PgwCursor;

/* Of one instance; a handle of the guest is an index, plus one */
typedef struct PgwCursors
{
	MemoryContext context;
	PgwCursor  *list;
	uint32		room;
} PgwCursors;

/* Makes the table in the current memory context. */
extern void pgw_cursors_init(PgwCursors *cursors);

/*
 * The handle of a new cursor.  It is free again when pgw_cursor_bind() was not
 * called.  Throws 54000 when too many are open.  Closes cursors that nobody has
 * any more.
 */
extern uint32 pgw_cursor_reserve(PgwCursors *cursors);

/* Opens it: the portal was made in the current subtransaction. */
extern void pgw_cursor_bind(PgwCursors *cursors, uint32 handle, Portal portal, bool read_only);

/*
 * The portal of an open cursor; throws 38000 for what is no handle, and 34000
 * where the portal is gone, with its transaction.  A call that may not change the
 * database may not use a cursor of one that may: 0A000.
 */
extern Portal pgw_cursor_portal(PgwCursors *cursors, uint32 handle, bool read_only);

/* Closes a cursor and gives up the handle; throws 38000 for what is none. */
extern void pgw_cursor_drop(PgwCursors *cursors, uint32 handle);

/*
 * The instance is gone: what it has open is closed by the next who reserves a
 * cursor, or with the transaction.  Never throws.
 */
extern void pgw_cursors_abandon(PgwCursors *cursors);

#endif							/* PGW_CURSOR_H */
