/*
 * memory.h
 *		The linear memories of this backend's guests.
 */
#ifndef PGW_MEMORY_H
#define PGW_MEMORY_H

#include "postgres.h"

#include <wasmtime.h>

/* Lets an engine take the memories of its guests from here. */
extern void pgw_memory_configure(wasm_config_t *config);

/*
 * The memories that are created from here on are also counted in *account,
 * which must outlive them; NULL for no account.
 */
extern void pgw_memory_account(size_t *account);

/*
 * Counts bytes of a memory that is not from here, or, where that is negative, no
 * longer; false when wasm.session_memory_limit does not allow them.  Never throws.
 */
extern bool pgw_memory_charge(int64 bytes);

/* The bytes of all memories that exist. */
extern size_t pgw_memory_total(void);

/* Was a memory refused since the last call, for wasm.session_memory_limit or for want of room? */
extern bool pgw_memory_was_refused(void);

#endif							/* PGW_MEMORY_H */
