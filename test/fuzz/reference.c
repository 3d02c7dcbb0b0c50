/*
 * reference.c
 *		The engine of the extension outside of PostgreSQL, as a server on pipes.
 *
 * Answers requests on standard input with what the engine makes of them.
 * Numbers are of 4 bytes in the machine's order, texts a number and the bytes,
 * values 16 bytes each.
 *
 *	'M' text			a module, binary or WAT, takes the place of the last one:
 *						'-' text, when it is refused, with the reason; or
 *						'+' number of imports, number of exports, each of them
 *						kind, text, and for a function its parameter and result
 *						types, both as texts of a byte a type
 *	'C' number values	calls an export, by its place in that list:
 *						'=' number values; or
 *						'!' number, a trap code; or
 *						'?' text, an error without a code
 *						followed by 'i' when there was no instance and
 *						none could be made, else 'c'
 *
 * The first call, and the next one after a failure, makes an instance, with the
 * limits that the extension sets.  A guest that runs longer than CALL_TIME is
 * stopped: trap code WASMTIME_TRAP_CODE_INTERRUPT.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "engine/config.h"
#include "engine/text.h"

#define MEMORY_MAX (64 * 1024 * 1024)
#define TABLE_ELEMENTS_MAX 100000
#define TABLES_MAX 4
#define MEMORIES_MAX 1

/* Processor time of one call, in microseconds */
#define CALL_TIME 300000

#define SLOTS_MAX 2048

static wasm_engine_t *engine;
static wasmtime_module_t *module;
static wasm_exporttype_vec_t exports;
static wasmtime_store_t *store;
static wasmtime_instance_t instance;

static void
fail(const char *message)
{
	fprintf(stderr, "reference: %s\n", message);
	exit(1);
}

/* --- pipes --- */

static void
get(void *to, size_t length)
{
	if (fread(to, 1, length, stdin) != length)
		fail("the request ends early");
}

static uint32_t
get_number(void)
{
	uint32_t	number;

	get(&number, sizeof(number));
	return number;
}

static void
put_number(uint32_t number)
{
	fwrite(&number, sizeof(number), 1, stdout);
}

static void
put_text(const char *text, size_t length)
{
	put_number(length);
	fwrite(text, 1, length, stdout);
}

/* Releases the error. */
static void
put_error(wasmtime_error_t *error)
{
	wasm_byte_vec_t text;

	wasmtime_error_message(error, &text);
	put_text(text.data, text.size);
	wasm_byte_vec_delete(&text);
	wasmtime_error_delete(error);
}

/* --- modules --- */

static void
close_store(void)
{
	if (store != NULL)
		wasmtime_store_delete(store);
	store = NULL;
}

static void
close_module(void)
{
	close_store();
	if (module != NULL)
	{
		wasm_exporttype_vec_delete(&exports);
		wasmtime_module_delete(module);
	}
	module = NULL;
}

static wasmtime_error_t *
compile(const char *bytes, size_t length)
{
	wasm_byte_vec_t binary;
	wasmtime_error_t *error;

	if (!pgw_is_wat(bytes, length))
		return wasmtime_module_new(engine, (const uint8_t *) bytes, length, &module);
	error = wasmtime_wat2wasm(bytes, length, &binary);
	if (error != NULL)
		return error;
	error = wasmtime_module_new(engine, (const uint8_t *) binary.data, binary.size, &module);
	wasm_byte_vec_delete(&binary);
	return error;
}

/* wasm_valtype_kind() would abort on v128. */
static char
type_letter(const wasm_valtype_t *type)
{
	wasmtime_valtype_t found;
	char		letter;

	wasmtime_valtype_new(type, &found);
	switch (found.kind)
	{
		case WASMTIME_VALTYPE_KIND_I32:
			letter = 'i';
			break;
		case WASMTIME_VALTYPE_KIND_I64:
			letter = 'I';
			break;
		case WASMTIME_VALTYPE_KIND_F32:
			letter = 'f';
			break;
		case WASMTIME_VALTYPE_KIND_F64:
			letter = 'F';
			break;
		case WASMTIME_VALTYPE_KIND_V128:
			letter = 'v';
			break;
		default:
			letter = found.reftype.heaptype.kind == WASMTIME_HEAPTYPE_KIND_FUNC ? 'r' : 'e';
			break;
	}
	wasmtime_valtype_delete(&found);
	return letter;
}

static void
put_types(const wasm_valtype_vec_t *types)
{
	put_number(types->size);
	for (size_t i = 0; i < types->size; i++)
		putchar(type_letter(types->data[i]));
}

static void
put_export(const wasm_exporttype_t *export)
{
	const wasm_externtype_t *type = wasm_exporttype_type(export);
	const wasm_name_t *name = wasm_exporttype_name(export);

	putchar(wasm_externtype_kind(type));
	put_text(name->data, name->size);
	if (wasm_externtype_kind(type) == WASM_EXTERN_FUNC)
	{
		put_types(wasm_functype_params(wasm_externtype_as_functype_const(type)));
		put_types(wasm_functype_results(wasm_externtype_as_functype_const(type)));
	}
}

static uint32_t
count_imports(void)
{
	wasm_importtype_vec_t imports;
	uint32_t	count;

	wasmtime_module_imports(module, &imports);
	count = imports.size;
	wasm_importtype_vec_delete(&imports);
	return count;
}

static void
answer_module(void)
{
	uint32_t	length = get_number();
	char	   *bytes = malloc(length + 1);
	wasmtime_error_t *error;

	if (bytes == NULL)
		fail("out of memory");
	get(bytes, length);
	close_module();
	error = compile(bytes, length);
	free(bytes);
	if (error != NULL)
	{
		module = NULL;
		putchar('-');
		put_error(error);
		return;
	}
	wasmtime_module_exports(module, &exports);
	putchar('+');
	put_number(count_imports());
	put_number(exports.size);
	for (size_t i = 0; i < exports.size; i++)
		put_export(exports.data[i]);
}

/* --- calls --- */

/* Comes again until the guest has ended, since one increment may be too early. */
static void
on_time(int signo)
{
	wasmtime_engine_increment_epoch(engine);
}

static void
set_clock(long microseconds)
{
	struct itimerval clock = {
		.it_interval.tv_usec = microseconds,
		.it_value.tv_usec = microseconds
	};

	setitimer(ITIMER_PROF, &clock, NULL);
}

/* Makes the instance; false when that fails. */
static bool
open_store(wasmtime_error_t **error, wasm_trap_t **trap)
{
	store = wasmtime_store_new(engine, NULL, NULL);
	wasmtime_store_limiter(store, MEMORY_MAX, TABLE_ELEMENTS_MAX, 1, TABLES_MAX, MEMORIES_MAX);
	wasmtime_context_set_epoch_deadline(wasmtime_store_context(store), 1);
	*error = wasmtime_instance_new(wasmtime_store_context(store), module, NULL, 0, &instance, trap);
	return *error == NULL && *trap == NULL;
}

static bool
call(const wasm_exporttype_t *export, wasmtime_val_raw_t *slots,
	 wasmtime_error_t **error, wasm_trap_t **trap)
{
	wasmtime_context_t *context = wasmtime_store_context(store);
	const wasm_name_t *name = wasm_exporttype_name(export);
	wasmtime_extern_t found;

	if (!wasmtime_instance_export_get(context, &instance, name->data, name->size, &found) ||
		found.kind != WASMTIME_EXTERN_FUNC)
		fail("no such function");
	wasmtime_context_set_epoch_deadline(context, 1);
	*error = wasmtime_func_call_unchecked(context, &found.of.func, slots, SLOTS_MAX, trap);
	return *error == NULL && *trap == NULL;
}

/* Releases error and trap. */
static void
put_failure(wasmtime_error_t *error, wasm_trap_t *trap)
{
	wasmtime_trap_code_t code;
	wasm_message_t text;

	if (error != NULL)
	{
		putchar('?');
		put_error(error);
		return;
	}
	if (wasmtime_trap_code(trap, &code))
	{
		putchar('!');
		put_number(code);
	}
	else
	{
		wasm_trap_message(trap, &text);
		putchar('?');
		put_text(text.data, strnlen(text.data, text.size));
		wasm_byte_vec_delete(&text);
	}
	wasm_trap_delete(trap);
}

/* The bits that the engine defines; those above a narrower value are zero. */
static void
put_results(const wasm_valtype_vec_t *types, const wasmtime_val_raw_t *slots)
{
	putchar('=');
	put_number(types->size);
	for (size_t i = 0; i < types->size; i++)
	{
		char		value[16] = {0};
		char		letter = type_letter(types->data[i]);

		memcpy(value, &slots[i], letter == 'v' ? 16 : letter == 'I' || letter == 'F' ? 8 : 4);
		fwrite(value, sizeof(value), 1, stdout);
	}
}

static void
answer_call(void)
{
	static wasmtime_val_raw_t slots[SLOTS_MAX];
	uint32_t	place = get_number();
	uint32_t	nargs = get_number();
	wasmtime_error_t *error = NULL;
	wasm_trap_t *trap = NULL;
	const wasm_functype_t *type;
	bool		called;
	bool		succeeded;

	if (module == NULL || place >= exports.size || nargs > SLOTS_MAX)
		fail("no such call");
	type = wasm_externtype_as_functype_const(wasm_exporttype_type(exports.data[place]));
	if (type == NULL || wasm_functype_params(type)->size != nargs ||
		wasm_functype_results(type)->size > SLOTS_MAX)
		fail("not such a function");
	for (uint32_t i = 0; i < nargs; i++)
		get(&slots[i], 16);

	set_clock(CALL_TIME);
	called = store != NULL || open_store(&error, &trap);
	succeeded = called && call(exports.data[place], slots, &error, &trap);
	set_clock(0);
	if (succeeded)
		put_results(wasm_functype_results(type), slots);
	else
	{
		put_failure(error, trap);
		close_store();
	}
	putchar(called ? 'c' : 'i');
}

int
main(void)
{
	struct sigaction action = {.sa_handler = on_time,.sa_flags = SA_RESTART};
	int			request;

	engine = wasm_engine_new_with_config(pgw_config_new(PGW_MODE_EPOCHS));
	if (engine == NULL)
		fail("the engine does not start");
	sigaction(SIGPROF, &action, NULL);
	while ((request = getchar()) != EOF)
	{
		if (request == 'M')
			answer_module();
		else if (request == 'C')
			answer_call();
		else
			fail("unknown request");
		if (fflush(stdout) != 0)
			return 1;
	}
	return 0;
}
