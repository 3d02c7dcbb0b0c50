/*
 * config.h
 *		How the engine is configured: the same for the code that compiles and
 *		for the code that runs, or what one makes the other refuses.
 *
 * Knows nothing of PostgreSQL, so that programs outside of it can share it.
 */
#ifndef PGW_CONFIG_H
#define PGW_CONFIG_H

#include <stdint.h>

#include <wasmtime.h>

/*
 * What made an artifact: the engine's version and the key of its build, which
 * the makefile gives.
 */
#define PGW_BUILD WASMTIME_VERSION "-" PGW_ENGINE_KEY

/* Stack for guests, in bytes */
#define PGW_GUEST_STACK (512 * 1024)

/*
 * How code is compiled: a set of bits.  Code that polls an epoch does so in
 * every loop and function, to be stopped there; other code is stopped by a
 * signal handler, wherever it is, and cannot have tail calls.
 */
typedef uint32_t PgwMode;

#define PGW_MODE_METERED 1		/* consumes fuel */
#define PGW_MODE_EPOCHS 2		/* polls an epoch */
#define PGW_MODE_COMPONENT 4	/* is a component, and no core module */
#define PGW_MODES 8				/* how many sets there are */

/* What is wanted of a mode; the rest is needed by the module. */
#define PGW_MODE_WANTED(mode) ((mode) & PGW_MODE_METERED)

/* A configuration, to be given to wasm_engine_new_with_config(). */
extern wasm_config_t *pgw_config_new(PgwMode mode);

#endif							/* PGW_CONFIG_H */
