/*
 * instance.c
 *		The live instances of this backend.
 */
#include "postgres.h"

#include "catalog/instance.h"

#include "access/xact.h"
#include "catalog/module.h"
#include "catalog/proc.h"
#include "engine/error.h"
#include "engine/memory.h"
#include "host/host.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

static dlist_head instances = DLIST_STATIC_INIT(instances);
static int	ninstances = 0;

/* An instance is doubtful. */
static bool expired = false;

uint64		pgw_instance_calls = 0;

void
pgw_instance_release(PgwInstance *instance)
{
	Assert(instance->users > 0);
	instance->users--;
	if (instance->users == 0 && instance->store.store == NULL)
		pfree(instance);
}

void
pgw_instance_discard(PgwInstance *instance)
{
	if (instance->store.store == NULL)
		return;
	instance->idle = false;
	pgw_store_close(&instance->store);
	pgw_stat_memory(instance->module, -instance->counted);
	dlist_delete(&instance->node);
	ninstances--;
	pgw_code_release(instance->code);
	instance->code = NULL;
	if (instance->users == 0)
		pfree(instance);
}

/* Says so, but serves no interrupt: the caller may hold an error of the engine. */
static void
discard_because(PgwInstance *instance, const char *reason)
{
	HOLD_INTERRUPTS();
	elog(DEBUG1, "discarding an instance of WebAssembly module %u: %s", instance->module, reason);
	RESUME_INTERRUPTS();
	pgw_instance_discard(instance);
}

int
pgw_instance_reset(void)
{
	dlist_mutable_iter iter;
	int			count = 0;

	dlist_foreach_modify(iter, &instances)
	{
		PgwInstance *instance = dlist_container(PgwInstance, node, iter.cur);

		if (instance->idle)
		{
			discard_because(instance, "the session is reset");
			count++;
		}
	}
	return count;
}

/* --- modules that change --- */

void
pgw_instance_expire(uint32 hash)
{
	dlist_iter	iter;

	dlist_foreach(iter, &instances)
	{
		PgwInstance *instance = dlist_container(PgwInstance, node, iter.cur);

		if (hash == 0 || hash == instance->module_hash)
			instance->doubtful = expired = true;
	}
}

/*
 * Discards idle instances whose module is gone, or has other bytes or directories: those
 * that it had are not to stay open.
 */
static void
sweep(void)
{
	dlist_mutable_iter iter;

	if (!expired)
		return;
	expired = false;
	dlist_foreach_modify(iter, &instances)
	{
		PgwInstance *instance = dlist_container(PgwInstance, node, iter.cur);
		PgwProc		module;

		if (!instance->doubtful)
			continue;
		if (!instance->idle)
			expired = true;
		else if (pgw_proc_read(instance->module, PGW_SOURCE_HEAD, &module) &&
				 pgw_module_has_directories(&module, instance->limits.directories) &&
				 pgw_module_has_digest(&module, &instance->code->key.digest))
			instance->doubtful = false;
		else
			discard_because(instance, "its module has changed");
	}
}

static void
on_transaction(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PARALLEL_PRE_COMMIT ||
		event == XACT_EVENT_PRE_PREPARE)
		sweep();
}

/* Memories grow in the guest; the statistics ask when they want to know. */
static void
report_memory(void)
{
	dlist_iter	iter;

	dlist_foreach(iter, &instances)
	{
		PgwInstance *instance = dlist_container(PgwInstance, node, iter.cur);
		int64		memory = instance->store.memory;

		pgw_stat_memory(instance->module, memory - instance->counted);
		instance->counted = memory;
	}
}

void
pgw_instance_init(void)
{
	RegisterXactCallback(on_transaction, NULL);
	pgw_stat_on_report = report_memory;
}

/* --- acquiring --- */

/* Finds an idle instance. */
static PgwInstance *
find_idle(Oid module, const PgwCode *code, const PgwLimits *limits)
{
	dlist_iter	iter;

	dlist_foreach(iter, &instances)
	{
		PgwInstance *instance = dlist_container(PgwInstance, node, iter.cur);

		if (instance->module == module && instance->code == code &&
			instance->limits.environment == limits->environment &&
			instance->limits.directories == limits->directories && pgw_instance_ready(instance))
			return instance;
	}
	return NULL;
}

/* Discards the idle instance that was used longest ago; false when none is idle. */
static bool
evict(void)
{
	PgwInstance *oldest = NULL;
	dlist_iter	iter;

	dlist_foreach(iter, &instances)
	{
		PgwInstance *instance = dlist_container(PgwInstance, node, iter.cur);

		if (instance->idle && (oldest == NULL || instance->last_used < oldest->last_used))
			oldest = instance;
	}
	if (oldest == NULL)
		return false;
	discard_because(oldest, "others need its room");
	return true;
}

static void
make_room(void)
{
	while (ninstances >= pgw_instance_limit)
	{
		if (!evict())
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many WebAssembly instances"),
					 errdetail("wasm.instance_limit allows %d in a session, and all of them are in a call.",
							   pgw_instance_limit)));
	}
}

/* A PostgreSQL error that passed through the guest, and was no cancel, is not counted. */
static void
count_failure(PgwStat *stat)
{
	int			sqlstate = pgw_error_pending();

	if (stat == NULL)
		return;
	if (sqlstate == 0)
		pgw_stat_trap(stat);
	else if (pgw_error_is_cancel(sqlstate))
		pgw_stat_cancel(stat);
}

/* Opens the store; where the session has no room for its memory, others give way. */
static void
open_store(PgwInstance *instance, PgwStat *stat)
{
	PgwLimits	limits = pgw_limits_effective(&instance->limits);
	PgwImports	imports = pgw_host_imports(instance->code);
	wasmtime_error_t *error;
	wasm_trap_t *trap;

	for (;;)
	{
		(void) pgw_memory_was_refused();
		if (pgw_store_try_open(&instance->store, &instance->code->artifact, &imports, &limits, &error, &trap))
			return;
		if (error == NULL || pgw_error_is_marked() || !pgw_memory_was_refused() || !evict())
		{
			count_failure(stat);
			pgw_error_throw(error, trap);
		}
		wasmtime_error_delete(error);
	}
}

static PgwInstance *
make(Oid module, PgwCode *code, const PgwLimits *limits, PgwStat *stat)
{
	PgwInstance *instance;

	make_room();
	instance = MemoryContextAllocZero(TopMemoryContext, sizeof(PgwInstance));
	instance->module = module;
	instance->module_hash = GetSysCacheHashValue1(PROCOID, ObjectIdGetDatum(module));
	instance->limits = *limits;
	instance->code = code;
	instance->metered = (code->key.mode & PGW_MODE_METERED) != 0;
	instance->role = GetUserId();
	instance->restricted = InSecurityRestrictedOperation() ? SECURITY_RESTRICTED_OPERATION : 0;
	PG_TRY();
	{
		open_store(instance, stat);
		pgw_stat_instance(module);
	}
	PG_CATCH();
	{
		pgw_store_close(&instance->store);
		pfree(instance);
		PG_RE_THROW();
	}
	PG_END_TRY();
	pgw_code_hold(code);
	instance->idle = true;
	dlist_push_tail(&instances, &instance->node);
	ninstances++;
	elog(DEBUG1, "made an instance of WebAssembly module %u", module);
	return instance;
}

PgwInstance *
pgw_instance_acquire(Oid module, PgwCode *code, const PgwLimits *limits, PgwStat *stat)
{
	PgwInstance *instance;

	sweep();
	instance = find_idle(module, code, limits);
	if (instance == NULL)
		instance = make(module, code, limits, stat);
	instance->limits = *limits;
	instance->users++;
	return instance;
}

void
pgw_instance_end(PgwInstance *instance, wasmtime_error_t *error, wasm_trap_t *trap, PgwStat *stat)
{
	pgw_instance_discard(instance);
	if (pgw_error_is_exit(error, trap))
		return;
	count_failure(stat);
	pgw_error_throw(error, trap);
}
