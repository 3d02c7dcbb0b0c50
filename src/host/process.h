/*
 * process.h
 *		What a process has, for guests of WASI: output, time, random numbers, and
 *		an end.
 */
#ifndef PGW_PROCESS_H
#define PGW_PROCESS_H

#include "postgres.h"

#include "engine/component.h"

/*
 * Takes output, of stream 1 or 2: lines become messages of wasm.output_level.  What
 * has no line feed waits for one, or for the end of the transaction.
 */
extern void pgw_output(uint32 stream, const char *bytes, size_t length);

/* Nanoseconds since some time or other */
extern int64 pgw_now_monotonic(void);

/* Waits; throws where an interrupt does. */
extern void pgw_wait_until(int64 until);

/* Throws where there are no random numbers, or an interrupt does. */
extern void pgw_random(char *bytes, size_t length);

/* Throws unless the code is 0: then the call is to end without an error. */
extern void pgw_exit(uint32 code);

/* The variable of that number in an environment, in UTF-8; false: there are no more. */
extern bool pgw_variable(const char *environment, size_t index, PgwText *name, PgwText *value);

#endif							/* PGW_PROCESS_H */
