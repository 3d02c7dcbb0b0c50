/*
 * query.c
 *		The interface query of wit/host.wit.
 *
 * A query runs as the current user, through SPI.  When the guest runs again, to
 * allocate memory for what it gets, nothing of the query is open: no connection of
 * SPI, no subtransaction.
 */
#include "postgres.h"

#include "host/query.h"

#include "access/xact.h"
#include "engine/encoding.h"
#include "engine/interrupt.h"
#include "executor/spi.h"
#include "host/abi.h"
#include "host/cursor.h"
#include "host/rows.h"
#include "host/statement.h"
#include "tcop/pquery.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/* What is kept for an instance */
typedef struct Kept
{
	PgwKept		header;
	MemoryContext context;
	PgwStatements statements;
	PgwCursors	cursors;
} Kept;

/*
 * A query of a guest, which gives text and parameters, two lists in four slots.  They
 * are in its memory until the query begins.
 */
typedef struct Request
{
	PgwGuest   *guest;
	Kept	   *kept;
	bool		read_only;
	const char *sql;			/* in UTF-8 */
	size_t		length;
	const PgwValue *values;
	int			nvalues;
	DestReceiver *receiver;		/* of rows */
	uint64		processed;		/* how many rows the command has returned or changed */
} Request;

/* Results in the guest's memory */
typedef struct SqlError
{
	PgwGuestList sqlstate;
	PgwGuestList message;
	PgwGuestOption detail;
	PgwGuestOption hint;
} SqlError;

typedef struct QueryResult
{
	uint32		is_error;		/* a byte of the ABI, and padding */
	union
	{
		PgwGuestList rows;
		SqlError	error;
	}			of;
} QueryResult;

typedef struct ExecuteResult
{
	uint64		is_error;		/* the same */
	union
	{
		uint64		processed;
		SqlError	error;
	}			of;
} ExecuteResult;

StaticAssertDecl(sizeof(SqlError) == 40, "a sql-error has 40 bytes");
StaticAssertDecl(sizeof(QueryResult) == 44, "a result of try-query has 44 bytes");
StaticAssertDecl(sizeof(ExecuteResult) == 48, "a result of try-execute has 48 bytes");

/* --- what is kept for an instance --- */

static void
forget(PgwKept *header)
{
	Kept	   *kept = (Kept *) header;

	pgw_statements_free(&kept->statements);
	pgw_cursors_abandon(&kept->cursors);
	MemoryContextDelete(kept->context);
}

static Kept *
kept_for(PgwGuest *guest)
{
	PgwStore   *store = pgw_guest_store(guest);
	MemoryContext context;
	MemoryContext caller;
	Kept	   *kept = (Kept *) pgw_store_kept(store, forget);

	if (kept != NULL)
		return kept;
	context = AllocSetContextCreate(TopMemoryContext, "wasm queries", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	kept = palloc(sizeof(Kept));
	kept->context = context;
	pgw_statements_init(&kept->statements);
	pgw_cursors_init(&kept->cursors);
	MemoryContextSwitchTo(caller);
	kept->header.forget = forget;
	pgw_store_keep(store, &kept->header);
	return kept;
}

/* --- running --- */

static PgwGuestList
list_in(const PgwSlot *slots)
{
	return (PgwGuestList) {slots[0].i32, slots[1].i32};
}

static Request
read_request(PgwGuest *guest, const PgwSlot *slots)
{
	PgwGuestList sql = list_in(slots);

	return (Request) {
		.guest = guest,
		.kept = kept_for(guest),
		.read_only = pgw_guest_store(guest)->read_only,
		.sql = pgw_guest_utf8(guest, sql),
		.length = sql.length,
		.values = pgw_values_read(guest, list_in(slots + 2)),
		.nvalues = slots[3].i32,
		.receiver = None_Receiver
	};
}

static void pg_attribute_noreturn() pg_attribute_cold
refuse(int code)
{
	if (code == SPI_ERROR_TRANSACTION)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a WebAssembly guest cannot begin or end transactions")));
	if (code == SPI_ERROR_COPY)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a WebAssembly guest cannot COPY to or from the client")));
	elog(ERROR, "could not execute a query: %s", SPI_result_code_string(code));
}

/* Connects to SPI and prepares the query. */
static PgwStatement *
begin(const Request *request, ParamListInfo *params)
{
	PgwStatement *statement;

	SPI_connect();
	statement = pgw_statement_find(&request->kept->statements,
								   pgw_from_utf8_strict(request->sql, request->length));
	*params = pgw_statement_params(statement, request->values, request->nvalues);
	return statement;
}

/* What ran may have loaded a library that takes signals for itself. */
static void
end(void)
{
	SPI_finish();
	pgw_interrupt_restore();
}

static void
run(Request *request)
{
	SPIExecuteOptions options = {.read_only = request->read_only,.dest = request->receiver};
	PgwStatement *statement = begin(request, &options.params);
	int			code = SPI_execute_plan_extended(statement->plan, &options);

	if (code < 0)
		refuse(code);
	request->processed = SPI_processed;
	end();
}

/*
 * Runs the query in a subtransaction.  Returns its error, palloc'd, or NULL.
 * What stops a guest from outside ends it.
 */
static ErrorData *
try(Request *request)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		run(request);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	if (error == NULL)
		return NULL;
	if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION)
		ReThrowError(error);
	pgw_interrupt_restore();
	return error;
}

/* --- results --- */

/* What cannot be converted does not hide the rest. */
static PgwGuestList
give_message(PgwGuest *guest, const char *text)
{
	size_t		length = strlen(text);
	const char *shown = pgw_to_utf8_lossy(text, &length);

	return pgw_guest_give(guest, shown, length);
}

static PgwGuestOption
give_optional(PgwGuest *guest, const char *text)
{
	PgwGuestOption option = {.some = text != NULL};

	if (text != NULL)
		option.string = give_message(guest, text);
	return option;
}

static SqlError
give_error(PgwGuest *guest, const ErrorData *error)
{
	SqlError	given;

	given.sqlstate = give_message(guest, unpack_sql_state(error->sqlerrcode));
	given.message = give_message(guest, error->message != NULL ? error->message : "");
	given.detail = give_optional(guest, error->detail);
	given.hint = give_optional(guest, error->hint);
	return given;
}

static uint32
query(PgwGuest *guest, const PgwSlot *slots)
{
	MemoryContext caller = pgw_scratch_begin();
	Request		request = read_request(guest, slots);
	PgwRows    *rows = pgw_rows_make(guest);
	PgwGuestList list;

	request.receiver = &rows->receiver;
	run(&request);
	list = pgw_rows_give(guest, rows);
	pgw_guest_write(guest, slots[4].i32, &list, sizeof(list), PGW_LIST_ALIGNMENT);
	pgw_scratch_end(caller);
	return 0;
}

static uint64
execute(PgwGuest *guest, const PgwSlot *slots)
{
	MemoryContext caller = pgw_scratch_begin();
	Request		request = read_request(guest, slots);

	run(&request);
	pgw_scratch_end(caller);
	return request.processed;
}

static uint32
try_query(PgwGuest *guest, const PgwSlot *slots)
{
	MemoryContext caller = pgw_scratch_begin();
	Request		request = read_request(guest, slots);
	PgwRows    *rows = pgw_rows_make(guest);
	QueryResult result = {0};
	ErrorData  *error;

	request.receiver = &rows->receiver;
	error = try(&request);
	result.is_error = error != NULL;
	if (error != NULL)
		result.of.error = give_error(guest, error);
	else
		result.of.rows = pgw_rows_give(guest, rows);
	pgw_guest_write(guest, slots[4].i32, &result, sizeof(result), PGW_LIST_ALIGNMENT);
	pgw_scratch_end(caller);
	return 0;
}

static uint32
try_execute(PgwGuest *guest, const PgwSlot *slots)
{
	MemoryContext caller = pgw_scratch_begin();
	Request		request = read_request(guest, slots);
	ExecuteResult result = {0};
	ErrorData  *error = try(&request);

	result.is_error = error != NULL;
	if (error != NULL)
		result.of.error = give_error(guest, error);
	else
		result.of.processed = request.processed;
	pgw_guest_write(guest, slots[4].i32, &result, sizeof(result), sizeof(uint64));
	pgw_scratch_end(caller);
	return 0;
}

/* --- cursors --- */

static uint32
cursor_open(PgwGuest *guest, const PgwSlot *slots)
{
	MemoryContext caller = pgw_scratch_begin();
	Request		request = read_request(guest, slots);
	uint32		handle = pgw_cursor_reserve(&request.kept->cursors);
	ParamListInfo params;
	PgwStatement *statement = begin(&request, &params);
	Portal		portal = SPI_cursor_open_with_paramlist(NULL, statement->plan, params, request.read_only);

	pgw_cursor_bind(&request.kept->cursors, handle, portal, request.read_only);
	end();
	pgw_scratch_end(caller);
	return handle;
}

static Portal
portal_of(PgwGuest *guest, uint32 handle)
{
	return pgw_cursor_portal(&kept_for(guest)->cursors, handle, pgw_guest_store(guest)->read_only);
}

static uint32
cursor_columns(PgwGuest *guest, const PgwSlot *slots)
{
	MemoryContext caller = pgw_scratch_begin();
	TupleDesc	row = CreateTupleDescCopy(portal_of(guest, slots[0].i32)->tupDesc);
	PgwGuestList list = pgw_columns_give(guest, row);

	pgw_guest_write(guest, slots[1].i32, &list, sizeof(list), PGW_LIST_ALIGNMENT);
	pgw_scratch_end(caller);
	return 0;
}

static uint32
cursor_fetch(PgwGuest *guest, const PgwSlot *slots)
{
	MemoryContext caller = pgw_scratch_begin();
	Portal		portal = portal_of(guest, slots[0].i32);
	uint32		count = slots[1].i32;
	PgwRows    *rows = pgw_rows_make(guest);
	PgwGuestList list;

	/* to fetch none would fetch the present row again */
	if (count > 0)
		(void) PortalRunFetch(portal, FETCH_FORWARD, count, &rows->receiver);
	pgw_interrupt_restore();
	list = pgw_rows_give(guest, rows);
	pgw_guest_write(guest, slots[2].i32, &list, sizeof(list), PGW_LIST_ALIGNMENT);
	pgw_scratch_end(caller);
	return 0;
}

static uint32
cursor_drop(PgwGuest *guest, const PgwSlot *slots)
{
	pgw_cursor_drop(&kept_for(guest)->cursors, slots[0].i32);
	return 0;
}

static const PgwHostFunction functions[] = {
	{"query", "iiiii", query},
	{"execute", "iiii:I", NULL, execute},
	{"try-query", "iiiii", try_query},
	{"try-execute", "iiiii", try_execute},
	{"open", "iiii:i", cursor_open},
	{"[method]cursor.columns", "ii", cursor_columns},
	{"[method]cursor.fetch", "iii", cursor_fetch},
	{"[resource-drop]cursor", "i", cursor_drop},
	{NULL}
};

const PgwHostModule pgw_query_module = {"postgres:host/query@0.1.0", functions};
