/*
 * deserialize.c
 *		How long the engine itself takes to load an artifact, in a fresh
 *		process, in milliseconds.
 *
 *	deserialize FILE
 *
 * The name of the file tells how it was compiled.
 */
#include <stdio.h>
#include <string.h>
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
	wasm_engine_t *engine;
	wasmtime_module_t *module;
	double		start;

	if (argc != 2)
		return 2;
	engine = wasm_engine_new_with_config(pgw_config_new(strstr(argv[1], "-epoch") ? PGW_MODE_EPOCHS : 0));
	start = now();
	if (wasmtime_module_deserialize_file(engine, argv[1], &module) != NULL)
	{
		fprintf(stderr, "the engine does not take %s\n", argv[1]);
		return 1;
	}
	printf("%.6f\n", now() - start);
	return 0;
}
