/*
 * engine.c
 *		The engine of this backend, stores, and calls into guests.
 *
 * The engine is made by the first use in a backend, never in the postmaster:
 * its signal handlers must come after those that a backend installs.  It
 * starts no thread.  What the postmaster makes for a moment handles no signals.
 */
#include "postgres.h"

#include "engine/engine.h"

#include "engine/config.h"
#include "engine/error.h"
#include "engine/interrupt.h"
#include "engine/memory.h"
#include "engine/profiler.h"
#include "engine/redirect.h"
#include "miscadmin.h"

/* What one core instance may have, beside wasm.memory_limit */
#define PGW_TABLE_ELEMENTS_MAX 100000
#define PGW_TABLES_MAX 4
#define PGW_MEMORIES_MAX 1

/* Core instances, and tables, and memories, that a component may have */
#define PGW_COMPONENT_INSTANCES_MAX 256

/* What must be left of the process's stack to call a guest */
#define PGW_STACK_RESERVE (1024 * 1024)

/* An rlimit from here on is none */
#define PGW_STACK_UNLIMITED (INT64CONST(1) << 40)

/* Of each mode */
static wasm_engine_t *engines[PGW_MODES];

/* Where the stack begins, and the lowest address from which a call may be made */
static const char *stack_base = NULL;
static const char *stack_floor = NULL;

PgwStackLimit pgw_stack_limit = {NULL, -1};

PgwStore   *pgw_store_running = NULL;

/*
 * The stack grows downwards from where the backend began to use it, by as much
 * as the rlimit allows.  Version 15 does not record that place in single-user
 * mode; there it is taken to be here.
 */
static void
find_stack_floor(void)
{
	long		rlimit = get_stack_depth_rlimit();
	pg_stack_base_t base = set_stack_base();

	restore_stack_base(base);
	stack_base = base;
	if (stack_base == NULL)
		stack_base = __builtin_frame_address(0);
	if (rlimit > 0 && rlimit < PGW_STACK_UNLIMITED)
		stack_floor = stack_base - rlimit + PGW_STACK_RESERVE;
}

/*
 * The engine's thread-local data asks to be destroyed at the end of its thread.
 * The C library's function of this name would look through all libraries of the
 * process for another, which takes longer than to make an instance; and the
 * only thread of a backend ends with the process.
 */
extern int	__cxa_thread_atexit_impl(void (*destroy) (void *), void *object, void *library);

int
__cxa_thread_atexit_impl(void (*destroy) (void *), void *object, void *library)
{
	return 0;
}

static wasm_engine_t *
make_engine(PgwMode mode)
{
	wasm_config_t *config = pgw_config_new(mode);
	wasm_engine_t *engine;

	/* of components the engine makes memories, and asks before they grow */
	if ((mode & PGW_MODE_COMPONENT) == 0)
		pgw_memory_configure(config);
	pgw_profiler_configure(config);
	engine = wasm_engine_new_with_config(config);
	if (engine == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not start the WebAssembly engine")));
	PG_TRY();
	{
		if (mode == 0)
			pgw_redirect_init(engine);
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

void
pgw_engine_prepare(void)
{
	wasm_config_t *config = pgw_config_new(0);
	wasm_engine_t *engine;

	wasmtime_config_signals_based_traps_set(config, false);
	engine = wasm_engine_new_with_config(config);
	pgw_redirect_try(engine);
	wasm_engine_delete(engine);
}

wasm_engine_t *
pgw_engine(PgwMode mode)
{
	if (likely(engines[mode] != NULL))
		return engines[mode];
	if (IsPostmasterEnvironment && !IsUnderPostmaster)
		elog(ERROR, "the WebAssembly engine cannot start in the postmaster");
	find_stack_floor();
	/* code that polls no epoch is stopped with the help of this one */
	if (mode == PGW_MODE_METERED)
		(void) pgw_engine(0);
	engines[mode] = make_engine(mode);
	return engines[mode];
}

/* Looks again at what max_stack_depth allows, and throws when that is not enough. */
void
pgw_engine_look_at_stack(const char *here)
{
	const char *allowed = stack_base - max_stack_depth * 1024L;

	Assert(stack_base != NULL);
	if (here < allowed)
		check_stack_depth();
	if (here < stack_floor)
		ereport(ERROR,
				(errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
				 errmsg("not enough stack left to call a WebAssembly function"),
				 errhint("Raise the operating system's limit on the stack, or lower max_stack_depth.")));
	pgw_stack_limit.lowest = Max(allowed, stack_floor);
	pgw_stack_limit.max_stack_depth = max_stack_depth;
}

static bool
initialize(PgwStore *store, const char *name, wasmtime_error_t **error, wasm_trap_t **trap)
{
	PgwEntry	entry;
	PgwSlot		slot;

	return name == NULL || !pgw_store_entry(store, name, strlen(name), &entry) ||
		pgw_store_call(store, &entry, &slot, 1, error, trap);
}

/* A memory of a component is to grow by so many bytes. */
static PgwGrowth
charge(void *data, size_t bytes)
{
	PgwStore   *store = data;

	if (bytes > store->memory_limit || store->memory > store->memory_limit - bytes)
		return PGW_GROWTH_BEYOND_INSTANCE;
	if (!pgw_memory_charge(bytes))
		return PGW_GROWTH_BEYOND_SESSION;
	store->memory += bytes;
	return PGW_GROWTH_ALLOWED;
}

/* What the instance of a module may have */
static void
limit(PgwStore *store, const PgwArtifact *artifact)
{
	if (artifact->component != NULL)
	{
		pgw_component_limit(store->store, PGW_COMPONENT_INSTANCES_MAX, PGW_TABLE_ELEMENTS_MAX, charge, store);
		return;
	}
	wasmtime_store_limiter(store->store, (int64_t) store->memory_limit, PGW_TABLE_ELEMENTS_MAX,
						   1, PGW_TABLES_MAX, PGW_MEMORIES_MAX);
	pgw_memory_account(&store->memory);
}

static wasmtime_error_t *
instantiate(PgwStore *store, const PgwArtifact *artifact, const PgwImports *imports,
			const wasmtime_extern_t *externs, wasm_trap_t **trap)
{
	if (artifact->component != NULL)
		return pgw_component_instantiate(store->context, artifact->component, &store->component);
	return wasmtime_instance_new(store->context, artifact->module, externs, imports->count,
								 &store->instance, trap);
}

bool
pgw_store_try_open(PgwStore *store, const PgwArtifact *artifact, const PgwImports *imports,
				   const PgwLimits *limits, wasmtime_error_t **error, wasm_trap_t **trap)
{
	wasmtime_extern_t *externs = palloc(Max(imports->count, 1) * sizeof(wasmtime_extern_t));
	PgwMode		mode = artifact->layout.mode;
	sigjmp_buf *outer;
	PgwStore   *outer_store;

	pgw_engine_check_stack();
	store->memory = 0;
	store->memory_limit = (size_t) limits->memory * 1024;
	store->is_component = artifact->component != NULL;
	store->environment = limits->environment;
	store->directories = limits->directories;
	store->provided = imports->data;
	store->read_only = true;
	store->kept = NULL;
	store->store = wasmtime_store_new(pgw_engine(mode), store, NULL);
	store->context = wasmtime_store_context(store->store);
	limit(store, artifact);
	if (mode & PGW_MODE_EPOCHS)
		pgw_interrupt_watch(store->store);
	if (mode & PGW_MODE_METERED)
		pgw_store_set_fuel(store, limits->fuel);
	if (imports->count > 0)
		imports->provide(store->context, imports->data, externs);
	outer = pgw_guest_enter();
	outer_store = pgw_store_running;
	pgw_store_running = store;
	*trap = NULL;
	*error = instantiate(store, artifact, imports, externs, trap);
	pgw_store_running = outer_store;
	pgw_guest_leave(outer);
	pfree(externs);
	if (*error == NULL && *trap == NULL && initialize(store, imports->initialize, error, trap))
		return true;
	pgw_store_close(store);
	return false;
}

void
pgw_store_open(PgwStore *store, const PgwArtifact *artifact, const PgwImports *imports,
			   const PgwLimits *limits)
{
	wasmtime_error_t *error;
	wasm_trap_t *trap;

	if (!pgw_store_try_open(store, artifact, imports, limits, &error, &trap))
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
pgw_store_keep(PgwStore *store, PgwKept *kept)
{
	kept->next = store->kept;
	store->kept = kept;
}

PgwKept *
pgw_store_kept(const PgwStore *store, void (*forget) (PgwKept *kept))
{
	PgwKept    *kept = store->kept;

	while (kept != NULL && kept->forget != forget)
		kept = kept->next;
	return kept;
}

void
pgw_store_close(PgwStore *store)
{
	if (store->store == NULL)
		return;
	while (store->kept != NULL)
	{
		PgwKept    *kept = store->kept;

		store->kept = kept->next;
		kept->forget(kept);
	}
	wasmtime_store_delete(store->store);
	if (store->is_component)
		(void) pgw_memory_charge(-(int64) store->memory);
	store->store = NULL;
	store->context = NULL;
}

/* Nothing of what is found is to be deleted. */
static bool
find_export(PgwStore *store, const char *name, size_t length, wasmtime_extern_kind_t kind,
			wasmtime_extern_t *found)
{
	if (!wasmtime_instance_export_get(store->context, &store->instance, name, length, found))
		return false;
	if (found->kind == kind)
		return true;
	wasmtime_extern_delete(found);
	return false;
}

bool
pgw_store_entry(PgwStore *store, const char *name, size_t length, PgwEntry *entry)
{
	wasmtime_extern_t found;

	if (!find_export(store, name, length, WASMTIME_EXTERN_FUNC, &found))
		return false;
	*entry = found.of.func;
	return true;
}

bool
pgw_store_handle(PgwStore *store, const char *name, size_t length, size_t from_length, PgwHandle *handle)
{
	size_t		start = from_length > 0 ? from_length + 1 : 0;

	return pgw_component_function(store->context, &store->component, name, from_length,
								  name + start, length - start, handle);
}

bool
pgw_store_memory(PgwStore *store, const char *name, size_t length, PgwMemory *memory)
{
	wasmtime_extern_t found;

	if (!find_export(store, name, length, WASMTIME_EXTERN_MEMORY, &found))
		return false;
	*memory = found.of.memory;
	return true;
}

bool
pgw_memory_grow(PgwStore *store, const PgwMemory *memory, uint64 pages, uint64 *before)
{
	wasmtime_error_t *error = wasmtime_memory_grow(store->context, memory, pages, before);

	if (error != NULL)
		wasmtime_error_delete(error);
	return error == NULL;
}

bool
pgw_store_get_global(PgwStore *store, const char *name, size_t length, PgwSlot *value)
{
	wasmtime_extern_t found;
	wasmtime_val_t content;

	if (!find_export(store, name, length, WASMTIME_EXTERN_GLOBAL, &found))
		return false;
	wasmtime_global_get(store->context, &found.of.global, &content);
	/* both are unions of the same numbers, little-endian */
	memcpy(value, &content.of, sizeof(content.of.v128));
	return true;
}

bool
pgw_store_set_global(PgwStore *store, const char *name, size_t length, const PgwSlot *value)
{
	wasmtime_extern_t found;
	wasmtime_val_t content;
	wasmtime_error_t *error;

	if (!find_export(store, name, length, WASMTIME_EXTERN_GLOBAL, &found))
		return false;
	/* for its kind */
	wasmtime_global_get(store->context, &found.of.global, &content);
	memcpy(&content.of, value, sizeof(content.of.v128));
	error = wasmtime_global_set(store->context, &found.of.global, &content);
	if (error != NULL)
		wasmtime_error_delete(error);
	return error == NULL;
}
