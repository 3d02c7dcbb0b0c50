/*
 * function.c
 *		What a session knows of a function in LANGUAGE wasm: its export, its
 *		plan and the instance that it calls.
 *
 * FmgrInfos live on in the relation, type and partition caches, across
 * transactions and across changes of the function.  So a call tests on every
 * entry that its PgwFunction is usable; invalidation callbacks clear that.
 *
 * Metered and free calls of a function go to two PgwFunctions, since they run
 * different code; the one that fits the setting wasm.fuel is usable.
 */
#include "postgres.h"

#include "catalog/function.h"

#include "access/htup_details.h"
#include "catalog/module.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "engine/encoding.h"
#include "engine/interrupt.h"
#include "funcapi.h"
#include "host/host.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

typedef struct FunctionKey
{
	Oid			oid;
	uint32		metered;
} FunctionKey;

typedef struct FunctionEntry
{
	FunctionKey key;
	PgwFunction *function;
} FunctionEntry;

/* The current functions, and all that exist. */
static HTAB *functions = NULL;
static dlist_head all_functions = DLIST_STATIC_INIT(all_functions);

/* Counts callbacks, to notice one that comes while a function is loaded. */
static uint64 invalidations = 0;

/* What a command of WASI exports, to be called once in an instance */
#define PGW_COMMAND "_start"

/* --- invalidation --- */

static void
set_usable(PgwFunction *function, bool usable)
{
	function->usable = usable;
	function->plain = usable && !function->is_module && !function->returns_set &&
		!function->is_command && !function->metered && !function->may_query && function->plan.plain;
}

static void
spoil(PgwFunction *function)
{
	function->current = false;
	set_usable(function, false);
}

static void
on_proc_change(Datum arg, int cacheid, uint32 hashvalue)
{
	dlist_iter	iter;

	invalidations++;
	dlist_foreach(iter, &all_functions)
	{
		PgwFunction *function = dlist_container(PgwFunction, node, iter.cur);

		if (hashvalue == 0 || hashvalue == function->hash || hashvalue == function->module_hash)
			spoil(function);
	}
	pgw_instance_expire(hashvalue);
}

static void
spoil_all(void)
{
	dlist_iter	iter;

	invalidations++;
	dlist_foreach(iter, &all_functions)
		spoil(dlist_container(PgwFunction, node, iter.cur));
}

/* Names and rights depend on schemas, roles and memberships: load anew. */
static void
on_rights_change(Datum arg, int cacheid, uint32 hashvalue)
{
	spoil_all();
}

/* InvalidOid stands for any relation. */
static bool
depends_on(const PgwFunction *function, Oid relation)
{
	const PgwCrossing *crossing = function->plan.crossing;

	if (OidIsValid(function->row_relation) && (!OidIsValid(relation) || relation == function->row_relation))
		return true;
	return crossing != NULL && crossing->relations != NIL &&
		(!OidIsValid(relation) || list_member_oid(crossing->relations, relation));
}

static void
on_relation_change(Datum arg, Oid relation)
{
	dlist_iter	iter;

	invalidations++;
	dlist_foreach(iter, &all_functions)
	{
		PgwFunction *function = dlist_container(PgwFunction, node, iter.cur);

		if (depends_on(function, relation))
			spoil(function);
	}
}

/* The session begins or ceases to meter calls; modules may decide for themselves. */
static void
on_metering(bool metering)
{
	dlist_iter	iter;

	dlist_foreach(iter, &all_functions)
	{
		PgwFunction *function = dlist_container(PgwFunction, node, iter.cur);

		if (!function->is_module && function->limits.fuel < 0)
			set_usable(function, function->current && function->metered == metering);
	}
}

void
pgw_function_init(void)
{
	HASHCTL		control = {.keysize = sizeof(FunctionKey),.entrysize = sizeof(FunctionEntry)};

	functions = hash_create("wasm functions", 64, &control, HASH_ELEM | HASH_BLOBS);
	CacheRegisterSyscacheCallback(PROCOID, on_proc_change, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, on_rights_change, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, on_rights_change, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, on_rights_change, (Datum) 0);
	CacheRegisterRelcacheCallback(on_relation_change, (Datum) 0);
	pgw_guc_on_metering = on_metering;
	pgw_guc_on_interruption = spoil_all;
}

/* --- loading --- */

void
pgw_function_signature(const PgwProc *proc, PgwSignature *signature)
{
	TypeFuncClass class;
	TupleDesc	row;

	signature->nargs = proc->nargs;
	signature->argtypes = proc->argtypes;
	signature->rettype = proc->rettype;
	signature->row = NULL;
	signature->is_set = proc->retset;
	/* the type of a polymorphic result is that of a call, and no row of ours */
	if (IsPolymorphicType(proc->rettype))
		return;
	class = get_func_result_type(proc->oid, NULL, &row);
	if (class == TYPEFUNC_COMPOSITE || class == TYPEFUNC_COMPOSITE_DOMAIN)
		signature->row = row;
}

const PgwExtern *
pgw_function_export(const PgwProc *proc, const PgwBody *body, const PgwCode *code, const PgwProc *module)
{
	const char *name = pgw_body_export(body, NameStr(proc->name));
	const PgwExtern *only;
	const PgwExtern *export;

	if (body->kind != PGW_BODY_REFERENCE && body->header_export == NULL &&
		pgw_code_functions(code, &only) == 1)
		return only;
	export = pgw_code_export(code, name);
	if (export == NULL && module != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("WebAssembly module %s has no exported function \"%s\"",
						pgw_proc_qualified_name(module), pgw_shown_name(name)),
				 errhint("SELECT * FROM wasm.exports('%s') lists what it exports.",
						 pgw_proc_qualified_name(module))));
	if (export == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("WebAssembly module has no exported function \"%s\"", pgw_shown_name(name)),
				 errhint("An inline module exports one function, or one of the SQL function's name, or the one named in a first line \";; export: name\".")));
	return export;
}

void
pgw_function_plan(const PgwProc *proc, const PgwCode *code, const PgwExtern *export, PgwPlan *plan)
{
	PgwSignature signature;

	if (export->wit != NULL && (export->wit->is_async || pgw_wit_func_has_resources(export->wit)))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("WebAssembly export \"%s\" cannot be an SQL function", pgw_shown_name(export->name)),
				 export->wit->is_async ? errdetail("It is asynchronous.") :
				 errdetail("No SQL type stands for resources; the export has the type %s.", pgw_extern_type(export))));
	pgw_function_signature(proc, &signature);
	if (!pgw_plan_make(plan, &signature, code, export))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("signature of function %s does not fit the WebAssembly export \"%s\"",
						NameStr(proc->name), pgw_shown_name(export->name)),
				 errdetail("The SQL signature is %s; the export has the type %s.",
						   pgw_signature_text(&signature), pgw_extern_type(export))));
	if (proc->retset && !proc->is_table && !pgw_plan_has_set(plan))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("function %s cannot return a set: the WebAssembly export \"%s\" returns no list",
						NameStr(proc->name), pgw_shown_name(export->name)),
				 errdetail("The export has the type %s.", pgw_extern_type(export)),
				 errhint("RETURNS TABLE gives the results of one call as one row.")));
}

/* The relation whose changes change the row type; InvalidOid for OUT columns. */
static Oid
relation_of_row(Oid rettype)
{
	return get_typ_typrelid(getBaseType(rettype));
}

/* Binds the function to its export: fills in function from its row. */
static void
bind(PgwFunction *function, const PgwProc *proc)
{
	MemoryContext caller;
	PgwBody		body;
	PgwProc		module;
	const PgwProc *holder = proc;

	pgw_body_parse(proc->source, proc->whole, &body);
	if (body.kind == PGW_BODY_REFERENCE)
	{
		pgw_module_find_bound(body.name, &module);
		pgw_module_check_execute(&module, proc->owner);
		holder = &module;
	}
	function->module = holder->oid;
	function->module_hash = GetSysCacheHashValue1(PROCOID, ObjectIdGetDatum(holder->oid));
	function->limits = pgw_module_limits(holder);
	function->code = pgw_module_code(holder);
	function->metered = (function->code->key.mode & PGW_MODE_METERED) != 0;
	pgw_host_check(function->code);
	function->may_query = pgw_host_may_query(function->code);
	function->export = pgw_function_export(proc, &body, function->code,
										   body.kind == PGW_BODY_REFERENCE ? &module : NULL);
	function->is_command = strcmp(function->export->raw_name, PGW_COMMAND) == 0;
	caller = MemoryContextSwitchTo(function->context);
	pgw_function_plan(proc, function->code, function->export, &function->plan);
	MemoryContextSwitchTo(caller);
	if (function->plan.row != NULL || function->plan.crossing != NULL)
		function->row_relation = relation_of_row(proc->rettype);
	/* last: nobody would detach it after an error */
	function->stat = pgw_stat_attach(function->oid, function->module);
}

/* Frees a function that no call site uses.  Never throws. */
static void
destroy(PgwFunction *function)
{
	FunctionKey key = {function->oid, function->metered};
	FunctionEntry *entry = hash_search(functions, &key, HASH_FIND, NULL);

	if (entry != NULL && entry->function == function)
		hash_search(functions, &key, HASH_REMOVE, NULL);
	dlist_delete(&function->node);
	if (function->instance != NULL)
		pgw_instance_release(function->instance);
	if (function->code != NULL)
		pgw_code_release(function->code);
	if (function->stat != NULL)
		pgw_stat_detach(function->stat);
	MemoryContextDelete(function->context);
}

/*
 * Frees the functions that changed or were dropped since their last call, but
 * nothing below a running guest.  With a function may go the last call sites of
 * others (those in the constraints of a domain that its plan holds): only the
 * outermost sweep frees, until nothing is left to be freed.  Never throws.
 */
static void
sweep(void)
{
	static bool sweeping = false;
	bool		freed = true;

	if (sweeping || pgw_guest_calls > 0)
		return;
	sweeping = true;
	while (freed)
	{
		dlist_mutable_iter iter;

		freed = false;
		dlist_foreach_modify(iter, &all_functions)
		{
			PgwFunction *function = dlist_container(PgwFunction, node, iter.cur);

			if (!function->current && function->sites == 0)
			{
				destroy(function);
				freed = true;
			}
		}
	}
	sweeping = false;
}

static PgwFunction *
load(Oid oid)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "wasm function",
												  ALLOCSET_SMALL_SIZES);
	PgwFunction *function = MemoryContextAllocZero(context, sizeof(PgwFunction));
	uint64		before = invalidations;
	PgwProc		proc;

	if (!pgw_proc_read(oid, PGW_SOURCE_HEAD, &proc))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function with OID %u does not exist", oid)));
	function->oid = oid;
	function->context = context;
	function->name = MemoryContextStrdup(context, NameStr(proc.name));
	function->hash = GetSysCacheHashValue1(PROCOID, ObjectIdGetDatum(oid));
	function->is_module = pgw_proc_is_module(&proc);
	function->returns_set = proc.retset;
	function->read_only = proc.volatility != PROVOLATILE_VOLATILE;
	PG_TRY();
	{
		if (!function->is_module)
			bind(function, &proc);
	}
	PG_CATCH();
	{
		if (function->code != NULL)
			pgw_code_release(function->code);
		PG_RE_THROW();
	}
	PG_END_TRY();
	MemoryContextSetParent(context, TopMemoryContext);
	dlist_push_tail(&all_functions, &function->node);
	function->current = before == invalidations;
	set_usable(function, function->current);
	return function;
}

/* The function as it is now.  The caller must count as a call site at once. */
static PgwFunction *
find(Oid oid)
{
	FunctionEntry *entry;
	PgwFunction *function;

	for (uint32 metered = 0; metered <= 1; metered++)
	{
		FunctionKey key = {oid, metered};

		entry = hash_search(functions, &key, HASH_FIND, NULL);
		if (entry != NULL && entry->function->usable)
			return entry->function;
	}
	sweep();
	function = load(oid);
	entry = hash_search(functions, &(FunctionKey) {oid, function->metered}, HASH_ENTER, NULL);
	entry->function = function;
	return function;
}

static void
on_site_reset(void *arg)
{
	PgwCallSite *site = arg;

	if (site->function == NULL)
		return;
	site->function->sites--;
	if (site->function->sites == 0 && !site->function->current)
		sweep();
}

/* May throw; a site that is found in fn_extra will have its function at once. */
static PgwCallSite *
make_site(FmgrInfo *flinfo)
{
	PgwCallSite *site = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(PgwCallSite));

	site->callback.func = on_site_reset;
	site->callback.arg = site;
	MemoryContextRegisterResetCallback(flinfo->fn_mcxt, &site->callback);
	pgw_interrupt_restore();
	flinfo->fn_extra = site;
	return site;
}

PgwCallSite *
pgw_function_site(FmgrInfo *flinfo)
{
	PgwFunction *function = find(flinfo->fn_oid);
	PgwCallSite *site = flinfo->fn_extra;

	if (site == NULL)
		site = make_site(flinfo);
	function->sites++;
	/* freed later: an outer call through this very site may still use it */
	if (site->function != NULL)
		site->function->sites--;
	site->function = function;
	return site;
}

static bool
find_entry(PgwInstance *instance, const PgwExtern *export, PgwEntry *entry)
{
	return pgw_store_entry(&instance->store, export->raw_name, export->raw_length, entry);
}

/* What the canonical ABI takes, beside the function itself */
static bool
find_abi(const PgwCode *code, PgwInstance *instance, const PgwExtern *export, PgwAbi *abi)
{
	const PgwExtern *post = pgw_code_post(code, export);

	abi->has_post = post != NULL;
	return find_entry(instance, code->realloc, &abi->realloc) &&
		pgw_store_memory(&instance->store, code->memory->raw_name, code->memory->raw_length, &abi->memory) &&
		(post == NULL || find_entry(instance, post, &abi->post));
}

PgwInstance *
pgw_function_instantiate(PgwFunction *function)
{
	PgwInstance *instance = pgw_instance_acquire(function->module, function->code, &function->limits,
												 function->stat);
	const PgwExtern *export = function->export;
	PgwEntry	entry = {0};
	PgwHandle	handle = {{0}};
	PgwAbi		abi = {0};
	bool		found;

	if (export->wit != NULL)
		found = pgw_store_handle(&instance->store, export->raw_name, export->raw_length,
								 export->from_length, &handle);
	else
		found = find_entry(instance, export, &entry) &&
			(function->plan.crossing == NULL || find_abi(function->code, instance, export, &abi));
	if (!found)
	{
		pgw_instance_release(instance);
		elog(ERROR, "export \"%s\" is gone from its instance", export->name);
	}
	if (function->instance != NULL)
		pgw_instance_release(function->instance);
	instance->store.read_only = function->read_only;
	function->instance = instance;
	function->entry = entry;
	function->handle = handle;
	function->abi = abi;
	return instance;
}
