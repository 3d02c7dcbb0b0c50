/*
 * canonical.c
 *		Calls whose values cross by the canonical ABI of the component model
 *		(CanonicalABI.md in its repository).
 *
 * A core module exports what the ABI asks for, as modules do before they become
 * components: values are copied to where its cabi_realloc says, and results are
 * given back by cabi_post_<name> where it exports that.  Of a component the engine
 * does the same, and calls back while values are to be written and read.
 *
 * From the first value that is written to the last one that is read the instance
 * counts as busy: what a type's output function or a domain calls cannot change its
 * memory.  A failure in between ends the instance.
 */
#include "postgres.h"

#include "language/canonical.h"

#include "engine/error.h"
#include "utils/memutils.h"

typedef struct Call
{
	PgwFunction *function;
	FunctionCallInfo fcinfo;
	PgwInstance *instance;		/* used */
	PgwEntry	entry;			/* of that instance, as are the next two */
	PgwHandle	handle;
	PgwAbi		abi;
	bool		entered;		/* the guest has run */
	PgwLowering *lowering;		/* of a component, and ... */
	PgwLifting *lifting;		/* ... while values are read or written */
	const PgwWit *outcome;		/* of a block: what may be an error, or NULL */
	MemoryContext context;		/* in which it was called */
	wasmtime_error_t *error;	/* the engine's, which is on its way there */
	PgwCanon	canon;
	PgwSlot    *slots;			/* own, or palloc'd */
	Datum		result;
	bool		isnull;
	PgwSlot		own[PGW_FLAT_MAX];
} Call;

static Call *
call_of(PgwCanon *canon)
{
	return canon->data;
}

static void
begin(Call *call, PgwFunction *function, FunctionCallInfo fcinfo)
{
	memset(call, 0, offsetof(Call, own));
	call->function = function;
	call->fcinfo = fcinfo;
	call->instance = function->instance;
	call->entry = function->entry;
	call->handle = function->handle;
	call->abi = function->abi;
	call->context = CurrentMemoryContext;
	call->canon.function = function->name;
	call->canon.data = call;
	call->slots = call->own;
	if (function->plan.nslots > lengthof(call->own))
		call->slots = palloc(function->plan.nslots * sizeof(PgwSlot));
}

/* Of memory that a guest cannot have it is not asked: most trap then. */
static void
check_size(Call *call, size_t size)
{
	if (size > Min(call->instance->store.memory_limit, PG_UINT32_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("an argument of %zu bytes does not fit into the memory of a WebAssembly guest", size),
				 errhint("The setting wasm.memory_limit bounds the memory.")));
}

static void
lower_arguments(Call *call)
{
	PgwPlan    *plan = &call->function->plan;

	pgw_crossing_lower(plan->crossing, plan->nargs, call->fcinfo->args, &call->canon, call->slots);
}

static void
lift_result(Call *call)
{
	PgwPlan    *plan = &call->function->plan;

	if (plan->crossing->result_wit == NULL)
		call->result = pgw_plan_result(plan, call->slots);
	else if (plan->crossing->result != NULL)
		call->result = pgw_crossing_lift(plan->crossing, &call->canon, call->slots, &call->isnull);
}

/* --- core modules --- */

static void
look_at_memory(Call *call)
{
	PgwGuestMemory *memory = &call->canon.memory;

	memory->bytes = pgw_memory_bytes(&call->instance->store, &call->abi.memory, &memory->size);
	memory->is_utf8 = true;
}

/* Calls the function itself, or one that serves it; false when the guest has exited. */
static bool
enter(Call *call, const PgwEntry *entry, PgwSlot *slots, size_t nslots)
{
	call->entered = true;
	if (!pgw_instance_call(call->instance, entry, slots, nslots, call->function->stat))
		return false;
	call->instance->idle = false;
	look_at_memory(call);
	return true;
}

static void
serve(Call *call, const PgwEntry *entry, PgwSlot *slots, size_t nslots)
{
	if (!enter(call, entry, slots, nslots))
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("WebAssembly function %s exited while it was given or gave back memory",
						call->function->name)));
}

static uint32
alloc_in_core(PgwCanon *canon, uint32 alignment, size_t size)
{
	Call	   *call = call_of(canon);
	/* old address, old size, alignment, size; then the address */
	PgwSlot		slots[4] = {{.i32 = 0}, {.i32 = 0}, {.i32 = alignment}, {.i32 = size}};

	check_size(call, size);
	serve(call, &call->abi.realloc, slots, lengthof(slots));
	(void) pgw_canon_bytes(canon, slots[0].i32, 1, size, alignment);
	return slots[0].i32;
}

/* False when the guest has exited. */
static bool
run_core(Call *call)
{
	PgwFunction *function = call->function;
	PgwCrossing *crossing = function->plan.crossing;
	PgwSlot		address;

	call->canon.alloc = alloc_in_core;
	look_at_memory(call);
	pgw_plan_arguments(&function->plan, call->fcinfo, call->slots);
	lower_arguments(call);
	if (!enter(call, &call->entry, call->slots, function->plan.nslots))
		return false;
	address = call->slots[0];
	lift_result(call);
	if (crossing->lifts && call->abi.has_post)
		serve(call, &call->abi.post, &address, 1);
	return true;
}

static bool
call_core(Call *call)
{
	PgwInstance *instance = call->instance;
	volatile bool returned = false;

	instance->users++;
	instance->idle = false;
	PG_TRY();
	{
		returned = run_core(call);
	}
	PG_CATCH();
	{
		if (call->entered)
			pgw_instance_discard(instance);
		else
			instance->idle = true;
		pgw_instance_release(instance);
		PG_RE_THROW();
	}
	PG_END_TRY();
	if (returned)
		instance->idle = true;
	pgw_instance_release(instance);
	return returned;
}

/* --- components --- */

/*
 * Leaves a callback with an error of the engine's, which is given back to it.  There
 * is no other error, unless one that a callback within has captured: that stays.
 */
static void
pass_on(Call *call, wasmtime_error_t *error)
{
	if (error == NULL)
		return;
	call->error = error;
	PG_RE_THROW();
}

/* To be called in the PG_CATCH of a callback; the error that ends the call. */
static wasmtime_error_t *
caught(Call *call)
{
	wasmtime_error_t *error = call->error;

	if (error == NULL)
	{
		pgw_error_capture(call->context);
		return wasmtime_error_new("ended by the host");
	}
	call->error = NULL;
	MemoryContextSwitchTo(call->context);
	return error;
}

static uint32
alloc_in_component(PgwCanon *canon, uint32 alignment, size_t size)
{
	Call	   *call = call_of(canon);
	uint32		address;

	check_size(call, size);
	pass_on(call, pgw_lower_alloc(call->lowering, alignment, size, &address));
	pgw_lower_memory(call->lowering, &canon->memory);
	return address;
}

static void
put_string(PgwCanon *canon, const char *text, size_t length, uint32 pair[2])
{
	Call	   *call = call_of(canon);

	pass_on(call, pgw_lower_string(call->lowering, text, length, pair));
	pgw_lower_memory(call->lowering, &canon->memory);
}

static char *
get_string(PgwCanon *canon, uint32 address, uint32 *length)
{
	Call	   *call = call_of(canon);
	wasm_byte_vec_t found;
	char	   *text;

	pass_on(call, pgw_lift_string(call->lifting, address, *length, &found));
	*length = found.size;
	text = palloc_extended(found.size + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
	if (text != NULL)
		memcpy(text, found.data, found.size);
	wasm_byte_vec_delete(&found);
	if (text == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	return text;
}

static wasmtime_error_t *
on_lower(void *data, PgwLowering *lowering, wasmtime_val_raw_t *slots)
{
	Call	   *call = data;
	wasmtime_error_t *volatile error = NULL;

	PG_TRY();
	{
		call->lowering = lowering;
		pgw_lower_memory(lowering, &call->canon.memory);
		lower_arguments(call);
	}
	PG_CATCH();
	{
		error = caught(call);
	}
	PG_END_TRY();
	return error;
}

static wasmtime_error_t *
on_lift(void *data, PgwLifting *lifting, const wasmtime_val_raw_t *slot)
{
	Call	   *call = data;
	wasmtime_error_t *volatile error = NULL;

	PG_TRY();
	{
		call->lifting = lifting;
		call->slots[0] = *slot;
		pgw_lift_memory(lifting, &call->canon.memory);
		lift_result(call);
	}
	PG_CATCH();
	{
		error = caught(call);
	}
	PG_END_TRY();
	return error;
}

static bool
call_component(Call *call)
{
	PgwFunction *function = call->function;
	PgwCrossing *crossing = function->plan.crossing;

	call->canon.alloc = alloc_in_component;
	call->canon.put_string = put_string;
	call->canon.get_string = get_string;
	if (!crossing->lowers)
		lower_arguments(call);
	if (!pgw_instance_call_component(call->instance, &call->handle, call->slots,
									 crossing->lowers ? on_lower : NULL, crossing->lifts ? on_lift : NULL,
									 call, function->stat))
		return false;
	if (!crossing->lifts)
		lift_result(call);
	return true;
}

/* --- blocks --- */

/* Reads what a function returned only so far as to know whether that is an error. */
static wasmtime_error_t *
on_outcome(void *data, PgwLifting *lifting, const wasmtime_val_raw_t *slot)
{
	Call	   *call = data;
	const PgwWit *result = call->outcome;
	PgwPlace	place = {call->slots, 0};
	wasmtime_error_t *volatile error = NULL;

	PG_TRY();
	{
		call->lifting = lifting;
		call->slots[0] = *slot;
		pgw_lift_memory(lifting, &call->canon.memory);
		if (result->nflat > 1)
		{
			place = (PgwPlace) {NULL, slot->i32};
			(void) pgw_canon_bytes(&call->canon, place.address, 1, result->size, result->alignment);
		}
		(void) pgw_lift_error(result, &call->canon, place);
	}
	PG_CATCH();
	{
		error = caught(call);
	}
	PG_END_TRY();
	return error;
}

bool
pgw_canonical_run(PgwStore *store, const PgwExtern *export, PgwGuestError **returned, wasmtime_error_t **error)
{
	Call		call = {.context = CurrentMemoryContext};
	const PgwWit *result = export->wit->result;
	bool		succeeded;

	call.canon.function = export->name;
	call.canon.get_string = get_string;
	call.canon.data = &call;
	call.slots = palloc0(PGW_FLAT_MAX * sizeof(PgwSlot));
	if (result != NULL && result->kind == PGW_WIT_RESULT)
		call.outcome = result;
	succeeded = pgw_store_handle(store, export->raw_name, export->raw_length, export->from_length, &call.handle) &&
		pgw_store_call_component(store, &call.handle, call.slots, NULL, call.outcome != NULL ? on_outcome : NULL,
								 &call, error);
	*returned = call.canon.error;
	return succeeded;
}

void
pgw_canonical_throw(const PgwGuestError *error)
{
	ereport(ERROR,
			(errcode(error->sqlstate),
			 errmsg("%s", error->message),
			 error->detail ? errdetail("%s", error->detail) : 0,
			 error->hint ? errhint("%s", error->hint) : 0));
}

Datum
pgw_canonical_call(PgwFunction *function, FunctionCallInfo fcinfo)
{
	Call		call;

	begin(&call, function, fcinfo);
	if (!(function->export->wit != NULL ? call_component(&call) : call_core(&call)))
	{
		fcinfo->isnull = true;
		return (Datum) 0;
	}
	if (call.canon.error != NULL)
		pgw_canonical_throw(call.canon.error);
	fcinfo->isnull = call.isnull;
	return call.result;
}
