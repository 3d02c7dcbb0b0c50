/*
 * cursor.c
 *		Cursors that an instance has open.
 *
 * A cursor is a portal, which belongs to the (sub)transaction that made it and is
 * dropped when that ends, or by CLOSE ALL, or when the guest drops it.  What is
 * known of it here ends with the portal's memory: a name may come to denote another
 * portal.
 */
#include "postgres.h"

#include "host/cursor.h"

#include "lib/ilist.h"
#include "utils/memutils.h"

/* How many an instance may have open */
#define CURSORS_MAX 1000

typedef enum CursorState
{
	CURSOR_FREE,
	CURSOR_OPEN,
	CURSOR_GONE					/* the guest has a handle, and there is no portal */
} CursorState;

/* In the memory of the portal; of whom the instance has gone, in a list. */
typedef struct Link
{
	MemoryContextCallback callback;
	PgwCursor  *cursor;			/* NULL when the instance has gone */
	Portal		portal;
	dlist_node	node;
} Link;

struct PgwCursor
{
	CursorState state;
	bool		read_only;		/* opened by a call that was */
	Link	   *link;			/* of an open one */
};

static dlist_head abandoned = DLIST_STATIC_INIT(abandoned);

void
pgw_cursors_init(PgwCursors *cursors)
{
	*cursors = (PgwCursors) {.context = CurrentMemoryContext};
}

/* --- portals without a guest --- */

/* Another one's query may be reading from such a portal, by its name. */
static Portal
next_abandoned(void)
{
	dlist_iter	iter;

	dlist_foreach(iter, &abandoned)
	{
		Portal		portal = dlist_container(Link, node, iter.cur)->portal;

		if (portal->status != PORTAL_ACTIVE)
			return portal;
	}
	return NULL;
}

static void
close_abandoned(void)
{
	Portal		portal;

	while ((portal = next_abandoned()) != NULL)
		PortalDrop(portal, false);
}

/* --- handles --- */

static void
on_portal_end(void *arg)
{
	Link	   *link = arg;

	if (link->cursor == NULL)
		dlist_delete(&link->node);
	else
		link->cursor->state = CURSOR_GONE;
}

/* Links have addresses of cursors, which therefore stay where they are. */
static PgwCursor *
find(PgwCursors *cursors, uint32 handle)
{
	if (handle == 0 || handle > cursors->room || cursors->list[handle - 1].state == CURSOR_FREE)
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("WebAssembly guest gave a cursor that it does not have")));
	return &cursors->list[handle - 1];
}

uint32
pgw_cursor_reserve(PgwCursors *cursors)
{
	close_abandoned();
	if (cursors->list == NULL)
	{
		cursors->list = MemoryContextAllocZero(cursors->context, CURSORS_MAX * sizeof(PgwCursor));
		cursors->room = CURSORS_MAX;
	}
	for (uint32 i = 0; i < cursors->room; i++)
	{
		if (cursors->list[i].state == CURSOR_FREE)
			return i + 1;
	}
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("too many cursors of a WebAssembly guest"),
			 errdetail("It has %d, and has dropped none of them.", CURSORS_MAX)));
}

void
pgw_cursor_bind(PgwCursors *cursors, uint32 handle, Portal portal, bool read_only)
{
	PgwCursor  *cursor = &cursors->list[handle - 1];
	Link	   *link = MemoryContextAllocZero(portal->portalContext, sizeof(Link));

	Assert(cursor->state == CURSOR_FREE);
	link->cursor = cursor;
	link->portal = portal;
	link->callback.func = on_portal_end;
	link->callback.arg = link;
	*cursor = (PgwCursor) {CURSOR_OPEN, read_only, link};
	MemoryContextRegisterResetCallback(portal->portalContext, &link->callback);
}

Portal
pgw_cursor_portal(PgwCursors *cursors, uint32 handle, bool read_only)
{
	PgwCursor  *cursor = find(cursors, handle);

	if (cursor->state == CURSOR_GONE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_CURSOR_NAME),
				 errmsg("cursor of a WebAssembly guest is closed"),
				 errdetail("A cursor is closed at the end of the transaction, or when a subtransaction that opened it is rolled back.")));
	if (read_only && !cursor->read_only)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cursor of a volatile function cannot be used by a non-volatile function")));
	return cursor->link->portal;
}

void
pgw_cursor_drop(PgwCursors *cursors, uint32 handle)
{
	PgwCursor  *cursor = find(cursors, handle);

	if (cursor->state == CURSOR_OPEN)
		PortalDrop(cursor->link->portal, false);
	cursor->state = CURSOR_FREE;
}

void
pgw_cursors_abandon(PgwCursors *cursors)
{
	for (uint32 i = 0; i < cursors->room; i++)
	{
		if (cursors->list[i].state == CURSOR_OPEN)
		{
			Link	   *link = cursors->list[i].link;

			link->cursor = NULL;
			dlist_push_tail(&abandoned, &link->node);
		}
	}
}
