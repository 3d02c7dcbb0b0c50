/*
 * error.h
 *		The border between the engine's errors and PostgreSQL's.
 */
#ifndef PGW_ERROR_H
#define PGW_ERROR_H

#include "postgres.h"

#include <wasmtime.h>

/*
 * Ends a guest call that failed, with an ERROR.  Takes ownership of the error
 * or trap (one of the two is NULL).  When a callback of this call caught a
 * PostgreSQL error, that one is rethrown as it was.
 */
extern void pgw_error_throw(wasmtime_error_t *error, wasm_trap_t *trap) pg_attribute_noreturn();

/* Reports why the engine refused a binary module; takes ownership of error. */
extern void pgw_error_throw_invalid(wasmtime_error_t *error) pg_attribute_noreturn();

/*
 * Reports why the engine refused a WAT module, with the position; takes
 * ownership of error.  wat is the text, in UTF-8.
 */
extern void pgw_error_throw_wat(wasmtime_error_t *error, const char *wat, size_t length) pg_attribute_noreturn();

/*
 * To be called in the PG_CATCH of a callback: leaves the error on the error
 * stack for pgw_error_throw.  memory is the context that the callback was
 * entered with.  Cannot throw.
 */
extern void pgw_error_capture(MemoryContext memory);

#endif							/* PGW_ERROR_H */
