/*
 * stat.c
 *		Counters of functions and modules.
 *
 * Two tables with the same keys.  The session's holds all that it counted since
 * it began, and how much of that is flushed.  The cluster's, which exists when
 * the library is preloaded, holds the sums; it has room for wasm.stat_max
 * entries, and the one that was not added to for the longest time goes first.
 * So entries of dropped functions and databases, which the views do not show,
 * go by themselves.
 *
 * A session flushes at the end of every transaction, as there is no other
 * event at which an idle one could.  Nothing there allocates or throws: it is
 * too late for an error.
 *
 * Locking: entries of the cluster's table are found and added to under the
 * shared lock, by atomic operations; made, removed and set to zero under the
 * exclusive one.
 */
#include "postgres.h"

#include "stat/stat.h"

#include "access/xact.h"
#include "guc.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* How many entries at most leave a full table at once */
#define PGW_STAT_EVICTED 32

typedef enum StatKind
{
	STAT_FUNCTION,
	STAT_MODULE
} StatKind;

typedef struct StatKey
{
	Oid			database;
	Oid			object;
	StatKind	kind;
} StatKey;

/* An entry of the session's table */
typedef struct LocalStat
{
	StatKey		key;
	bool		changed;		/* counters has what is not flushed */
	int			users;			/* attachments; of a module, its functions */
	PgwStat		stat;
	uint64		folded;			/* how many of stat.calls are in counters */
	int64		counters[PGW_STAT_COUNTERS];
	int64		flushed[PGW_STAT_COUNTERS];
	struct LocalStat *module;	/* of a function */
	dlist_node	node;
} LocalStat;

/* An entry of the cluster's table */
typedef struct SharedStat
{
	StatKey		key;
	pg_atomic_uint32 module;
	pg_atomic_uint64 used;		/* when it was last added to */
	pg_atomic_uint64 counters[PGW_STAT_COUNTERS];
} SharedStat;

typedef struct SharedState
{
	LWLock	   *lock;
	pg_atomic_flag overflowed;	/* said so since the start */
} SharedState;

void		(*pgw_stat_on_report) (void) = NULL;

static HTAB *local_table = NULL;
static dlist_head local_stats = DLIST_STATIC_INIT(local_stats);
static bool exiting = false;

/* NULL unless preloaded */
static SharedState *shared = NULL;
static HTAB *shared_table = NULL;
static bool evicted = false;

static shmem_request_hook_type previous_request_hook = NULL;
static shmem_startup_hook_type previous_startup_hook = NULL;

/* --- shared memory --- */

static void
request_shared(void)
{
	if (previous_request_hook)
		previous_request_hook();
	RequestAddinShmemSpace(add_size(MAXALIGN(sizeof(SharedState)),
									hash_estimate_size(pgw_stat_max, sizeof(SharedStat))));
	RequestNamedLWLockTranche("wasm", 1);
}

static void
start_shared(void)
{
	HASHCTL		control = {.keysize = sizeof(StatKey),.entrysize = sizeof(SharedStat)};
	bool		found;

	if (previous_startup_hook)
		previous_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	shared = ShmemInitStruct("wasm", sizeof(SharedState), &found);
	if (!found)
	{
		shared->lock = &GetNamedLWLockTranche("wasm")->lock;
		pg_atomic_init_flag(&shared->overflowed);
	}
	shared_table = ShmemInitHash("wasm statistics", pgw_stat_max, pgw_stat_max,
								 &control, HASH_ELEM | HASH_BLOBS);
	LWLockRelease(AddinShmemInitLock);
}

void
pgw_stat_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	previous_request_hook = shmem_request_hook;
	shmem_request_hook = request_shared;
	previous_startup_hook = shmem_startup_hook;
	shmem_startup_hook = start_shared;
}

/*
 * Removes the entries that were not added to for the longest time, but none
 * with memory: its sum would be wrong when that is given back.  Needs the
 * exclusive lock.
 */
static void
evict(void)
{
	SharedStat *oldest[PGW_STAT_EVICTED];
	int			wanted = Min(PGW_STAT_EVICTED, pgw_stat_max / 20);
	int			count = 0;
	HASH_SEQ_STATUS scan;
	SharedStat *entry;

	hash_seq_init(&scan, shared_table);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		uint64		used = pg_atomic_read_u64(&entry->used);
		int			place;

		if (pg_atomic_read_u64(&entry->counters[PGW_STAT_MEMORY]) != 0 ||
			(count == wanted && used >= pg_atomic_read_u64(&oldest[count - 1]->used)))
			continue;
		place = count < wanted ? count++ : count - 1;
		for (; place > 0 && used < pg_atomic_read_u64(&oldest[place - 1]->used); place--)
			oldest[place] = oldest[place - 1];
		oldest[place] = entry;
	}
	evicted = count > 0;
	while (count > 0)
		hash_search(shared_table, &oldest[--count]->key, HASH_REMOVE, NULL);
}

/* Makes an entry; NULL when there is no room.  Needs the exclusive lock. */
static SharedStat *
make_shared(const StatKey *key)
{
	SharedStat *entry;

	if (hash_get_num_entries(shared_table) >= pgw_stat_max)
	{
		evict();
		if (hash_get_num_entries(shared_table) >= pgw_stat_max)
			return NULL;
	}
	entry = hash_search(shared_table, key, HASH_ENTER_NULL, NULL);
	if (entry == NULL)
		return NULL;
	pg_atomic_init_u32(&entry->module, key->object);
	pg_atomic_init_u64(&entry->used, 0);
	for (int i = 0; i < PGW_STAT_COUNTERS; i++)
		pg_atomic_init_u64(&entry->counters[i], 0);
	return entry;
}

/* --- flushing --- */

/* Moves the calls into the counters, also of the modules; is there anything to flush? */
static bool
fold(void)
{
	bool		changed = false;
	dlist_iter	iter;

	dlist_foreach(iter, &local_stats)
	{
		LocalStat  *local = dlist_container(LocalStat, node, iter.cur);

		if (local->stat.calls != local->folded)
		{
			uint64		calls = local->stat.calls - local->folded;

			local->folded = local->stat.calls;
			local->counters[PGW_STAT_CALLS] += calls;
			local->changed = true;
			local->module->counters[PGW_STAT_CALLS] += calls;
			local->module->changed = true;
		}
		changed |= local->changed;
	}
	return changed;
}

static void
add_to_shared(LocalStat *local, SharedStat *entry, TimestampTz now)
{
	for (int i = 0; i < PGW_STAT_COUNTERS; i++)
	{
		int64		delta = local->counters[i] - local->flushed[i];

		if (delta != 0)
			pg_atomic_fetch_add_u64(&entry->counters[i], delta);
		local->flushed[i] = local->counters[i];
	}
	if (local->module != NULL)
		pg_atomic_write_u32(&entry->module, local->module->key.object);
	pg_atomic_write_u64(&entry->used, now);
	local->changed = false;
}

/* Adds what changed to the entries that exist, or can be made in exclusive mode; to all? */
static bool
flush_under_lock(LWLockMode mode, TimestampTz now)
{
	bool		complete = true;
	dlist_iter	iter;

	LWLockAcquire(shared->lock, mode);
	dlist_foreach(iter, &local_stats)
	{
		LocalStat  *local = dlist_container(LocalStat, node, iter.cur);
		SharedStat *entry;

		if (!local->changed)
			continue;
		entry = hash_search(shared_table, &local->key, HASH_FIND, NULL);
		if (entry == NULL && mode == LW_EXCLUSIVE)
			entry = make_shared(&local->key);
		if (entry != NULL)
			add_to_shared(local, entry, now);
		else
			complete = false;
	}
	LWLockRelease(shared->lock);
	return complete;
}

/* Never throws, and allocates nothing.  What finds no room stays for the next time. */
static void
flush(void)
{
	TimestampTz now;

	if (pgw_stat_on_report != NULL)
		pgw_stat_on_report();
	if (!fold() || shared == NULL)
		return;
	now = GetCurrentTimestamp();
	if (flush_under_lock(LW_SHARED, now))
		return;
	flush_under_lock(LW_EXCLUSIVE, now);
	if (evicted && pg_atomic_test_set_flag(&shared->overflowed))
		ereport(LOG,
				(errmsg("statistics of WebAssembly functions are full"),
				 errdetail("Those not used for the longest time are forgotten."),
				 errhint("Consider increasing the configuration parameter \"wasm.stat_max\".")));
}

static void
on_transaction_end(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PARALLEL_ABORT:
		case XACT_EVENT_PREPARE:
			flush();
			break;
		default:
			break;
	}
}

/* The instances go with the process. */
static void
on_backend_exit(int code, Datum arg)
{
	dlist_iter	iter;

	exiting = true;
	dlist_foreach(iter, &local_stats)
	{
		LocalStat  *local = dlist_container(LocalStat, node, iter.cur);

		if (local->counters[PGW_STAT_MEMORY] != 0)
		{
			local->counters[PGW_STAT_MEMORY] = 0;
			local->changed = true;
		}
	}
	flush();
}

/* --- the session's table --- */

static void
start_local(void)
{
	HASHCTL		control = {.keysize = sizeof(StatKey),.entrysize = sizeof(LocalStat)};

	local_table = hash_create("wasm statistics of the session", 64, &control, HASH_ELEM | HASH_BLOBS);
	if (shared != NULL)
	{
		RegisterXactCallback(on_transaction_end, NULL);
		on_shmem_exit(on_backend_exit, (Datum) 0);
	}
}

/* Forgets entries of one kind that nothing uses. */
static void
forget(StatKind kind)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &local_stats)
	{
		LocalStat  *local = dlist_container(LocalStat, node, iter.cur);

		if (local->key.kind != kind || local->users > 0 || local->counters[PGW_STAT_MEMORY] != 0)
			continue;
		if (local->module != NULL)
			local->module->users--;
		dlist_delete(&local->node);
		hash_search(local_table, &local->key, HASH_REMOVE, NULL);
	}
}

/* Finds an entry, or makes it when there is none and make is set. */
static LocalStat *
find(StatKind kind, Oid object, bool make)
{
	StatKey		key = {MyDatabaseId, object, kind};
	LocalStat  *local;
	bool		found;

	if (local_table == NULL)
		start_local();
	local = hash_search(local_table, &key, make ? HASH_ENTER : HASH_FIND, &found);
	if (found || local == NULL)
		return local;
	memset((char *) local + sizeof(StatKey), 0, sizeof(LocalStat) - sizeof(StatKey));
	dlist_push_tail(&local_stats, &local->node);
	return local;
}

/* So that the session's table does not grow by functions that came and went. */
static void
limit_local(void)
{
	if (local_table == NULL || hash_get_num_entries(local_table) < pgw_stat_max)
		return;
	flush();
	forget(STAT_FUNCTION);
	forget(STAT_MODULE);
}

PgwStat *
pgw_stat_attach(Oid function, Oid module)
{
	LocalStat  *of_module;
	LocalStat  *local;

	limit_local();
	of_module = find(STAT_MODULE, module, true);
	local = find(STAT_FUNCTION, function, true);
	if (local->module != of_module)
	{
		/* calls so far were of another module */
		fold();
		if (local->module != NULL)
			local->module->users--;
		local->module = of_module;
		of_module->users++;
	}
	local->users++;
	return &local->stat;
}

static LocalStat *
local_of(PgwStat *stat)
{
	return (LocalStat *) ((char *) stat - offsetof(LocalStat, stat));
}

void
pgw_stat_detach(PgwStat *stat)
{
	LocalStat  *local = local_of(stat);

	Assert(local->users > 0);
	local->users--;
}

static void
count(LocalStat *local, PgwStatCounter counter, int64 delta)
{
	local->counters[counter] += delta;
	local->changed = true;
}

void
pgw_stat_trap(PgwStat *stat)
{
	count(local_of(stat), PGW_STAT_TRAPS, 1);
	count(local_of(stat)->module, PGW_STAT_TRAPS, 1);
}

void
pgw_stat_cancel(PgwStat *stat)
{
	count(local_of(stat), PGW_STAT_CANCELS, 1);
	count(local_of(stat)->module, PGW_STAT_CANCELS, 1);
}

void
pgw_stat_instance(Oid module)
{
	count(find(STAT_MODULE, module, true), PGW_STAT_INSTANCES, 1);
}

void
pgw_stat_compile(Oid module, double milliseconds)
{
	LocalStat  *local = find(STAT_MODULE, module, true);

	count(local, PGW_STAT_COMPILES, 1);
	count(local, PGW_STAT_COMPILE_TIME, (int64) (milliseconds * 1000.0));
}

void
pgw_stat_cache_hit(Oid module)
{
	count(find(STAT_MODULE, module, true), PGW_STAT_CACHE_HITS, 1);
}

void
pgw_stat_memory(Oid module, int64 bytes)
{
	LocalStat  *local;

	if (bytes == 0 || exiting)
		return;
	local = find(STAT_MODULE, module, false);
	if (local != NULL)
		count(local, PGW_STAT_MEMORY, bytes);
}

/* --- reading and resetting --- */

static void
show(const PgwStatRow *row, PgwStatVisitor visit, void *data)
{
	for (int i = 0; i < PGW_STAT_COUNTERS; i++)
	{
		if (row->counters[i] != 0)
		{
			visit(row, data);
			return;
		}
	}
}

static void
visit_shared(StatKind kind, PgwStatVisitor visit, void *data)
{
	HASH_SEQ_STATUS scan;
	SharedStat *entry;
	PgwStatRow	row;

	LWLockAcquire(shared->lock, LW_SHARED);
	hash_seq_init(&scan, shared_table);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		if (entry->key.database != MyDatabaseId || entry->key.kind != kind)
			continue;
		row.object = entry->key.object;
		row.module = pg_atomic_read_u32(&entry->module);
		for (int i = 0; i < PGW_STAT_COUNTERS; i++)
			row.counters[i] = pg_atomic_read_u64(&entry->counters[i]);
		show(&row, visit, data);
	}
	LWLockRelease(shared->lock);
}

static void
visit_local(StatKind kind, PgwStatVisitor visit, void *data)
{
	dlist_iter	iter;

	dlist_foreach(iter, &local_stats)
	{
		LocalStat  *local = dlist_container(LocalStat, node, iter.cur);
		PgwStatRow	row;

		if (local->key.kind != kind)
			continue;
		row.object = local->key.object;
		row.module = local->module ? local->module->key.object : local->key.object;
		memcpy(row.counters, local->counters, sizeof(row.counters));
		show(&row, visit, data);
	}
}

void
pgw_stat_visit(bool modules, PgwStatVisitor visit, void *data)
{
	StatKind	kind = modules ? STAT_MODULE : STAT_FUNCTION;

	flush();
	if (shared != NULL)
		visit_shared(kind, visit, data);
	else
		visit_local(kind, visit, data);
}

static void
reset_shared(void)
{
	HASH_SEQ_STATUS scan;
	SharedStat *entry;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	hash_seq_init(&scan, shared_table);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		if (entry->key.database != MyDatabaseId)
			continue;
		if (pg_atomic_read_u64(&entry->counters[PGW_STAT_MEMORY]) == 0)
			hash_search(shared_table, &entry->key, HASH_REMOVE, NULL);
		else
		{
			for (int i = 0; i < PGW_STAT_COUNTERS; i++)
			{
				if (i != PGW_STAT_MEMORY)
					pg_atomic_write_u64(&entry->counters[i], 0);
			}
		}
	}
	LWLockRelease(shared->lock);
}

static void
reset_local(void)
{
	dlist_iter	iter;

	dlist_foreach(iter, &local_stats)
	{
		LocalStat  *local = dlist_container(LocalStat, node, iter.cur);
		int64		memory = local->counters[PGW_STAT_MEMORY];

		memset(local->counters, 0, sizeof(local->counters));
		local->counters[PGW_STAT_MEMORY] = memory;
	}
}

void
pgw_stat_reset(void)
{
	flush();
	if (shared != NULL)
		reset_shared();
	else
		reset_local();
}
