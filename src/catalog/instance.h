/*
 * instance.h
 *		The live instances of this backend.
 */
#ifndef PGW_INSTANCE_H
#define PGW_INSTANCE_H

#include "postgres.h"

#include "engine/compile.h"
#include "engine/engine.h"
#include "lib/ilist.h"
#include "miscadmin.h"

/*
 * An instance belongs to a module, to the role for which it was made, and to
 * security-restricted operations or to others: no role sees what another one left
 * in a guest's memory.  A call within a call gets an instance of its own.
 *
 * Whoever keeps a pointer counts as a user; a discarded instance stays in
 * memory, without its store, until the last user has released it.
 */
typedef struct PgwInstance
{
	PgwStore	store;			/* closed once the instance is discarded */
	Oid			role;
	bool		restricted;		/* made in a security-restricted operation */
	bool		busy;			/* a call is in progress */
	int			users;
	Oid			module;			/* the function that holds the module */
	PgwCode    *code;			/* held */
	dlist_node	node;
} PgwInstance;

/*
 * An idle instance of that code for the current role, made when there is none.
 * The caller becomes a user.  May throw: the guest's start function runs.
 */
extern PgwInstance *pgw_instance_acquire(Oid module, PgwCode *code);

/* Ends a use.  Never throws. */
extern void pgw_instance_release(PgwInstance *instance);

/* Closes an instance that must not be called again.  Never throws. */
extern void pgw_instance_discard(PgwInstance *instance);

/* The next pgw_instance_acquire() discards the instances of modules that are gone. */
extern void pgw_instance_expire(void);

/* Can this instance be called, now, by this role? */
static inline bool
pgw_instance_ready(const PgwInstance *instance)
{
	Oid			role;
	int			context;

	if (instance == NULL || instance->busy || instance->store.store == NULL)
		return false;
	GetUserIdAndSecContext(&role, &context);
	return instance->role == role &&
		instance->restricted == ((context & SECURITY_RESTRICTED_OPERATION) != 0);
}

/*
 * Calls a guest; slots as for pgw_store_call().  A failure discards the
 * instance and is thrown.
 */
extern void pgw_instance_call(PgwInstance *instance, const PgwEntry *entry, PgwSlot *slots, size_t nslots);

#endif							/* PGW_INSTANCE_H */
