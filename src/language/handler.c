/*
 * handler.c
 *		LANGUAGE wasm: call handler, validator, inline handler, and the event
 *		trigger that follows modules.
 *
 * The warm path of a call is wasm_call_handler() and what it calls inline:
 * no lookup, no allocation, no access to a cache.
 */
#include "postgres.h"

#include "catalog/binding.h"
#include "catalog/body.h"
#include "catalog/function.h"
#include "catalog/module.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "commands/event_trigger.h"
#include "commands/trigger.h"
#include "compat.h"
#include "engine/error.h"
#include "engine/interrupt.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "host/host.h"
#include "language/canonical.h"
#include "miscadmin.h"
#include "utils/builtins.h"

PGW_SQL_FUNCTION(pgw_call_handler);
PGW_SQL_FUNCTION(pgw_validator);
PGW_SQL_FUNCTION(pgw_inline_handler);
PGW_SQL_FUNCTION(pgw_follow_modules);

/* Calls with more arguments or results than this take their slots from the heap. */
#define PGW_STACK_SLOTS 16

/* For a function with no buffer on its stack: a canary costs six instructions. */
#if __has_attribute(no_stack_protector)
#define UNPROTECTED __attribute__((no_stack_protector))
#else
#define UNPROTECTED
#endif

static void
name_function(void *arg)
{
	const PgwFunction *function = arg;

	errcontext("WebAssembly function %s", function->name);
}

static pg_noinline Datum
module_bytes(Oid oid)
{
	size_t		length;
	char	   *bytes = pgw_module_bytes(oid, &length);
	bytea	   *result = palloc(VARHDRSZ + length);

	SET_VARSIZE(result, VARHDRSZ + length);
	memcpy(VARDATA(result), bytes, length);
	pfree(bytes);
	return PointerGetDatum(result);
}

static void
put_result(ReturnSetInfo *rsinfo, bool is_row, Datum value, bool isnull)
{
	if (is_row && isnull)
	{
		int			natts = rsinfo->setDesc->natts;
		Datum	   *values = palloc0(natts * sizeof(Datum));
		bool	   *nulls = palloc(natts * sizeof(bool));

		memset(nulls, true, natts * sizeof(bool));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	else if (is_row)
	{
		HeapTupleHeader header = DatumGetHeapTupleHeader(value);
		HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(header),.t_data = header};

		tuplestore_puttuple(rsinfo->setResult, &tuple);
	}
	else
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &value, &isnull);
}

/* Gives the elements of a list as a set, and any other result as a set of one. */
static pg_noinline Datum
return_set(FunctionCallInfo fcinfo, const PgwFunction *function, Datum result)
{
	const PgwCrossing *crossing = function->plan.crossing;
	bool		isnull = fcinfo->isnull;
	PgwSet		none = {0};
	PgwSet		one = {1, &result, &isnull};
	PgwSet	   *set = crossing != NULL && crossing->is_set ? (PgwSet *) DatumGetPointer(result) : &one;
	bool		has_rows = function->plan.row != NULL ||
		(crossing != NULL && crossing->result != NULL && crossing->result->row != NULL);

	/* the guest has exited, or there is no row */
	if (isnull && (has_rows || set != &one))
		set = &none;
	InitMaterializedSRF(fcinfo, has_rows ? 0 : MAT_SRF_USE_EXPECTED_DESC);
	for (uint32 i = 0; i < set->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_result((ReturnSetInfo *) fcinfo->resultinfo, has_rows, set->values[i], set->nulls[i]);
	}
	fcinfo->isnull = false;
	return (Datum) 0;
}

/* Pushes a frame of error context, to be popped by leave(); gives the instance, ready. */
static inline PgwInstance *
enter(PgwFunction *function, ErrorContextCallback *context)
{
	PgwInstance *instance = function->instance;

	context->callback = name_function;
	context->arg = function;
	context->previous = error_context_stack;
	error_context_stack = context;
	function->stat->calls++;
	if (unlikely(!pgw_instance_ready(instance)))
		return pgw_function_instantiate(function);
	return instance;
}

static inline void
leave(const ErrorContextCallback *context)
{
	error_context_stack = context->previous;
}

/* The first call, the first after a change, and every one whose plan is not plain. */
static pg_noinline Datum
call(FunctionCallInfo fcinfo)
{
	PgwCallSite *site = fcinfo->flinfo->fn_extra;
	PgwSlot		on_stack[PGW_STACK_SLOTS];
	PgwSlot    *slots = on_stack;
	ErrorContextCallback context;
	PgwFunction *function;
	Datum		result = (Datum) 0;

	if (site == NULL || !site->function->usable)
	{
		if (CALLED_AS_TRIGGER(fcinfo) || CALLED_AS_EVENT_TRIGGER(fcinfo))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("WebAssembly functions cannot be called as triggers")));
		site = pgw_function_site(fcinfo->flinfo);
	}
	function = site->function;
	if (function->is_module)
		return module_bytes(function->oid);
	enter(function, &context);
	function->instance->store.read_only = function->read_only;
	if (function->plan.crossing != NULL)
		result = pgw_canonical_call(function, fcinfo);
	else
	{
		if (function->plan.nslots > PGW_STACK_SLOTS)
			slots = palloc(function->plan.nslots * sizeof(PgwSlot));
		pgw_plan_arguments(&function->plan, fcinfo, slots);
		if (pgw_instance_call(function->instance, &function->entry, slots, function->plan.nslots,
							  function->stat))
			result = pgw_plan_result(&function->plan, slots);
		else
			fcinfo->isnull = true;
	}
	if (function->is_command)
		pgw_instance_discard(function->instance);
	if (function->returns_set)
		result = return_set(fcinfo, function, result);
	leave(&context);
	return result;
}

UNPROTECTED Datum
pgw_call_handler(PG_FUNCTION_ARGS)
{
	const PgwCallSite *site = fcinfo->flinfo->fn_extra;
	ErrorContextCallback context;
	PgwFunction *function;
	PgwInstance *instance;
	PgwSlot    *slots;
	wasmtime_error_t *error;
	wasm_trap_t *trap;
	Datum		first;
	Datum		result;

	if (unlikely(site == NULL || !site->function->plain))
		return call(fcinfo);
	function = site->function;
	instance = enter(function, &context);
	slots = pgw_plan_plain_slots(fcinfo);
	first = fcinfo->args[0].value;
	if (unlikely(!pgw_instance_try(instance, &function->entry, slots, function->plan.nslots,
								   &error, &trap)))
	{
		pgw_instance_end(instance, error, trap, function->stat);
		fcinfo->isnull = true;
	}
	result = pgw_plan_plain_result(&function->plan, slots);
	fcinfo->args[0].value = first;
	leave(&context);
	return result;
}

Datum
pgw_validator(PG_FUNCTION_ARGS)
{
	pgw_binding_validate(PG_GETARG_OID(0));
	PG_RETURN_VOID();
}

/* --- DO --- */

static bool
takes_nothing(const PgwExtern *export)
{
	if (export->wit != NULL)
		return export->wit->params->nmembers == 0 && !export->wit->is_async;
	return export->func.nparams == 0;
}

/* What a DO block runs: "main", "_start" or the only function without parameters. */
static const PgwExtern *
main_export(const PgwCode *code)
{
	static const char *const names[] = {"main", "_start"};
	const PgwExtern *only = NULL;
	int			count = 0;

	for (int i = 0; i < lengthof(names); i++)
	{
		const PgwExtern *export = pgw_code_export(code, names[i]);

		if (export != NULL && takes_nothing(export))
			return export;
	}
	for (int i = 0; i < code->nexports; i++)
	{
		if (code->exports[i].kind == PGW_EXTERN_FUNCTION && takes_nothing(&code->exports[i]))
		{
			only = &code->exports[i];
			count++;
		}
	}
	if (count != 1)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("WebAssembly module of a DO block has no function to call"),
				 errhint("Export a function without parameters named \"main\" or \"_start\", or only one such function.")));
	return only;
}

static bool
call_core(PgwStore *store, const PgwExtern *export, wasmtime_error_t **error, wasm_trap_t **trap)
{
	PgwSlot    *slots = palloc0(Max(export->func.nresults, 1) * sizeof(PgwSlot));
	PgwEntry	entry;

	return pgw_store_entry(store, export->raw_name, export->raw_length, &entry) &&
		pgw_store_call(store, &entry, slots, Max(export->func.nresults, 1), error, trap);
}

static void
run_block(PgwCode *code)
{
	const PgwExtern *export = main_export(code);
	PgwStore	store = {NULL};
	PgwGuestError *returned = NULL;
	wasmtime_error_t *error = NULL;
	wasm_trap_t *trap = NULL;
	PgwImports	imports = pgw_host_imports(code);
	bool		succeeded;

	pgw_host_check(code);
	pgw_interrupt_restore();
	pgw_store_open(&store, &code->artifact, &imports, &pgw_session_limits);
	store.read_only = false;
	/* as deep as pgw_store_open() was, which has checked the stack */
	if (export->wit != NULL)
		succeeded = pgw_canonical_run(&store, export, &returned, &error);
	else
		succeeded = call_core(&store, export, &error, &trap);
	pgw_store_close(&store);
	if (!succeeded && !pgw_error_is_exit(error, trap))
		pgw_error_throw(error, trap);
	if (returned != NULL)
		pgw_canonical_throw(returned);
}

Datum
pgw_inline_handler(PG_FUNCTION_ARGS)
{
	InlineCodeBlock *block = (InlineCodeBlock *) PG_GETARG_POINTER(0);
	PgwBody		body;
	PgwCode    *code;
	char	   *bytes;
	size_t		length;

	pgw_body_parse(block->source_text, true, &body);
	if (body.kind == PGW_BODY_REFERENCE)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("a DO block in LANGUAGE wasm must be a module"),
				 errhint("Write the text form, which starts with \"(\", or \"\\x\" and hex digits.")));
	bytes = pgw_body_bytes(&body, &length);
	code = pgw_code_compile(bytes, length, &pgw_session_limits);
	PG_TRY();
	{
		run_block(code);
	}
	PG_FINALLY();
	{
		pgw_code_release(code);
	}
	PG_END_TRY();
	PG_RETURN_VOID();
}

/* --- modules that were renamed or moved --- */

static void
follow_object(Oid class, Oid object)
{
	if (class == ProcedureRelationId)
		pgw_binding_follow(object);
	else if (class == NamespaceRelationId)
		pgw_binding_follow_all(object);
	else if (class == ExtensionRelationId)
		pgw_binding_follow_all(InvalidOid);
}

Datum
pgw_follow_modules(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	SPITupleTable *rows;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function wasm.follow_modules() must be called by an event trigger")));
	SPI_connect();
	if (SPI_execute("SELECT classid, objid FROM pg_catalog.pg_event_trigger_ddl_commands()",
					true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the commands of the event trigger");
	rows = SPI_tuptable;
	for (uint64 i = 0; i < rows->numvals; i++)
	{
		bool		isnull;
		Oid			class = DatumGetObjectId(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull));
		Oid			object = DatumGetObjectId(SPI_getbinval(rows->vals[i], rows->tupdesc, 2, &isnull));

		follow_object(class, object);
	}
	SPI_finish();
	MemoryContextSwitchTo(caller);
	PG_RETURN_NULL();
}
