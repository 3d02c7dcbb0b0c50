/*
 * main.c
 *		Entry point of the library.
 *
 * Loading starts no engine that runs code: with shared_preload_libraries this is
 * in the postmaster, where none may be.
 */
#include "postgres.h"

#include "catalog/function.h"
#include "catalog/instance.h"
#include "engine/digest.h"
#include "engine/engine.h"
#include "fmgr.h"
#include "guc.h"
#include "language/session.h"
#include "miscadmin.h"
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
	if (process_shared_preload_libraries_in_progress)
	{
		pgw_engine_prepare();
		pgw_digest_prepare();
	}
}
