/*
 * link.c
 *		What components may import.
 *
 * WASI 0.2 is the engine library's (engine/src/wasi.rs), on top of the same process
 * as preview 1.  Functions of postgres:host are those that core modules import: the
 * engine library calls them with the flat values of the canonical ABI.
 */
#include "postgres.h"

#include "engine/encoding.h"
#include "engine/error.h"
#include "host/component_files.h"
#include "host/guest.h"
#include "host/process.h"
#include "lib/stringinfo.h"

/* --- functions of postgres:host --- */

static const void *
find(const char *from, size_t from_length, const char *name, size_t length)
{
	char		module[NAMEDATALEN];

	if (from_length >= sizeof(module))
		return NULL;
	memcpy(module, from, from_length);
	module[from_length] = '\0';
	return pgw_host_find(module, name, length);
}

static bool
run(const void *function, PgwLowering *lowering, wasmtime_val_raw_t *slots, size_t nslots)
{
	PgwGuest	guest = {
		.lowering = lowering,
		.store = wasmtime_context_get_data(pgw_lower_store(lowering))
	};

	return pgw_guest_run(&guest, function, slots, nslots);
}

static bool
drop(const void *function, wasmtime_context_t *context, uint32_t resource)
{
	PgwGuest	guest = {.store = wasmtime_context_get_data(context)};
	PgwSlot		slot = {.i32 = resource};

	return pgw_guest_run(&guest, function, &slot, 1);
}

/* --- WASI: an operation that may throw, as a function of the host --- */

static bool
attempt(uint32 (*operation) (PgwGuest *guest, const PgwSlot *slots), PgwSlot *slots)
{
	PgwHostFunction function = {.run = operation};
	PgwGuest	guest = {NULL};

	return pgw_guest_run(&guest, &function, slots, 0);
}

static uint32
run_write(PgwGuest *guest, const PgwSlot *slots)
{
	pgw_output(slots[0].i32, slots[1].funcref, slots[2].i64);
	return 0;
}

static bool
wasi_write(uint32_t stream, const uint8_t *bytes, size_t length)
{
	PgwSlot		slots[] = {{.i32 = stream}, {.funcref = unconstify(uint8_t *, bytes)}, {.i64 = length}};

	return attempt(run_write, slots);
}

static uint32
run_sleep(PgwGuest *guest, const PgwSlot *slots)
{
	pgw_wait_until(pgw_now_monotonic() + Min((uint64) slots[0].i64, PG_INT64_MAX / 2));
	return 0;
}

static bool
wasi_sleep(uint64_t nanoseconds)
{
	PgwSlot		slot = {.i64 = nanoseconds};

	return attempt(run_sleep, &slot);
}

static uint32
run_exit(PgwGuest *guest, const PgwSlot *slots)
{
	pgw_exit(slots[0].i32);
	pgw_guest_exit(guest);
	return 0;
}

static void
wasi_exit(uint32_t code)
{
	PgwSlot		slot = {.i32 = code};

	(void) attempt(run_exit, &slot);
}

static uint32
run_random(PgwGuest *guest, const PgwSlot *slots)
{
	pgw_random(slots[0].funcref, slots[1].i64);
	return 0;
}

static bool
wasi_random(uint8_t *bytes, size_t length)
{
	PgwSlot		slots[] = {{.funcref = bytes}, {.i64 = length}};

	return attempt(run_random, slots);
}

static bool
wasi_environment(size_t index, PgwText *name, PgwText *value)
{
	return pgw_store_running != NULL && pgw_variable(pgw_store_running->environment, index, name, value);
}

static uint32
run_file(PgwGuest *guest, const PgwSlot *slots)
{
	pgw_component_file(slots[0].i32, slots[1].funcref);
	return 0;
}

static bool
wasi_file(PgwFileOperation operation, PgwFileRequest *request)
{
	PgwSlot		slots[] = {{.i32 = operation}, {.funcref = request}};

	return attempt(run_file, slots);
}

/* --- linking --- */

static const PgwComponentHost host = {
	find, run, drop, {wasi_write, wasi_sleep, wasi_exit, wasi_random, wasi_environment, wasi_file}
};

/* The type of a core function that does what this one says; palloc'd. */
static char *
flat_type(const PgwWitFunc *func)
{
	StringInfoData type;

	initStringInfo(&type);
	if (func->params->nflat > PGW_FLAT_MAX)
		appendStringInfoChar(&type, 'i');
	else
		appendBinaryStringInfo(&type, func->params->flat, func->params->nflat);
	if (func->result != NULL && func->result->nflat > 1)
		appendStringInfoChar(&type, 'i');
	else if (func->result != NULL)
		appendStringInfo(&type, ":%c", func->result->flat[0]);
	return type.data;
}

static void
check_import(const PgwExtern *import)
{
	const PgwHostFunction *function;

	if (import->kind != PGW_EXTERN_FUNCTION || strncmp(import->from, "wasi:", 5) == 0)
		return;
	function = pgw_host_find(import->from, import->raw_name, import->raw_length);
	if (function == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("WebAssembly component imports \"%s\" from \"%s\", which nobody provides",
						pgw_shown_name(import->name), pgw_shown_name(import->from)),
				 errdetail("The import has the type %s.", pgw_extern_type(import)),
				 errhint("Components may import WASI 0.2, and functions of postgres:host.")));
	if (strcmp(flat_type(import->wit), function->type) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("WebAssembly component imports \"%s\" from \"%s\" with another type",
						pgw_shown_name(import->name), pgw_shown_name(import->from)),
				 errdetail("The import has the type %s.", pgw_extern_type(import))));
}

void
pgw_host_link(PgwCode *code)
{
	wasmtime_error_t *error;

	if (code->linked)
		return;
	for (int i = 0; i < code->nimports; i++)
		check_import(&code->imports[i]);
	error = pgw_component_link(code->artifact.component, &host);
	if (error != NULL)
		pgw_error_throw_link(error);
	code->linked = true;
}
