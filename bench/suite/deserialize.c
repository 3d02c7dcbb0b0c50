/*
 * deserialize.c
 *		How long the engine itself takes to load an artifact, in a fresh
 *		process, in milliseconds.
 *
 *	deserialize FILE
 */
#include <stdio.h>
#include <time.h>

#include "engine/config.h"

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

int
main(int argc, char **argv)
{
	wasm_engine_t *engine = wasm_engine_new_with_config(pgw_config_new(false));
	wasmtime_module_t *module;
	double		start;

	if (argc != 2)
		return 2;
	start = now();
	if (wasmtime_module_deserialize_file(engine, argv[1], &module) != NULL)
	{
		fprintf(stderr, "the engine does not take %s\n", argv[1]);
		return 1;
	}
	printf("%.6f\n", now() - start);
	return 0;
}
