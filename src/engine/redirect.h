/*
 * redirect.h
 *		Stops a guest at the instruction where a signal has interrupted it.
 */
#ifndef PGW_REDIRECT_H
#define PGW_REDIRECT_H

#include "postgres.h"

#include <wasmtime.h>

#include <signal.h>

#include "engine/layout.h"

/*
 * Lets an engine that will run nothing see whether the processor has what a
 * module needs; it keeps that for every engine of the process.
 */
extern void pgw_redirect_try(wasm_engine_t *engine);

/* To be called once, with the engine of mode 0, before any code is learnt.  May throw. */
extern void pgw_redirect_init(wasm_engine_t *engine);

/* Makes room for one more; throws when there is no memory. */
extern void pgw_redirect_reserve(void);

/*
 * The code of a module that polls no epoch, after pgw_redirect_reserve().
 * Never throws.
 */
extern void pgw_redirect_learn(const char *image, const PgwLayout *layout);

/* The module of that image goes, if its code was learnt.  Never throws. */
extern void pgw_redirect_forget(const char *image, const char *image_end);

/*
 * For signal handlers, with the context that they were given: was a guest
 * interrupted in its own code?
 */
extern bool pgw_redirect_in_guest(const void *context);

/*
 * Lets guests fault where they go on in their own code, by making it not
 * executable.  Signal-safe.
 */
extern void pgw_redirect_hold(void);

/*
 * For a handler of SIGSEGV that no other handler interrupts: was that the
 * fault?  Then the code is executable again, and guests go on.
 */
extern bool pgw_redirect_held(const siginfo_t *info, const void *context);

/* Lets that function trap when the handler returns. */
extern void pgw_redirect(void *context);

#endif							/* PGW_REDIRECT_H */
