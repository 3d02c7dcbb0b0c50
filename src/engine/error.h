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
 * PostgreSQL error, that one is rethrown as it was.  Where another guest is below
 * on the stack, a backend that is to end does not do so from here.
 */
extern void pgw_error_throw(wasmtime_error_t *error, wasm_trap_t *trap) pg_attribute_noreturn();

/*
 * To be called by a callback whose trap ends the call without an error; and was
 * it so in the call that has failed?  Then takes ownership of error and trap.
 */
extern void pgw_error_mark_exit(void);
extern bool pgw_error_is_exit(wasmtime_error_t *error, wasm_trap_t *trap);

/* Has a callback ended the call, by an error or an exit, and nobody seen to it yet? */
extern bool pgw_error_is_marked(void);

/*
 * The SQLSTATE of the PostgreSQL error that pgw_error_throw() is about to
 * throw; 0 when it will throw the guest's own.  Never throws.
 */
extern int	pgw_error_pending(void);

/*
 * Does that SQLSTATE mean that a guest was stopped from outside: by a cancel, a
 * timeout, a termination, a recovery conflict?
 */
extern bool pgw_error_is_cancel(int sqlstate);

/* Reports why the engine refused a binary module; text is what it said, in UTF-8. */
extern void pgw_error_throw_invalid(const char *text) pg_attribute_noreturn();

/*
 * Reports why the parser refused a WAT module, with the position; text is what
 * it said.  wat is the module.  Both are in UTF-8.
 */
extern void pgw_error_throw_wat(const char *text, const char *wat, size_t length) pg_attribute_noreturn();

/* Reports why a component's imports are not provided for; takes ownership of error. */
extern void pgw_error_throw_link(wasmtime_error_t *error) pg_attribute_noreturn();

/* Did the operating system forbid to run generated code? */
extern bool pgw_error_forbids_code(wasmtime_error_t *error);

/* Reports why compiled code cannot be loaded; takes ownership of error. */
extern void pgw_error_throw_load(wasmtime_error_t *error) pg_attribute_noreturn();

/*
 * To be called in the PG_CATCH of a callback: leaves the error on the error
 * stack for pgw_error_throw.  memory is the context that the callback was
 * entered with.  Cannot throw.
 */
extern void pgw_error_capture(MemoryContext memory);

#endif							/* PGW_ERROR_H */
