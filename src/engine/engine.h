/*
 * engine.h
 *		The engine of this backend, stores, and calls into guests.
 */
#ifndef PGW_ENGINE_H
#define PGW_ENGINE_H

#include "postgres.h"

#include <wasmtime.h>

#include "guc.h"

/*
 * An instance in a store of its own.  Opened by pgw_store_open(); must be
 * closed with pgw_store_close(), and not be moved in between.
 */
typedef struct PgwStore
{
	wasmtime_store_t *store;	/* NULL when closed */
	wasmtime_context_t *context;
	wasmtime_instance_t instance;
	size_t		memory;			/* bytes of its linear memory */
} PgwStore;

/* An exported function of a PgwStore; as valid as the store. */
typedef wasmtime_func_t PgwEntry;

/* A value on the border, as the engine wants it. */
typedef wasmtime_val_raw_t PgwSlot;

/*
 * The engine of this backend, made by the first call: one for calls that run
 * free, another for those that consume fuel.
 */
extern wasm_engine_t *pgw_engine(bool metered);

/* Throws when too little stack is left for a call; to be tested before each. */
extern void pgw_engine_check_stack(void);

/*
 * Instantiates a module that imports nothing, which runs its start function.
 * limits are effective ones; with fuel the module must be one of the metered
 * engine.  Returns false, with the store closed, when that trapped or broke a
 * limit: then pgw_error_throw(*error, *trap) is due.  May throw itself.
 */
extern bool pgw_store_try_open(PgwStore *store, const wasmtime_module_t *module, const PgwLimits *limits,
							   wasmtime_error_t **error, wasm_trap_t **trap);

/* The same, but throws. */
extern void pgw_store_open(PgwStore *store, const wasmtime_module_t *module, const PgwLimits *limits);

/* What the next call in a metered store may consume.  Never throws. */
extern void pgw_store_set_fuel(PgwStore *store, double fuel);

/* Closes a store; does nothing when it is closed.  Never throws. */
extern void pgw_store_close(PgwStore *store);

/* Finds an exported function; false when there is none of that name. */
extern bool pgw_store_entry(PgwStore *store, const char *name, size_t length, PgwEntry *entry);

/*
 * Calls a guest.  slots holds the arguments, and afterwards the results; it has
 * room for the more numerous of the two.  Returns false when the guest trapped
 * or was interrupted: the store is then to be closed and the failure thrown
 * with pgw_error_throw(*error, *trap).  Never throws itself.
 */
extern bool pgw_store_call(PgwStore *store, const PgwEntry *entry, PgwSlot *slots, size_t nslots,
						   wasmtime_error_t **error, wasm_trap_t **trap);

#endif							/* PGW_ENGINE_H */
