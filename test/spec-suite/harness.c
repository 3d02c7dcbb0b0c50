/*
 * harness.c
 *		The engine without PostgreSQL: runs what SQL cannot reach of the
 *		specification's test suite.
 *
 * Configured as in the server (engine/config.h).  One process runs one file of
 * the suite, in one store.  It reads commands, one a line, and answers each with
 * one line.  Instances are numbered from 0 in the order of the commands that
 * make them; the number is taken even when that fails.  Names and binaries are
 * in hexadecimal, "-" when empty.
 *
 *	instantiate binary				"ok", or a failure
 *	register instance name			"ok": later modules may import from name
 *	invoke instance name value ...	"ok value ...", or a failure
 *	get instance name				"ok value": an exported global
 *
 * A failure is "invalid text", "unlinkable text", "trap kind" or "error text".
 * A value is "type:content": the bits of a number, the bytes of a v128 in the
 * order of memory, "null", "func", or the number of an external reference.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wasmtime.h>

#include "engine/config.h"

/* Beside the memory, which has the most that WebAssembly can have */
#define TABLE_ELEMENTS_MAX 100000
#define MEMORY_MAX (INT64_C(4) << 30)

/* No file runs for that many ticks, since nothing ticks. */
#define EPOCH_DEADLINE (UINT64_C(1) << 40)

#define VALUES_MAX 128

typedef struct Bytes
{
	char	   *data;
	size_t		size;
} Bytes;

typedef struct Instance
{
	bool		usable;
	wasmtime_instance_t instance;
} Instance;

static wasm_engine_t *engine;
static wasmtime_linker_t *linker;
static wasmtime_store_t *store;
static wasmtime_context_t *context;
static Instance *instances = NULL;
static size_t ninstances = 0;

/* What the suite wants modules to find under the name "spectest" */
static const char spectest[] =
	"(module"
	" (func (export \"print\"))"
	" (func (export \"print_i32\") (param i32))"
	" (func (export \"print_i64\") (param i64))"
	" (func (export \"print_f32\") (param f32))"
	" (func (export \"print_f64\") (param f64))"
	" (func (export \"print_i32_f32\") (param i32 f32))"
	" (func (export \"print_f64_f64\") (param f64 f64))"
	" (global (export \"global_i32\") i32 (i32.const 666))"
	" (global (export \"global_i64\") i64 (i64.const 666))"
	" (global (export \"global_f32\") f32 (f32.const 666.6))"
	" (global (export \"global_f64\") f64 (f64.const 666.6))"
	" (table (export \"table\") 10 20 funcref)"
	" (memory (export \"memory\") 1 2))";

/* A broken command, or an engine that does not work at all, ends the program. */
static void
fatal(const char *format,...)
{
	va_list		args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

static void *
allocate(size_t size)
{
	void	   *memory = calloc(1, size > 0 ? size : 1);

	if (memory == NULL)
		fatal("out of memory");
	return memory;
}

/* --- answers --- */

/* One line: what the engine says may have several. */
static void
answer_text(const char *kind, const wasm_byte_vec_t *text)
{
	printf("%s ", kind);
	for (size_t i = 0; i < text->size && text->data[i] != '\0'; i++)
		putchar(text->data[i] == '\n' || text->data[i] == '\r' ? ' ' : text->data[i]);
	putchar('\n');
}

/* Releases the error. */
static void
answer_error(const char *kind, wasmtime_error_t *error)
{
	wasm_byte_vec_t text;

	wasmtime_error_message(error, &text);
	answer_text(kind, &text);
	wasm_byte_vec_delete(&text);
	wasmtime_error_delete(error);
}

static const char *
trap_kind(wasmtime_trap_code_t code)
{
	static const char *const kinds[] = {
		[WASMTIME_TRAP_CODE_STACK_OVERFLOW] = "exhausted",
		[WASMTIME_TRAP_CODE_MEMORY_OUT_OF_BOUNDS] = "memory",
		[WASMTIME_TRAP_CODE_TABLE_OUT_OF_BOUNDS] = "table",
		[WASMTIME_TRAP_CODE_INDIRECT_CALL_TO_NULL] = "uninitialized",
		[WASMTIME_TRAP_CODE_BAD_SIGNATURE] = "signature",
		[WASMTIME_TRAP_CODE_INTEGER_OVERFLOW] = "overflow",
		[WASMTIME_TRAP_CODE_INTEGER_DIVISION_BY_ZERO] = "division",
		[WASMTIME_TRAP_CODE_BAD_CONVERSION_TO_INTEGER] = "conversion",
		[WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED] = "unreachable",
	};

	if (code < sizeof(kinds) / sizeof(kinds[0]) && kinds[code] != NULL)
		return kinds[code];
	return NULL;
}

/* Releases the trap. */
static void
answer_trap(wasm_trap_t *trap)
{
	wasmtime_trap_code_t code;
	const char *kind = wasmtime_trap_code(trap, &code) ? trap_kind(code) : NULL;
	wasm_byte_vec_t text;

	if (kind != NULL)
		printf("trap %s\n", kind);
	else
	{
		wasm_trap_message(trap, &text);
		answer_text("error", &text);
		wasm_byte_vec_delete(&text);
	}
	wasm_trap_delete(trap);
}

/* --- values --- */

static int
hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *found = c != '\0' ? strchr(digits, c) : NULL;

	if (found == NULL)
		fatal("not a hexadecimal digit: \"%c\"", c);
	return found - digits;
}

/* data to be freed */
static Bytes
decode(const char *hex)
{
	Bytes		bytes = {NULL, 0};

	if (strcmp(hex, "-") != 0)
		bytes.size = strlen(hex) / 2;
	bytes.data = allocate(bytes.size);
	for (size_t i = 0; i < bytes.size; i++)
		bytes.data[i] = hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]);
	return bytes;
}

/* The content of a value "type:content" of that type; else NULL. */
static const char *
content_of(const char *text, const char *type)
{
	size_t		length = strlen(type);

	if (strncmp(text, type, length) != 0 || text[length] != ':')
		return NULL;
	return text + length + 1;
}

static void
read_v128(const char *hex, wasmtime_val_t *value)
{
	Bytes		bytes = decode(hex);

	if (bytes.size != sizeof(value->of.v128))
		fatal("not a v128: %s", hex);
	memcpy(value->of.v128, bytes.data, bytes.size);
	free(bytes.data);
}

static void
read_externref(const char *content, wasmtime_val_t *value)
{
	if (strcmp(content, "null") == 0)
		wasmtime_externref_set_null(&value->of.externref);
	/* its data must not be NULL: one more than its number */
	else if (!wasmtime_externref_new(context, (void *) (uintptr_t) (strtoul(content, NULL, 10) + 1),
									 NULL, &value->of.externref))
		fatal("could not make an external reference");
}

static void
read_value(const char *text, wasmtime_val_t *value)
{
	const char *content;

	if ((content = content_of(text, "i32")) != NULL || (content = content_of(text, "f32")) != NULL)
	{
		value->kind = text[0] == 'i' ? WASMTIME_I32 : WASMTIME_F32;
		value->of.i32 = (int32_t) strtoul(content, NULL, 16);
	}
	else if ((content = content_of(text, "i64")) != NULL || (content = content_of(text, "f64")) != NULL)
	{
		value->kind = text[0] == 'i' ? WASMTIME_I64 : WASMTIME_F64;
		value->of.i64 = (int64_t) strtoull(content, NULL, 16);
	}
	else if ((content = content_of(text, "v128")) != NULL)
	{
		value->kind = WASMTIME_V128;
		read_v128(content, value);
	}
	else if ((content = content_of(text, "funcref")) != NULL && strcmp(content, "null") == 0)
	{
		value->kind = WASMTIME_FUNCREF;
		wasmtime_funcref_set_null(&value->of.funcref);
	}
	else if ((content = content_of(text, "externref")) != NULL)
	{
		value->kind = WASMTIME_EXTERNREF;
		read_externref(content, value);
	}
	else
		fatal("not a value: %s", text);
}

static void
print_value(const wasmtime_val_t *value)
{
	switch (value->kind)
	{
		case WASMTIME_I32:
			printf(" i32:%08" PRIx32, (uint32_t) value->of.i32);
			break;
		case WASMTIME_I64:
			printf(" i64:%016" PRIx64, (uint64_t) value->of.i64);
			break;
		case WASMTIME_F32:
			printf(" f32:%08" PRIx32, (uint32_t) value->of.i32);
			break;
		case WASMTIME_F64:
			printf(" f64:%016" PRIx64, (uint64_t) value->of.i64);
			break;
		case WASMTIME_V128:
			printf(" v128:");
			for (size_t i = 0; i < sizeof(value->of.v128); i++)
				printf("%02x", value->of.v128[i]);
			break;
		case WASMTIME_FUNCREF:
			printf(" funcref:%s", wasmtime_funcref_is_null(&value->of.funcref) ? "null" : "func");
			break;
		case WASMTIME_EXTERNREF:
			if (wasmtime_externref_is_null(&value->of.externref))
				printf(" externref:null");
			else
				printf(" externref:%" PRIuPTR,
					   (uintptr_t) wasmtime_externref_data(context, &value->of.externref) - 1);
			break;
		default:
			fatal("a value of kind %d", value->kind);
	}
}

static void
answer_values(wasmtime_val_t *values, size_t count)
{
	printf("ok");
	for (size_t i = 0; i < count; i++)
	{
		print_value(&values[i]);
		wasmtime_val_unroot(&values[i]);
	}
	putchar('\n');
}

/* --- commands --- */

/* Links and starts a module; answers unless it succeeds. */
static bool
start(const wasmtime_module_t *module, wasmtime_instance_t *instance)
{
	wasm_trap_t *trap = NULL;
	wasmtime_error_t *error = wasmtime_linker_instantiate(linker, context, module, instance, &trap);

	if (error != NULL)
		answer_error("unlinkable", error);
	else if (trap != NULL)
		answer_trap(trap);
	else
		return true;
	return false;
}

static void
do_instantiate(const char *hex)
{
	Bytes		binary = decode(hex);
	wasmtime_module_t *module = NULL;
	wasmtime_error_t *error;
	Instance   *entry;

	instances = realloc(instances, (ninstances + 1) * sizeof(Instance));
	if (instances == NULL)
		fatal("out of memory");
	entry = &instances[ninstances++];
	memset(entry, 0, sizeof(Instance));

	error = wasmtime_module_new(engine, (const uint8_t *) binary.data, binary.size, &module);
	free(binary.data);
	if (error != NULL)
	{
		answer_error("invalid", error);
		return;
	}
	entry->usable = start(module, &entry->instance);
	wasmtime_module_delete(module);
	if (entry->usable)
		puts("ok");
}

static wasmtime_instance_t *
instance_of(const char *number)
{
	size_t		i = strtoul(number, NULL, 10);

	if (i >= ninstances || !instances[i].usable)
		fatal("there is no instance %s", number);
	return &instances[i].instance;
}

static void
do_register(const char *number, const char *hex)
{
	Bytes		name = decode(hex);
	wasmtime_error_t *error = wasmtime_linker_define_instance(linker, context, name.data, name.size,
															  instance_of(number));

	free(name.data);
	if (error != NULL)
		answer_error("error", error);
	else
		puts("ok");
}

/* Finds an export of a kind; answers unless it exists. */
static bool
find_export(const char *number, const char *hex, wasmtime_extern_kind_t kind, wasmtime_extern_t *found)
{
	Bytes		name = decode(hex);
	bool		exists = wasmtime_instance_export_get(context, instance_of(number), name.data, name.size, found);

	free(name.data);
	if (exists && found->kind == kind)
		return true;
	if (exists)
		wasmtime_extern_delete(found);
	puts("error there is no such export");
	return false;
}

/* Reads the values on the rest of a command's line; returns their number. */
static size_t
read_values(char **rest, wasmtime_val_t *values)
{
	size_t		count = 0;
	char	   *word;

	while ((word = strtok_r(NULL, " ", rest)) != NULL)
	{
		if (count == VALUES_MAX)
			fatal("too many values");
		read_value(word, &values[count++]);
	}
	return count;
}

static size_t
count_results(const wasmtime_func_t *func)
{
	wasm_functype_t *type = wasmtime_func_type(context, func);
	size_t		count = wasm_functype_results(type)->size;

	wasm_functype_delete(type);
	if (count > VALUES_MAX)
		fatal("too many results");
	return count;
}

static void
do_invoke(const char *number, const char *name, char **rest)
{
	wasmtime_val_t args[VALUES_MAX];
	wasmtime_val_t results[VALUES_MAX];
	wasmtime_extern_t found;
	wasm_trap_t *trap = NULL;
	wasmtime_error_t *error;
	size_t		nargs = read_values(rest, args);
	size_t		nresults;

	if (!find_export(number, name, WASMTIME_EXTERN_FUNC, &found))
		return;
	nresults = count_results(&found.of.func);
	error = wasmtime_func_call(context, &found.of.func, args, nargs, results, nresults, &trap);
	for (size_t i = 0; i < nargs; i++)
		wasmtime_val_unroot(&args[i]);
	if (error != NULL)
		answer_error("error", error);
	else if (trap != NULL)
		answer_trap(trap);
	else
		answer_values(results, nresults);
}

static void
do_get(const char *number, const char *name)
{
	wasmtime_extern_t found;
	wasmtime_val_t value;

	if (!find_export(number, name, WASMTIME_EXTERN_GLOBAL, &found))
		return;
	wasmtime_global_get(context, &found.of.global, &value);
	answer_values(&value, 1);
}

static char *
next_word(char **rest)
{
	char	   *word = strtok_r(NULL, " ", rest);

	if (word == NULL)
		fatal("a command is incomplete");
	return word;
}

static void
execute(char *line)
{
	char	   *rest;
	char	   *command = strtok_r(line, " ", &rest);
	char	   *first = next_word(&rest);

	if (strcmp(command, "instantiate") == 0)
		do_instantiate(first);
	else if (strcmp(command, "register") == 0)
		do_register(first, next_word(&rest));
	else if (strcmp(command, "invoke") == 0)
		do_invoke(first, next_word(&rest), &rest);
	else if (strcmp(command, "get") == 0)
		do_get(first, next_word(&rest));
	else
		fatal("unknown command %s", command);
}

/* --- start --- */

static void
must(wasmtime_error_t *error)
{
	if (error != NULL)
	{
		answer_error("fatal", error);
		exit(2);
	}
}

static void
provide_spectest(void)
{
	wasm_byte_vec_t binary;
	wasmtime_module_t *module;
	wasmtime_instance_t instance;

	must(wasmtime_wat2wasm(spectest, strlen(spectest), &binary));
	must(wasmtime_module_new(engine, (const uint8_t *) binary.data, binary.size, &module));
	if (!start(module, &instance))
		exit(2);
	must(wasmtime_linker_define_instance(linker, context, "spectest", strlen("spectest"), &instance));
	wasmtime_module_delete(module);
	wasm_byte_vec_delete(&binary);
}

int
main(void)
{
	char	   *line = NULL;
	size_t		room = 0;
	ssize_t		length;

	engine = wasm_engine_new_with_config(pgw_config_new(PGW_MODE_EPOCHS));
	if (engine == NULL)
		fatal("could not start the engine");
	linker = wasmtime_linker_new(engine);
	wasmtime_linker_allow_shadowing(linker, true);
	store = wasmtime_store_new(engine, NULL, NULL);
	context = wasmtime_store_context(store);
	wasmtime_store_limiter(store, MEMORY_MAX, TABLE_ELEMENTS_MAX, -1, -1, -1);
	wasmtime_context_set_epoch_deadline(context, EPOCH_DEADLINE);
	provide_spectest();

	while ((length = getline(&line, &room, stdin)) > 0)
	{
		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		execute(line);
		fflush(stdout);
	}
	return 0;
}
