/*
 * engine.c
 *		The engine of this backend, stores, and calls into guests.
 *
 * The engine is made by the first use in a backend, never in the postmaster:
 * its signal handlers must come after those that a backend installs.  It
 * starts no thread.
 */
#include "postgres.h"

#include "engine/engine.h"

#include "engine/config.h"
#include "engine/error.h"
#include "engine/interrupt.h"
#include "engine/memory.h"
#include "miscadmin.h"
#include "tcop/tcopprot.h"

/* What one core instance may have, beside wasm.memory_limit */
#define PGW_TABLE_ELEMENTS_MAX 100000
#define PGW_TABLES_MAX 4
#define PGW_MEMORIES_MAX 1

/* What must be left of the process's stack to call a guest */
#define PGW_STACK_RESERVE (1024 * 1024)

/* An rlimit from here on is none */
#define PGW_STACK_UNLIMITED (INT64CONST(1) << 40)

/* The free and the metered engine */
static wasm_engine_t *engines[2];

/* Where the stack begins, and the lowest address from which a call may be made */
static char *stack_base = NULL;
static char *stack_floor = NULL;

/*
 * The stack grows downwards from where the backend began to use it, by as much
 * as the rlimit allows.  Version 15 does not record that place in single-user
 * mode; there it is taken to be here.
 */
static void
find_stack_floor(void)
{
	long		rlimit = get_stack_depth_rlimit();

	stack_base = set_stack_base();
	restore_stack_base(stack_base);
	if (stack_base == NULL)
		stack_base = __builtin_frame_address(0);
	if (rlimit > 0 && rlimit < PGW_STACK_UNLIMITED)
		stack_floor = stack_base - rlimit + PGW_STACK_RESERVE;
}

static wasm_engine_t *
make_engine(bool metered)
{
	wasm_config_t *config = pgw_config_new(metered);
	wasm_engine_t *engine;

	pgw_memory_configure(config);
	engine = wasm_engine_new_with_config(config);
	if (engine == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not start the WebAssembly engine")));
	PG_TRY();
	{
		pgw_interrupt_init(engine);
	}
	PG_CATCH();
	{
		wasm_engine_delete(engine);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return engine;
}

wasm_engine_t *
pgw_engine(bool metered)
{
	if (likely(engines[metered] != NULL))
		return engines[metered];
	if (IsPostmasterEnvironment && !IsUnderPostmaster)
		elog(ERROR, "the WebAssembly engine cannot start in the postmaster");
	find_stack_floor();
	engines[metered] = make_engine(metered);
	return engines[metered];
}

/*
 * A long jump that arrived at the barrier crossed frames of the engine, whose
 * state is now undefined: this backend must not go on.
 */
static void
broken_barrier(void)
{
	/* it may point into frames that the jump has left */
	error_context_stack = NULL;
	ereport(FATAL,
			(errcode(ERRCODE_INTERNAL_ERROR),
			 errmsg("the WebAssembly engine was left by a long jump"),
			 errdetail("A signal handler that another library installed has thrown an error inside a guest.")));
}

void
pgw_engine_check_stack(void)
{
	char		here;

	/* what check_stack_depth() tests, without a call */
	if (unlikely(stack_base - &here > max_stack_depth * 1024L))
		check_stack_depth();
	if (unlikely(&here < stack_floor))
		ereport(ERROR,
				(errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
				 errmsg("not enough stack left to call a WebAssembly function"),
				 errhint("Raise the operating system's limit on the stack, or lower max_stack_depth.")));
}

/*
 * Enters a guest: instantiates a module, which runs its start function, or,
 * where module is NULL, calls an entry.  Returns false when that failed.
 */
static bool
enter(PgwStore *store, const wasmtime_module_t *module, const PgwEntry *entry,
	  PgwSlot *slots, size_t nslots, wasmtime_error_t **error, wasm_trap_t **trap)
{
	sigjmp_buf *outer = PG_exception_stack;
	sigjmp_buf	barrier;

	if (unlikely(sigsetjmp(barrier, 0) != 0))
	{
		PG_exception_stack = outer;
		broken_barrier();
	}
	PG_exception_stack = &barrier;
	pgw_interrupt_enter();
	*trap = NULL;
	if (likely(module == NULL))
		*error = wasmtime_func_call_unchecked(store->context, entry, slots, nslots, trap);
	else
		*error = wasmtime_instance_new(store->context, module, NULL, 0, &store->instance, trap);
	pgw_interrupt_leave();
	PG_exception_stack = outer;
	return likely(*error == NULL && *trap == NULL);
}

bool
pgw_store_call(PgwStore *store, const PgwEntry *entry, PgwSlot *slots, size_t nslots,
			   wasmtime_error_t **error, wasm_trap_t **trap)
{
	return enter(store, NULL, entry, slots, nslots, error, trap);
}

bool
pgw_store_try_open(PgwStore *store, const wasmtime_module_t *module, const PgwLimits *limits,
				   wasmtime_error_t **error, wasm_trap_t **trap)
{
	pgw_engine_check_stack();
	store->memory = 0;
	store->store = wasmtime_store_new(pgw_engine(limits->fuel > 0), NULL, NULL);
	store->context = wasmtime_store_context(store->store);
	wasmtime_store_limiter(store->store, (int64_t) limits->memory * 1024,
						   PGW_TABLE_ELEMENTS_MAX, 1, PGW_TABLES_MAX, PGW_MEMORIES_MAX);
	pgw_interrupt_watch(store->store);
	if (limits->fuel > 0)
		pgw_store_set_fuel(store, limits->fuel);
	pgw_memory_account(&store->memory);
	if (enter(store, module, NULL, NULL, 0, error, trap))
		return true;
	pgw_store_close(store);
	return false;
}

void
pgw_store_open(PgwStore *store, const wasmtime_module_t *module, const PgwLimits *limits)
{
	wasmtime_error_t *error;
	wasm_trap_t *trap;

	if (!pgw_store_try_open(store, module, limits, &error, &trap))
		pgw_error_throw(error, trap);
}

void
pgw_store_set_fuel(PgwStore *store, double fuel)
{
	wasmtime_error_t *error = wasmtime_context_set_fuel(store->context, (uint64_t) fuel);

	Assert(error == NULL);
	if (error != NULL)
		wasmtime_error_delete(error);
}

void
pgw_store_close(PgwStore *store)
{
	if (store->store == NULL)
		return;
	wasmtime_store_delete(store->store);
	store->store = NULL;
	store->context = NULL;
}

bool
pgw_store_entry(PgwStore *store, const char *name, size_t length, PgwEntry *entry)
{
	wasmtime_extern_t found;

	if (!wasmtime_instance_export_get(store->context, &store->instance, name, length, &found))
		return false;
	if (found.kind != WASMTIME_EXTERN_FUNC)
	{
		wasmtime_extern_delete(&found);
		return false;
	}
	*entry = found.of.func;
	return true;
}
