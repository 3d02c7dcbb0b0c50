/*
 * layout.h
 *		Where the code of a guest is in a compiled module.
 *
 * Knows nothing of PostgreSQL, so that the program wasm-compile can share it.
 */
#ifndef PGW_LAYOUT_H
#define PGW_LAYOUT_H

#include <stdbool.h>

#include "engine/config.h"

/* Offsets in the module's image, which is the artifact's; equal where there is none. */
typedef struct PgwSpan
{
	uint64_t	start;
	uint64_t	end;
} PgwSpan;

/*
 * The code in which a guest can be stopped (see redirect.c): that of its
 * functions, and the stubs by which these call the engine's built-ins.
 */
#define PGW_SPANS 2

/* What there is to know of a compiled module to run it. */
typedef struct PgwLayout
{
	PgwSpan		spans[PGW_SPANS];
	uint32_t	mode;			/* a PgwMode: wanted, with what is needed */
	uint32_t	unused;
} PgwLayout;

/*
 * Finds the spans in an artifact, which must be the engine's own work.
 * Returns false when other code is within them.
 */
extern bool pgw_layout_find(const char *artifact, PgwLayout *layout);

/* Do the spans fit into an artifact of that length? */
extern bool pgw_layout_fits(const PgwLayout *layout, uint64_t length);

#endif							/* PGW_LAYOUT_H */
