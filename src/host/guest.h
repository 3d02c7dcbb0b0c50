/*
 * guest.h
 *		A guest that calls a function of the host.  Private to host.c and link.c.
 */
#ifndef PGW_GUEST_H
#define PGW_GUEST_H

#include "postgres.h"

#include "host/host.h"

struct PgwGuest
{
	wasmtime_caller_t *caller;	/* of a core module, or ... */
	PgwLowering *lowering;		/* ... a component; or both NULL: it has no memory */
	PgwStore   *store;
	bool		exited;
	bool		has_memory;		/* it was looked for, and found */
	bool		has_realloc;
	PgwMemory	memory;
	PgwEntry	realloc;
};

/* The function of that name, whatever its type; NULL when there is none. */
extern const PgwHostFunction *pgw_host_find(const char *from, const char *name, size_t length);

/* Runs it, and catches what it throws; false where the guest's call is to end. */
extern bool pgw_guest_run(PgwGuest *guest, const PgwHostFunction *function, PgwSlot *slots, size_t nslots);

/* Provides for the imports of a component; throws as pgw_host_check() does. */
extern void pgw_host_link(PgwCode *code);

#endif							/* PGW_GUEST_H */
