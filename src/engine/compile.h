/*
 * compile.h
 *		Runs the program wasm-compile: no backend parses or compiles a module.
 */
#ifndef PGW_COMPILE_H
#define PGW_COMPILE_H

#include "postgres.h"

#include "engine/config.h"
#include "engine/helper.h"
#include "guc.h"

/*
 * Compiles a module, binary or WAT in UTF-8, in the mode that is wanted, or
 * polling an epoch where it must.  Returns the compiled module, palloc'd, with
 * its length and layout.  limits are effective ones.
 *
 * Waits for a free worker and for the program; serves interrupts meanwhile.
 * Throws when the module is not valid or breaks a limit.
 */
extern char *pgw_compile(const char *bytes, size_t length, const PgwLimits *limits,
						 PgwMode mode, size_t *artifact_length, PgwLayout *layout);

/* Is it a module that pgw_compile() would accept?  Nothing is compiled. */
extern bool pgw_compile_validate(const char *bytes, size_t length, const PgwLimits *limits);

/* Throws when a module of that many bytes is too large. */
extern void pgw_compile_check_size(size_t length, const PgwLimits *limits);

#endif							/* PGW_COMPILE_H */
