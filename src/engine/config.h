/*
 * config.h
 *		How the engine is configured: the same for the code that compiles and
 *		for the code that runs, or what one makes the other refuses.
 *
 * Knows nothing of PostgreSQL, so that programs outside of it can share it.
 */
#ifndef PGW_CONFIG_H
#define PGW_CONFIG_H

#include <stdbool.h>

#include <wasmtime.h>

/*
 * What made an artifact: the engine's version and the key of its build, which
 * the makefile gives.
 */
#define PGW_BUILD WASMTIME_VERSION "-" PGW_ENGINE_KEY

/* Stack for guests, in bytes */
#define PGW_GUEST_STACK (512 * 1024)

/*
 * A configuration, to be given to wasm_engine_new_with_config().  Code for a
 * metered engine consumes fuel.
 */
extern wasm_config_t *pgw_config_new(bool metered);

#endif							/* PGW_CONFIG_H */
