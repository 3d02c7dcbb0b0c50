/*
 * layout.h
 *		Where the functions of a guest are in a compiled module.
 *
 * Knows nothing of PostgreSQL, so that the program wasm-compile can share it.
 */
#ifndef PGW_LAYOUT_H
#define PGW_LAYOUT_H

#include <stdbool.h>

#include "engine/config.h"

/* What there is to know of a compiled module to run it. */
typedef struct PgwLayout
{
	uint64_t	bodies_start;	/* the code of its functions: offsets in the */
	uint64_t	bodies_end;		/* image, which is the artifact's; or both 0 */
	uint32_t	mode;			/* a PgwMode: wanted, and epochs where needed */
	uint32_t	unused;
} PgwLayout;

/*
 * Finds the bodies in an artifact, which must be the engine's own work.
 * Returns false when other code is between them, or when they share a page with
 * built-ins that may take long: a guest that comes back from these could not be
 * held (see redirect.c).
 */
extern bool pgw_layout_find(const char *artifact, PgwLayout *layout);

#endif							/* PGW_LAYOUT_H */
