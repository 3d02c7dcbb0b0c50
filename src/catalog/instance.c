/*
 * instance.c
 *		The live instances of this backend.
 */
#include "postgres.h"

#include "catalog/instance.h"

#include "catalog/proc.h"
#include "engine/error.h"
#include "engine/interrupt.h"
#include "utils/memutils.h"

static dlist_head instances = DLIST_STATIC_INIT(instances);
static bool expired = false;

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
	pgw_store_close(&instance->store);
	dlist_delete(&instance->node);
	pgw_code_release(instance->code);
	instance->code = NULL;
	if (instance->users == 0)
		pfree(instance);
}

void
pgw_instance_expire(void)
{
	expired = true;
}

/* Discards idle instances whose module no longer exists. */
static void
sweep(void)
{
	dlist_mutable_iter iter;

	if (!expired)
		return;
	dlist_foreach_modify(iter, &instances)
	{
		PgwInstance *instance = dlist_container(PgwInstance, node, iter.cur);
		PgwProc		module;

		if (!instance->busy && !pgw_proc_read(instance->module, PGW_SOURCE_HEAD, &module))
			pgw_instance_discard(instance);
	}
	expired = false;
}

/* Finds an idle instance; discards those of what the module was before. */
static PgwInstance *
find_idle(Oid module, const PgwCode *code)
{
	dlist_mutable_iter iter;
	PgwInstance *found = NULL;

	dlist_foreach_modify(iter, &instances)
	{
		PgwInstance *instance = dlist_container(PgwInstance, node, iter.cur);

		if (instance->module != module || instance->busy)
			continue;
		if (instance->code != code)
			pgw_instance_discard(instance);
		else if (found == NULL && pgw_instance_ready(instance))
			found = instance;
	}
	return found;
}

static PgwInstance *
make(Oid module, PgwCode *code)
{
	PgwInstance *instance = MemoryContextAllocZero(TopMemoryContext, sizeof(PgwInstance));

	instance->module = module;
	instance->code = code;
	instance->role = GetUserId();
	instance->restricted = InSecurityRestrictedOperation();
	PG_TRY();
	{
		pgw_store_open(&instance->store, code->module);
	}
	PG_CATCH();
	{
		pfree(instance);
		PG_RE_THROW();
	}
	PG_END_TRY();
	pgw_code_hold(code);
	dlist_push_tail(&instances, &instance->node);
	return instance;
}

PgwInstance *
pgw_instance_acquire(Oid module, PgwCode *code)
{
	PgwInstance *instance;

	sweep();
	instance = find_idle(module, code);
	if (instance == NULL)
		instance = make(module, code);
	instance->users++;
	return instance;
}

void
pgw_instance_call(PgwInstance *instance, const PgwEntry *entry, PgwSlot *slots, size_t nslots)
{
	wasmtime_error_t *error;
	wasm_trap_t *trap;
	bool		succeeded;

	pgw_engine_check_stack();
	instance->busy = true;
	succeeded = pgw_store_call(&instance->store, entry, slots, nslots, &error, &trap);
	instance->busy = false;
	if (unlikely(!succeeded))
	{
		pgw_instance_discard(instance);
		pgw_error_throw(error, trap);
	}
}
