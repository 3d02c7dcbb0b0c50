/*
 * engine.h
 *		The engine of this backend, stores, and calls into guests.
 */
#ifndef PGW_ENGINE_H
#define PGW_ENGINE_H

#include "postgres.h"

#include <wasmtime.h>

#include "engine/artifact.h"
#include "engine/component.h"
#include "engine/config.h"
#include "engine/interrupt.h"
#include "guc.h"
#include "tcop/tcopprot.h"

/* The beginning of what functions of the host keep for an instance */
typedef struct PgwKept
{
	struct PgwKept *next;
	void		(*forget) (struct PgwKept *kept);	/* frees it; never throws */
} PgwKept;

/*
 * An instance in a store of its own.  Opened by pgw_store_open(); must be
 * closed with pgw_store_close(), and not be moved in between.
 */
typedef struct PgwStore
{
	wasmtime_store_t *store;	/* NULL when closed */
	wasmtime_context_t *context;
	wasmtime_instance_t instance;	/* or ... */
	PgwHandle	component;		/* ... of a component */
	bool		is_component;
	const char *environment;	/* see PgwLimits */
	const char *directories;	/* the same */
	size_t		memory;			/* bytes of its linear memories */
	size_t		memory_limit;	/* how many they may have */
	const void *provided;		/* data of the PgwImports that it was opened with */
	bool		read_only;		/* queries of the guest may not change the
								 * database; so at first, for the start function */
	PgwKept    *kept;			/* by functions of the host, or NULL */
} PgwStore;

/* The store of the component that runs, innermost; NULL: none */
extern PgwStore *pgw_store_running;

/* An exported function of a PgwStore; as valid as the store. */
typedef wasmtime_func_t PgwEntry;

/* A memory that the guest exports; as valid as its store. */
typedef wasmtime_memory_t PgwMemory;

/* A value on the border, as the engine wants it. */
typedef wasmtime_val_raw_t PgwSlot;

/* The engine of this backend for code of that mode, made by the first call. */
extern wasm_engine_t *pgw_engine(PgwMode mode);

/* The lowest address from which a guest may be entered, as it was for that max_stack_depth */
typedef struct PgwStackLimit
{
	const char *lowest;
	int			max_stack_depth;
} PgwStackLimit;

extern PgwStackLimit pgw_stack_limit;
extern void pgw_engine_look_at_stack(const char *here) pg_attribute_cold;

/*
 * To be called in the postmaster: lets the engine look at the processor, which a
 * virtual machine answers slowly, so that every backend inherits what it saw.
 * Leaves no engine, and touches no signal.
 */
extern void pgw_engine_prepare(void);

/* Throws when too little stack is left for a call; to be tested before each. */
static inline void
pgw_engine_check_stack(void)
{
	char		here;

	if (unlikely(&here < pgw_stack_limit.lowest || max_stack_depth != pgw_stack_limit.max_stack_depth))
		pgw_engine_look_at_stack(&here);
}

/*
 * What an instance is given: provide makes count externs, in the order of the
 * module's imports, in a store.  Never throws.
 */
typedef struct PgwImports
{
	size_t		count;
	void		(*provide) (wasmtime_context_t *context, const void *data, wasmtime_extern_t *externs);
	const void *data;
	const char *initialize;		/* an export, (func), to be called before any
								 * other; or NULL */
} PgwImports;

/*
 * Instantiates a module, which runs its start function, and what its imports say
 * is to be called first; limits are effective ones.  Returns false, with the store closed, when that trapped or
 * broke a limit: then pgw_error_throw(*error, *trap) is due.  May throw itself.
 */
extern bool pgw_store_try_open(PgwStore *store, const PgwArtifact *artifact, const PgwImports *imports,
							   const PgwLimits *limits,
							   wasmtime_error_t **error, wasm_trap_t **trap);

/* The same, but throws. */
extern void pgw_store_open(PgwStore *store, const PgwArtifact *artifact, const PgwImports *imports,
						   const PgwLimits *limits);

/* What the next call in a metered store may consume.  Never throws. */
extern void pgw_store_set_fuel(PgwStore *store, double fuel);

/* Keeps something until the store is closed. */
extern void pgw_store_keep(PgwStore *store, PgwKept *kept);

/* What is kept with that forget; NULL: nothing. */
extern PgwKept *pgw_store_kept(const PgwStore *store, void (*forget) (PgwKept *kept));

/* Closes a store; does nothing when it is closed.  Never throws. */
extern void pgw_store_close(PgwStore *store);

/* Finds an exported function; false when there is none of that name. */
extern bool pgw_store_entry(PgwStore *store, const char *name, size_t length, PgwEntry *entry);

/*
 * Finds a function that a component exports; from_length is that of the instance's
 * name in front of a "#", or 0.
 */
extern bool pgw_store_handle(PgwStore *store, const char *name, size_t length, size_t from_length,
							 PgwHandle *handle);

/* Finds an exported memory; false when there is none of that name. */
extern bool pgw_store_memory(PgwStore *store, const char *name, size_t length, PgwMemory *memory);

/* Its bytes, which stay in their place until a guest runs. */
static inline uint8_t *
pgw_memory_bytes(PgwStore *store, const PgwMemory *memory, size_t *size)
{
	*size = wasmtime_memory_data_size(store->context, memory);
	return wasmtime_memory_data(store->context, memory);
}

/*
 * Lets a memory grow by so many pages of 64 kB, and gives how many it had; false
 * where a limit forbids that.
 */
extern bool pgw_memory_grow(PgwStore *store, const PgwMemory *memory, uint64 pages, uint64 *before);

/*
 * Read and change an exported global that is no reference.  They return false when there is none of that name, or it is immutable.
 */
extern bool pgw_store_get_global(PgwStore *store, const char *name, size_t length, PgwSlot *value);
extern bool pgw_store_set_global(PgwStore *store, const char *name, size_t length, const PgwSlot *value);

/*
 * Bracket every entry into the engine that may run a guest.  No error may leave
 * the engine by a long jump: where nobody catches an ERROR, PostgreSQL raises it
 * to FATAL, which happens when a signal handler that another library installed
 * throws.
 */
static inline sigjmp_buf *
pgw_guest_enter(void)
{
	sigjmp_buf *outer = PG_exception_stack;

	PG_exception_stack = NULL;
	pgw_interrupt_enter();
	return outer;
}

static inline void
pgw_guest_leave(sigjmp_buf *outer)
{
	pgw_interrupt_leave();
	PG_exception_stack = outer;
}

/*
 * Calls a guest.  slots holds the arguments, and afterwards the results; it has
 * room for the more numerous of the two.  Returns false when the guest trapped
 * or was interrupted: the store is then to be closed and the failure thrown
 * with pgw_error_throw(*error, *trap).  Never throws itself.
 */
static inline bool
pgw_store_call(PgwStore *store, const PgwEntry *entry, PgwSlot *slots, size_t nslots,
			   wasmtime_error_t **error, wasm_trap_t **trap)
{
	sigjmp_buf *outer = pgw_guest_enter();

	*trap = NULL;
	*error = wasmtime_func_call_unchecked(store->context, entry, slots, nslots, trap);
	pgw_guest_leave(outer);
	return likely(*error == NULL && *trap == NULL);
}

/* The same for a component; lower and lift as pgw_component_call() has them. */
static inline bool
pgw_store_call_component(PgwStore *store, const PgwHandle *handle, PgwSlot *slots,
						 PgwLower lower, PgwLift lift, void *data, wasmtime_error_t **error)
{
	sigjmp_buf *outer = pgw_guest_enter();
	PgwStore   *outer_store = pgw_store_running;

	pgw_store_running = store;
	*error = pgw_component_call(store->context, handle, slots, lower, lift, data);
	pgw_store_running = outer_store;
	pgw_guest_leave(outer);
	return likely(*error == NULL);
}

#endif							/* PGW_ENGINE_H */
