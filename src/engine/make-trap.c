/*
 * make-trap.c
 *		The program that compiles the module of redirect.c, when the extension is
 *		built: prints its artifact as the initializer of an array of bytes.
 *
 * For every processor of this architecture, not only for the one that builds.
 */
#include <stdio.h>
#include <string.h>

#include "engine/config.h"

#if defined(__aarch64__)
#define TARGET "aarch64-unknown-linux-gnu"
#else
#define TARGET "x86_64-unknown-linux-gnu"
#endif

int
main(void)
{
	static const char wat[] = "(module (func unreachable))";
	wasm_config_t *config = pgw_config_new(0);
	wasm_byte_vec_t binary;
	wasm_byte_vec_t artifact;
	wasmtime_module_t *module;

	if (wasmtime_config_target_set(config, TARGET) != NULL ||
		wasmtime_wat2wasm(wat, strlen(wat), &binary) != NULL ||
		wasmtime_module_new(wasm_engine_new_with_config(config), (const uint8_t *) binary.data,
							binary.size, &module) != NULL ||
		wasmtime_module_serialize(module, &artifact) != NULL)
	{
		fputs("make-trap: the engine does not compile for " TARGET "\n", stderr);
		return 1;
	}
	for (size_t i = 0; i < artifact.size; i++)
		printf("%d,%c", (unsigned char) artifact.data[i], i % 32 == 31 ? '\n' : ' ');
	return 0;
}
