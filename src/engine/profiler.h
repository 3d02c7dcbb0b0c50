/*
 * profiler.h
 *		Telling perf which code is which function of a guest.
 */
#ifndef PGW_PROFILER_H
#define PGW_PROFILER_H

#include "postgres.h"

#include <wasmtime.h>

/*
 * Sets in the configuration of an engine what wasm.profiler said when the first
 * engine of the session was made.  Where the file cannot be written there is a
 * WARNING, and no profiler.
 */
extern void pgw_profiler_configure(wasm_config_t *config);

#endif							/* PGW_PROFILER_H */
