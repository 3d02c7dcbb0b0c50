/*
 * host.c
 *		What guests may import: functions of the host.
 *
 * No error leaves a function of the host by a long jump: it is caught, kept on
 * the error stack, and thrown again when the engine has unwound the guest (see
 * error.c).
 */
#include "postgres.h"

#include "host/host.h"

#include "engine/encoding.h"
#include "engine/error.h"
#include "host/guest.h"
#include "host/log.h"
#include "host/query.h"
#include "host/session.h"
#include "host/wasi.h"
#include "miscadmin.h"

#define INITIALIZE "_initialize"

static const PgwHostModule *const modules[] = {
	&pgw_log_module, &pgw_query_module, &pgw_session_module, &pgw_wasi_module, &pgw_wasi_files_module
};

/* --- what is provided --- */

static bool
is_type(PgwValType type, char letter)
{
	return type == (letter == 'i' ? PGW_I32 : PGW_I64);
}

static bool
fits(const PgwHostFunction *function, const PgwFuncType *type)
{
	const char *letter = function->type;

	for (int i = 0; i < type->nparams; i++, letter++)
	{
		if (*letter == '\0' || *letter == ':' || !is_type(type->params[i], *letter))
			return false;
	}
	if (*letter == '\0')
		return type->nresults == 0;
	return *letter == ':' && type->nresults == 1 && is_type(type->results[0], letter[1]);
}

const PgwHostFunction *
pgw_host_find(const char *from, const char *name, size_t length)
{
	for (int i = 0; i < lengthof(modules); i++)
	{
		if (strcmp(modules[i]->name, from) != 0)
			continue;
		for (const PgwHostFunction *f = modules[i]->functions; f->name != NULL; f++)
		{
			if (strlen(f->name) == length && memcmp(f->name, name, length) == 0)
				return f;
		}
	}
	return NULL;
}

/* The function that an import denotes, whatever its type; NULL when there is none. */
static const PgwHostFunction *
find(const PgwExtern *import)
{
	if (import->kind != PGW_EXTERN_FUNCTION || import->from == NULL)
		return NULL;
	return pgw_host_find(import->from, import->raw_name, import->raw_length);
}

static void
check_core(const PgwCode *code)
{
	for (int i = 0; i < code->nimports; i++)
	{
		const PgwExtern *import = &code->imports[i];
		const PgwHostFunction *function = find(import);

		if (function == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
					 errmsg("WebAssembly module imports \"%s\" from \"%s\", which nobody provides",
							pgw_shown_name(import->name), pgw_shown_name(import->from)),
					 errdetail("The import has the type %s.", pgw_extern_type(import)),
					 errhint("Guests may import functions of WASI, preview 1, and of postgres:host: build the module without other imports.")));
		if (!fits(function, &import->func))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
					 errmsg("WebAssembly module imports \"%s\" from \"%s\" with another type",
							pgw_shown_name(import->name), pgw_shown_name(import->from)),
					 errdetail("The import has the type %s.", pgw_extern_type(import))));
	}
}

void
pgw_host_check(PgwCode *code)
{
	if (code->artifact.component != NULL)
		pgw_host_link(code);
	else
		check_core(code);
}

bool
pgw_host_may_query(const PgwCode *code)
{
	for (int i = 0; i < code->nimports; i++)
	{
		if (code->imports[i].from != NULL && strcmp(code->imports[i].from, pgw_query_module.name) == 0)
			return true;
	}
	return false;
}

/* --- calls --- */

/* Finds an export of the guest, of that kind. */
static bool
find_export(PgwGuest *guest, const char *name, wasmtime_extern_kind_t kind, wasmtime_extern_t *found)
{
	if (!wasmtime_caller_export_get(guest->caller, name, strlen(name), found))
		return false;
	if (found->kind == kind)
		return true;
	wasmtime_extern_delete(found);
	return false;
}

static bool
find_memory(PgwGuest *guest)
{
	wasmtime_extern_t found;

	if (!guest->has_memory && find_export(guest, "memory", WASMTIME_EXTERN_MEMORY, &found))
	{
		guest->memory = found.of.memory;
		guest->has_memory = true;
	}
	return guest->has_memory;
}

/* Finds cabi_realloc, of the right type, which the code knows. */
static void
find_realloc(PgwGuest *guest)
{
	const PgwCode *code = guest->store->provided;
	wasmtime_extern_t found;

	if (guest->has_realloc)
		return;
	if (!pgw_code_has_lists(code) ||
		!find_export(guest, code->realloc->raw_name, WASMTIME_EXTERN_FUNC, &found))
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("WebAssembly guest cannot be given memory"),
				 errhint("A module that calls this function must export \"memory\" and \"cabi_realloc\", (func (param i32 i32 i32 i32) (result i32)).")));
	guest->realloc = found.of.func;
	guest->has_realloc = true;
}

/* Looks at the memory as it is now; false when the guest shows none. */
static bool
look_at_memory(PgwGuest *guest, PgwGuestMemory *memory)
{
	if (guest->lowering != NULL)
	{
		pgw_lower_memory(guest->lowering, memory);
		if (!memory->is_utf8)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("WebAssembly component calls a function of the host with strings that are not in UTF-8")));
		return memory->bytes != NULL;
	}
	if (guest->caller == NULL || !find_memory(guest))
		return false;
	memory->bytes = pgw_memory_bytes(guest->store, &guest->memory, &memory->size);
	return true;
}

void *
pgw_guest_bytes(PgwGuest *guest, uint32 address, uint64 length)
{
	PgwGuestMemory memory;

	if (!look_at_memory(guest, &memory) || length > memory.size || address > memory.size - length)
		return NULL;
	return memory.bytes + address;
}

/* The engine allocates for a component, and says what is wrong. */
static uint32
alloc_in_component(PgwGuest *guest, uint32 alignment, uint32 size)
{
	wasmtime_error_t *error;
	uint32		address;

	pgw_engine_check_stack();
	error = pgw_lower_alloc(guest->lowering, alignment, size, &address);
	if (error != NULL)
		pgw_error_throw(error, NULL);
	return address;
}

uint32
pgw_guest_alloc(PgwGuest *guest, uint32 alignment, uint32 size)
{
	/* old address, old size, alignment, size; then the address */
	PgwSlot		slots[4] = {{.i32 = 0}, {.i32 = 0}, {.i32 = alignment}, {.i32 = size}};
	wasmtime_error_t *error;
	wasm_trap_t *trap;
	uint32		address;

	if (guest->lowering != NULL)
		return alloc_in_component(guest, alignment, size);
	find_realloc(guest);
	pgw_engine_check_stack();
	if (!pgw_store_call(guest->store, &guest->realloc, slots, lengthof(slots), &error, &trap))
	{
		if (pgw_error_is_exit(error, trap))
			ereport(ERROR,
					(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
					 errmsg("WebAssembly guest exited while it was given memory")));
		pgw_error_throw(error, trap);
	}
	address = slots[0].i32;
	if (address % alignment != 0 || pgw_guest_bytes(guest, address, size) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("WebAssembly guest allocated memory that is not aligned, or not its own"),
				 errdetail("For %u bytes aligned to %u, cabi_realloc returned the address %u.",
						   size, alignment, address)));
	return address;
}

PgwStore *
pgw_guest_store(PgwGuest *guest)
{
	return guest->store;
}

void
pgw_guest_exit(PgwGuest *guest)
{
	guest->exited = true;
}

bool
pgw_guest_run(PgwGuest *guest, const PgwHostFunction *function, PgwSlot *slots, size_t nslots)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool failed = false;

	PG_TRY();
	{
		check_stack_depth();
		if (function->run64 != NULL)
			slots[0].i64 = function->run64(guest, slots);
		else
		{
			uint32		result = function->run(guest, slots);

			if (nslots > 0)
				slots[0].i32 = result;
		}
	}
	PG_CATCH();
	{
		pgw_error_capture(context);
		failed = true;
	}
	PG_END_TRY();
	if (guest->exited)
		pgw_error_mark_exit();
	return !failed && !guest->exited;
}

static wasm_trap_t *
enter_host(void *data, wasmtime_caller_t *caller, wasmtime_val_raw_t *slots, size_t nslots)
{
	static const char reason[] = "ended by the host";
	PgwGuest	guest = {.caller = caller,.store = wasmtime_context_get_data(wasmtime_caller_context(caller))};

	return pgw_guest_run(&guest, data, slots, nslots) ? NULL : wasmtime_trap_new(reason, strlen(reason));
}

/* --- linking --- */

static wasm_valtype_t *
make_valtype(PgwValType type)
{
	return wasm_valtype_new(type == PGW_I32 ? WASM_I32 : WASM_I64);
}

static wasm_functype_t *
make_type(const PgwFuncType *type)
{
	wasm_valtype_vec_t params;
	wasm_valtype_vec_t results;

	wasm_valtype_vec_new_uninitialized(&params, type->nparams);
	for (int i = 0; i < type->nparams; i++)
		params.data[i] = make_valtype(type->params[i]);
	wasm_valtype_vec_new_uninitialized(&results, type->nresults);
	for (int i = 0; i < type->nresults; i++)
		results.data[i] = make_valtype(type->results[i]);
	return wasm_functype_new(&params, &results);
}

/* Makes the functions in a store, after pgw_host_check().  Never throws. */
static void
provide(wasmtime_context_t *context, const void *data, wasmtime_extern_t *externs)
{
	const PgwCode *code = data;

	for (int i = 0; i < code->nimports; i++)
	{
		const PgwExtern *import = &code->imports[i];
		wasm_functype_t *type = make_type(&import->func);

		externs[i].kind = WASMTIME_EXTERN_FUNC;
		wasmtime_func_new_unchecked(context, type, enter_host, unconstify(PgwHostFunction *, find(import)),
									NULL, &externs[i].of.func);
		wasm_functype_delete(type);
	}
}

/* Does it export what a reactor of WASI does, a library and no command? */
static bool
is_reactor(const PgwCode *code)
{
	const PgwExtern *export = pgw_code_export(code, INITIALIZE);

	return export != NULL && export->func.nparams == 0 && export->func.nresults == 0;
}

PgwImports
pgw_host_imports(const PgwCode *code)
{
	/* a component has been linked */
	if (code->artifact.component != NULL)
		return (PgwImports) {.data = code};
	return (PgwImports) {code->nimports, provide, code, is_reactor(code) ? INITIALIZE : NULL};
}
