/*
 * interrupt.h
 *		Cancel, timeout and termination reach a running guest; signals stay the
 *		engine's.
 */
#ifndef PGW_INTERRUPT_H
#define PGW_INTERRUPT_H

#include "postgres.h"

#include <wasmtime.h>

#include <signal.h>

#include "miscadmin.h"
#include "port/atomics.h"

/*
 * How many guest calls are on this backend's stack; read by signal handlers.  Not
 * volatile, so that it is counted in one instruction: barriers keep its place.
 */
extern sig_atomic_t pgw_guest_calls;

/*
 * To be called directly after an engine was made.  The first time this takes
 * over the signals: the engine has then installed its own handlers, and another
 * one shares them.
 */
extern void pgw_interrupt_init(wasm_engine_t *engine);

/*
 * Other libraries replace signal handlers.  Puts back those of the engine and of this
 * file where that happened, which takes 1 to 2 µs where there are such libraries.  May
 * throw for want of memory.
 */
extern void pgw_interrupt_restore(void);

/* Makes a store's guests, which poll the epoch, check for interrupts. */
extern void pgw_interrupt_watch(wasmtime_store_t *store);

/*
 * CHECK_FOR_INTERRUPTS() for functions of the host, with the engine's frames
 * live: what would end the backend is thrown as an ERROR, and the backend ends
 * when pgw_error_throw() has seen the guest unwound.
 */
extern void pgw_interrupt_check(void);

/* Lets the running guest serve interrupts, soon.  Signal-safe. */
extern void pgw_interrupt_retry(void);

/*
 * Bracket every entry into guest code.  An interrupt that came before the
 * entry would wait for a signal that has been handled already: hence the test.
 */
static inline void
pgw_interrupt_enter(void)
{
	pgw_guest_calls++;
	pg_compiler_barrier();
	if (unlikely(InterruptPending))
		pgw_interrupt_retry();
}

static inline void
pgw_interrupt_leave(void)
{
	pg_compiler_barrier();
	pgw_guest_calls--;
	pg_compiler_barrier();
}

#endif							/* PGW_INTERRUPT_H */
