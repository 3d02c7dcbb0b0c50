/*
 * compile.h
 *		Runs the program wasm-compile: no backend parses or compiles a module.
 */
#ifndef PGW_COMPILE_H
#define PGW_COMPILE_H

#include "postgres.h"

#include "guc.h"

/*
 * Compiles a module, binary or WAT in UTF-8.  Returns the compiled module,
 * palloc'd, and its length.  limits are effective ones.
 *
 * Waits for a free worker and for the program; serves interrupts meanwhile.
 * Throws when the module is not valid or breaks a limit.
 */
extern char *pgw_compile(const char *bytes, size_t length, const PgwLimits *limits,
						 bool metered, size_t *artifact_length);

/* Is it a module that pgw_compile() would accept?  Nothing is compiled. */
extern bool pgw_compile_validate(const char *bytes, size_t length, const PgwLimits *limits);

/* Throws when a module of that many bytes is too large. */
extern void pgw_compile_check_size(size_t length, const PgwLimits *limits);

#endif							/* PGW_COMPILE_H */
