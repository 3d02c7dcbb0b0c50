/*
 * engine.h
 *		The engine of this backend, stores, and calls into guests.
 */
#ifndef PGW_ENGINE_H
#define PGW_ENGINE_H

#include "postgres.h"

#include <wasmtime.h>

/*
 * An instance in a store of its own.  Opened by pgw_store_open(); must be
 * closed with pgw_store_close().
 */
typedef struct PgwStore
{
	wasmtime_store_t *store;	/* NULL when closed */
	wasmtime_context_t *context;
	wasmtime_instance_t instance;
} PgwStore;

/* An exported function of a PgwStore; as valid as the store. */
typedef wasmtime_func_t PgwEntry;

/* A value on the border, as the engine wants it. */
typedef wasmtime_val_raw_t PgwSlot;

/* The engine of this backend; made by the first call. */
extern wasm_engine_t *pgw_engine(void);

/* Throws when too little stack is left for a call; to be tested before each. */
extern void pgw_engine_check_stack(void);

/*
 * Instantiates a module that imports nothing, which runs its start function.
 * Throws, with the store closed, when that traps or breaks a limit.
 */
extern void pgw_store_open(PgwStore *store, const wasmtime_module_t *module);

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
