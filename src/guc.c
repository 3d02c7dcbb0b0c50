/*
 * guc.c
 *		Every setting of the extension.
 */
#include "postgres.h"

#include "guc.h"

#include "compat.h"

/* A 32-bit linear memory has at most 65,536 pages of 64 kB. */
#define PGW_PAGE_KB 64
#define PGW_MEMORY_LIMIT_MAX_KB (65536 * PGW_PAGE_KB)

int			pgw_memory_limit = 64 * 1024;

void
pgw_guc_init(void)
{
	DefineCustomIntVariable("wasm.memory_limit",
							"Sets the maximum size of the linear memory of one WebAssembly instance.",
							"Instances that exist already keep the limit that they were made with.",
							&pgw_memory_limit,
							64 * 1024, PGW_PAGE_KB, PGW_MEMORY_LIMIT_MAX_KB,
							PGC_SUSET, GUC_UNIT_KB,
							NULL, NULL, NULL);
	MarkGUCPrefixReserved("wasm");
}
