/*
 * instance.h
 *		The live instances of this backend.
 */
#ifndef PGW_INSTANCE_H
#define PGW_INSTANCE_H

#include "postgres.h"

#include "engine/code.h"
#include "engine/engine.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "stat/stat.h"

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
	int			restricted;		/* SECURITY_RESTRICTED_OPERATION, if made in one */
	bool		idle;			/* the store is open, and no call in progress */
	bool		doubtful;		/* its module's row has changed */
	bool		metered;		/* calls consume fuel */
	int			users;
	uint64		last_used;		/* a call's number in this session */
	Oid			module;			/* the function that holds the module */
	uint32		module_hash;	/* of its row in invalidation messages */
	PgwLimits	limits;			/* of the module */
	PgwCode    *code;			/* held */
	int64		counted;		/* bytes of its memory that the statistics have */
	dlist_node	node;
} PgwInstance;

extern void pgw_instance_init(void);

/*
 * An idle instance of that code for the current role, made when there is none;
 * limits are those of the module.  The caller becomes a user.  May throw: the
 * guest's start function runs; if that does not return, stat counts it, unless
 * it is NULL.
 *
 * Where the session has as many instances, or as much guest memory, as it may
 * have, the idle instances that were used longest ago give way.
 */
extern PgwInstance *pgw_instance_acquire(Oid module, PgwCode *code, const PgwLimits *limits, PgwStat *stat);

/* Ends a use.  Never throws. */
extern void pgw_instance_release(PgwInstance *instance);

/* Closes an instance that must not be called again.  Never throws. */
extern void pgw_instance_discard(PgwInstance *instance);

/* Discards all that are not in a call; returns how many.  Never throws. */
extern int	pgw_instance_reset(void);

/*
 * To be called when a row of pg_proc has changed; 0 stands for any.  Before the
 * transaction ends, and before the next instance is acquired, idle instances of
 * a module that is gone, or has other bytes or directories, are discarded.
 */
extern void pgw_instance_expire(uint32 hash);

/* Can this instance be called, now, by this role? */
static inline bool
pgw_instance_ready(const PgwInstance *instance)
{
	Oid			role;
	int			context;

	if (instance == NULL || !instance->idle)
		return false;
	GetUserIdAndSecContext(&role, &context);
	return instance->role == role &&
		instance->restricted == (context & SECURITY_RESTRICTED_OPERATION);
}

/* How many calls this session has made */
extern uint64 pgw_instance_calls;

/*
 * Ends a call that did not return: discards the instance, counts in stat, and
 * throws, unless the guest has exited without an error.
 */
extern void pgw_instance_end(PgwInstance *instance, wasmtime_error_t *error, wasm_trap_t *trap,
							 PgwStat *stat) pg_attribute_cold;

static inline void
pgw_instance_begin(PgwInstance *instance)
{
	pgw_engine_check_stack();
	instance->idle = false;
	instance->last_used = ++pgw_instance_calls;
}

/* Gives a call what it may consume, if it is metered. */
static inline void
pgw_instance_refuel(PgwInstance *instance)
{
	if (instance->metered)
		pgw_store_set_fuel(&instance->store, pgw_limits_fuel(&instance->limits));
}

/*
 * Calls a guest whose calls are not metered; slots as for pgw_store_call().  When it
 * returns false, pgw_instance_end() is due.
 */
static inline bool
pgw_instance_try(PgwInstance *instance, const PgwEntry *entry, PgwSlot *slots, size_t nslots,
				 wasmtime_error_t **error, wasm_trap_t **trap)
{
	pgw_instance_begin(instance);
	if (unlikely(!pgw_store_call(&instance->store, entry, slots, nslots, error, trap)))
		return false;
	instance->idle = true;
	return true;
}

/* Calls any guest.  False when it has exited, and there is no result. */
static inline bool
pgw_instance_call(PgwInstance *instance, const PgwEntry *entry, PgwSlot *slots, size_t nslots,
				  PgwStat *stat)
{
	wasmtime_error_t *error;
	wasm_trap_t *trap;

	pgw_instance_refuel(instance);
	if (pgw_instance_try(instance, entry, slots, nslots, &error, &trap))
		return true;
	pgw_instance_end(instance, error, trap, stat);
	return false;
}

/* The same for a component. */
static inline bool
pgw_instance_call_component(PgwInstance *instance, const PgwHandle *handle, PgwSlot *slots,
							PgwLower lower, PgwLift lift, void *data, PgwStat *stat)
{
	wasmtime_error_t *error;

	pgw_instance_refuel(instance);
	pgw_instance_begin(instance);
	if (unlikely(!pgw_store_call_component(&instance->store, handle, slots, lower, lift, data, &error)))
	{
		pgw_instance_end(instance, error, NULL, stat);
		return false;
	}
	instance->idle = true;
	return true;
}

#endif							/* PGW_INSTANCE_H */
