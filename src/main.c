/*
 * main.c
 *		Entry point of the library.
 *
 * Loading starts no engine: with shared_preload_libraries this runs in the
 * postmaster, where no engine may be.
 */
#include "postgres.h"

#include "catalog/function.h"
#include "catalog/instance.h"
#include "fmgr.h"
#include "guc.h"
#include "language/session.h"
#include "stat/stat.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	pgw_guc_init();
	pgw_function_init();
	pgw_instance_init();
	pgw_session_init();
	pgw_stat_init();
}
