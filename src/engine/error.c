/*
 * error.c
 *		Engine errors and traps become PostgreSQL errors; PostgreSQL errors
 *		caught in a callback pass through the engine.
 *
 * No long jump may cross a frame of the engine.  A callback therefore catches
 * the PostgreSQL error, leaves it on the error stack, marks that with
 * pgw_error_capture() and returns a trap.  As soon as the guest call has
 * returned, pgw_error_throw() sees the mark and rethrows.  Nothing may ereport
 * in between.
 *
 * A message has one line.  The guest's backtrace goes to CONTEXT.
 */
#include "postgres.h"

#include "engine/error.h"

#include "engine/component.h"
#include "engine/encoding.h"
#include "engine/interrupt.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

/* The engine's messages may quote names of any length. */
#define PGW_MESSAGE_MAX 500

/* WAT up to this size is shown with the error, so that psql can point at it */
#define PGW_WAT_SHOWN_MAX (16 * 1024)

typedef struct TrapReport
{
	int			sqlstate;
	const char *message;
	const char *hint;			/* or NULL */
} TrapReport;

/* By wasmtime_trap_code_t; codes that are not listed keep the engine's words. */
static const TrapReport trap_reports[] = {
	[WASMTIME_TRAP_CODE_STACK_OVERFLOW] = {
		ERRCODE_STATEMENT_TOO_COMPLEX, "WebAssembly stack exhausted",
		"The guest has 512 kB of stack: look for a recursion that does not end."
	},
	[WASMTIME_TRAP_CODE_MEMORY_OUT_OF_BOUNDS] = {
		ERRCODE_EXTERNAL_ROUTINE_EXCEPTION, "WebAssembly trap: out of bounds memory access", NULL
	},
	[WASMTIME_TRAP_CODE_TABLE_OUT_OF_BOUNDS] = {
		ERRCODE_EXTERNAL_ROUTINE_EXCEPTION, "WebAssembly trap: out of bounds table access", NULL
	},
	[WASMTIME_TRAP_CODE_INDIRECT_CALL_TO_NULL] = {
		ERRCODE_EXTERNAL_ROUTINE_EXCEPTION, "WebAssembly trap: uninitialized table element", NULL
	},
	[WASMTIME_TRAP_CODE_BAD_SIGNATURE] = {
		ERRCODE_EXTERNAL_ROUTINE_EXCEPTION, "WebAssembly trap: indirect call type mismatch", NULL
	},
	[WASMTIME_TRAP_CODE_INTEGER_OVERFLOW] = {
		ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "WebAssembly trap: integer overflow", NULL
	},
	[WASMTIME_TRAP_CODE_INTEGER_DIVISION_BY_ZERO] = {
		ERRCODE_DIVISION_BY_ZERO, "WebAssembly trap: integer division by zero", NULL
	},
	[WASMTIME_TRAP_CODE_BAD_CONVERSION_TO_INTEGER] = {
		ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "WebAssembly trap: invalid conversion to integer", NULL
	},
	[WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED] = {
		ERRCODE_EXTERNAL_ROUTINE_EXCEPTION, "WebAssembly trap: unreachable instruction executed", NULL
	},
	[WASMTIME_TRAP_CODE_OUT_OF_FUEL] = {
		ERRCODE_PROGRAM_LIMIT_EXCEEDED, "WebAssembly function has consumed all its fuel",
		"The setting wasm.fuel bounds what one call may consume."
	},
};

typedef struct PhraseReport
{
	const char *phrase;			/* as in the engine's message */
	int			sqlstate;
	const char *hint;			/* or NULL */
} PhraseReport;

/* Errors without a code, by what the engine says; the first match counts. */
static const PhraseReport run_phrases[] = {
	{"wasm.session_memory_limit", ERRCODE_PROGRAM_LIMIT_EXCEEDED,
	"The sum of the memories of all instances of a session is bounded; wasm.reset() drops the idle ones."},
	{"exceeds memory limit", ERRCODE_PROGRAM_LIMIT_EXCEEDED,
	"The setting wasm.memory_limit bounds the memory of an instance."},
	{"exceeds table limit", ERRCODE_PROGRAM_LIMIT_EXCEEDED, NULL},
	{"limit", ERRCODE_PROGRAM_LIMIT_EXCEEDED, NULL},
	{"no function to allocate", ERRCODE_EXTERNAL_ROUTINE_EXCEPTION, NULL},
	{"mmap", ERRCODE_OUT_OF_MEMORY, NULL},
	{"allocate", ERRCODE_OUT_OF_MEMORY, NULL},
	{NULL, ERRCODE_EXTERNAL_ROUTINE_EXCEPTION, NULL},
};

static const PhraseReport invalid_phrases[] = {
	{"not enabled", ERRCODE_FEATURE_NOT_SUPPORTED, NULL},
	{"must be enabled", ERRCODE_FEATURE_NOT_SUPPORTED, NULL},
	{"to be enabled", ERRCODE_FEATURE_NOT_SUPPORTED, NULL},
	{"is disabled", ERRCODE_FEATURE_NOT_SUPPORTED, NULL},
	{"required for", ERRCODE_FEATURE_NOT_SUPPORTED, NULL},
	{"not supported", ERRCODE_FEATURE_NOT_SUPPORTED, NULL},
	{"unsupported", ERRCODE_FEATURE_NOT_SUPPORTED, NULL},
	{"multiple memories", ERRCODE_FEATURE_NOT_SUPPORTED, NULL},
	{"require the", ERRCODE_FEATURE_NOT_SUPPORTED, NULL},
	/* "limits" and "too large" alone are said of malformed numbers */
	{"exceeds limit", ERRCODE_PROGRAM_LIMIT_EXCEEDED, NULL},
	{"exceeds the limit", ERRCODE_PROGRAM_LIMIT_EXCEEDED, NULL},
	{"mplementation limit", ERRCODE_PROGRAM_LIMIT_EXCEEDED, NULL},
	{"too many", ERRCODE_PROGRAM_LIMIT_EXCEEDED, NULL},
	{"mmap", ERRCODE_OUT_OF_MEMORY, NULL},
	{NULL, ERRCODE_INVALID_BINARY_REPRESENTATION, NULL},
};

/* What the engine says where code may not be executed */
#define FORBIDDEN_PHRASE "make memory executable"
#define FORBIDDEN_HINT "The operating system does not let this server run generated code."

/* A callback left a PostgreSQL error on the error stack. */
static bool captured = false;

/* A callback has ended the call, and that is no error. */
static bool exited = false;

void
pgw_error_capture(MemoryContext memory)
{
	MemoryContextSwitchTo(memory);
	captured = true;
}

static void
delete(wasmtime_error_t *error, wasm_trap_t *trap)
{
	if (error != NULL)
		wasmtime_error_delete(error);
	if (trap != NULL)
		wasm_trap_delete(trap);
}

void
pgw_error_mark_exit(void)
{
	exited = true;
}

bool
pgw_error_is_exit(wasmtime_error_t *error, wasm_trap_t *trap)
{
	if (!exited)
		return false;
	exited = false;
	delete(error, trap);
	return true;
}

bool
pgw_error_is_marked(void)
{
	return captured || exited;
}

int
pgw_error_pending(void)
{
	if (captured)
		return geterrcode();
	return ProcDiePending ? ERRCODE_ADMIN_SHUTDOWN : 0;
}

bool
pgw_error_is_cancel(int sqlstate)
{
	return ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_OPERATOR_INTERVENTION ||
		ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_TO_CATEGORY(ERRCODE_T_R_SERIALIZATION_FAILURE);
}

/* The text of a numbered line, "   1: text"; NULL when it is none. */
static const char *
numbered_text(const char *line)
{
	size_t		digits;

	line += strspn(line, " ");
	digits = strspn(line, "0123456789");
	if (digits == 0 || line[digits] != ':' || line[digits + 1] != ' ')
		return NULL;
	return line + digits + 2;
}

/* One line of text without runs of spaces; palloc'd. */
static char *
single_line(const char *text)
{
	char	   *line = pnstrdup(text, strcspn(text, "\n"));
	char	   *to = line;

	for (const char *from = line; *from != '\0'; from++)
	{
		if (*from != ' ' || (to > line && to[-1] != ' '))
			*to++ = *from;
	}
	*to = '\0';
	return line;
}

/*
 * The engine prints what failed and a chain of causes, numbered when there are
 * several; an origin may go on over lines of its own.  Returns the first line
 * of the origin, the last cause, without the engine's prefixes; palloc'd.
 */
static char *
origin_of(const char *text)
{
	const char *causes = strstr(text, "Caused by:\n");
	const char *origin = text;
	char	   *message;
	char	   *values;
	int			offset;
	int			start = 0;

	if (causes != NULL)
	{
		const char *line = causes + strlen("Caused by:\n");

		origin = line;
		for (; line != NULL; line = strchr(line, '\n'))
		{
			const char *numbered;

			line += strspn(line, "\n");
			numbered = numbered_text(line);
			if (numbered != NULL)
				origin = numbered;
		}
	}
	message = single_line(origin);
	message[pg_mbcliplen(message, strlen(message), PGW_MESSAGE_MAX)] = '\0';
	if (strncmp(message, "wasm trap: ", 11) == 0)
		message += 11;
	if ((values = strstr(message, " - expected=[")) != NULL)
		*values = '\0';
	if (sscanf(message, "Invalid input WebAssembly code at offset %d: %n", &offset, &start) == 1 && start > 0)
		message = psprintf("%s (at offset 0x%x)", message + start, offset);
	return message;
}

/* The innermost frames that the engine has kept, one a line; palloc'd, or NULL. */
static char *
backtrace_of(const wasm_frame_vec_t *frames)
{
	StringInfoData lines;

	if (frames->size == 0)
		return NULL;
	initStringInfo(&lines);
	for (size_t i = 0; i < frames->size; i++)
	{
		const wasm_frame_t *frame = frames->data[i];
		const wasm_name_t *function = wasmtime_frame_func_name(frame);

		if (i > 0)
			appendStringInfoChar(&lines, '\n');
		if (function != NULL)
			appendStringInfo(&lines, "guest function \"%s\"",
							 pgw_shown_name(pgw_from_utf8_lossy(function->data, function->size)));
		else
			appendStringInfo(&lines, "guest function %u",
							 wasm_frame_func_index(frame));
		if (wasm_frame_module_offset(frame) != SIZE_MAX)
			appendStringInfo(&lines, " at offset 0x%zx",
							 wasm_frame_module_offset(frame));
	}
	return lines.data;
}

/*
 * The message without the names that it quotes in backquotes, which guests
 * choose: they may hold backquotes too, so up to the last one.
 */
static char *
unquoted(const char *message)
{
	const char *first = strchr(message, '`');

	if (first == NULL)
		return pstrdup(message);
	return psprintf("%.*s%s", (int) (first - message), message, strrchr(first, '`'));
}

static const PhraseReport *
classify(const PhraseReport *phrases, const char *message)
{
	char	   *said = unquoted(message);

	while (phrases->phrase != NULL && strstr(said, phrases->phrase) == NULL)
		phrases++;
	pfree(said);
	return phrases;
}

/* What is known of a failure when the engine's objects have been released. */
typedef struct Failure
{
	char	   *text;			/* all that the engine says */
	char	   *backtrace;		/* or NULL */
	bool		has_code;
	wasmtime_trap_code_t code;
} Failure;

/*
 * Reads and releases an error or trap.  Throws only when memory runs out, and
 * then releases all the same.
 */
static void
take(wasmtime_error_t *error, wasm_trap_t *trap, Failure *failure)
{
	wasm_byte_vec_t text = {0, NULL};
	wasm_frame_vec_t frames = {0, NULL};

	memset(failure, 0, sizeof(Failure));
	if (error != NULL)
	{
		wasmtime_error_message(error, &text);
		wasmtime_error_wasm_trace(error, &frames);
		failure->has_code = pgw_error_trap_code(error, &failure->code);
	}
	else
	{
		wasm_trap_message(trap, &text);
		wasm_trap_trace(trap, &frames);
		failure->has_code = wasmtime_trap_code(trap, &failure->code);
	}
	PG_TRY();
	{
		failure->text = pgw_from_utf8_lossy(text.data, strnlen(text.data, text.size));
		failure->backtrace = backtrace_of(&frames);
	}
	PG_FINALLY();
	{
		wasm_frame_vec_delete(&frames);
		wasm_byte_vec_delete(&text);
		if (error != NULL)
			wasmtime_error_delete(error);
		if (trap != NULL)
			wasm_trap_delete(trap);
	}
	PG_END_TRY();
}

void
pgw_error_throw(wasmtime_error_t *error, wasm_trap_t *trap)
{
	Failure		failure;
	const TrapReport *report = NULL;
	const PhraseReport *phrase;
	char	   *message;

	/* where a call is to return something, the caller has looked before */
	if (pgw_error_is_exit(error, trap))
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("WebAssembly guest exited before it could be called")));
	if (captured)
	{
		captured = false;
		delete(error, trap);
		/* a backend that is to end does so now, whatever was caught */
		if (ProcDiePending && pgw_guest_calls == 0)
			CHECK_FOR_INTERRUPTS();
		PG_RE_THROW();
	}

	take(error, trap, &failure);
	/* The deadline callback left this to be done outside of the engine. */
	if (pgw_guest_calls == 0)
		CHECK_FOR_INTERRUPTS();
	else
		pgw_interrupt_check();

	if (failure.has_code && failure.code < lengthof(trap_reports) &&
		trap_reports[failure.code].message != NULL)
		report = &trap_reports[failure.code];
	if (report != NULL)
		ereport(ERROR,
				(errcode(report->sqlstate),
				 errmsg("%s", report->message),
				 report->hint ? errhint("%s", report->hint) : 0,
				 failure.backtrace ? errcontext("%s", failure.backtrace) : 0));

	message = origin_of(failure.text);
	phrase = classify(run_phrases, message);
	ereport(ERROR,
			(errcode(phrase->sqlstate),
			 errmsg("WebAssembly error: %s", message),
			 phrase->hint ? errhint("%s", phrase->hint) : 0,
			 failure.backtrace ? errcontext("%s", failure.backtrace) : 0));
	pg_unreachable();
}

void
pgw_error_throw_invalid(const char *text)
{
	char	   *said = pgw_from_utf8_lossy(text, strlen(text));
	char	   *message = origin_of(said);
	const PhraseReport *phrase = classify(invalid_phrases, said);

	if (strstr(said, FORBIDDEN_PHRASE) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("could not compile WebAssembly module: %s", message),
				 errhint(FORBIDDEN_HINT)));
	if (phrase->sqlstate == ERRCODE_FEATURE_NOT_SUPPORTED)
		ereport(ERROR,
				(errcode(phrase->sqlstate),
				 errmsg("unsupported WebAssembly module: %s", message)));
	if (phrase->sqlstate == ERRCODE_INVALID_BINARY_REPRESENTATION)
		ereport(ERROR,
				(errcode(phrase->sqlstate),
				 errmsg("invalid WebAssembly module: %s", message)));
	ereport(ERROR,
			(errcode(phrase->sqlstate),
			 errmsg("could not compile WebAssembly module: %s", message)));
	pg_unreachable();
}

bool
pgw_error_forbids_code(wasmtime_error_t *error)
{
	wasm_byte_vec_t text;
	bool		forbids;

	wasmtime_error_message(error, &text);
	forbids = memmem(text.data, text.size, FORBIDDEN_PHRASE, strlen(FORBIDDEN_PHRASE)) != NULL;
	wasm_byte_vec_delete(&text);
	return forbids;
}

void
pgw_error_throw_load(wasmtime_error_t *error)
{
	bool		forbids = pgw_error_forbids_code(error);
	Failure		failure;

	take(error, NULL, &failure);
	ereport(ERROR,
			(errcode(forbids ? ERRCODE_FEATURE_NOT_SUPPORTED : ERRCODE_SYSTEM_ERROR),
			 errmsg("could not load compiled WebAssembly module: %s", origin_of(failure.text)),
			 forbids ? errhint(FORBIDDEN_HINT) : 0));
	pg_unreachable();
}

void
pgw_error_throw_link(wasmtime_error_t *error)
{
	Failure		failure;

	take(error, NULL, &failure);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
			 errmsg("WebAssembly component imports what nobody provides: %s", origin_of(failure.text))));
	pg_unreachable();
}

/*
 * Where the WAT parser says that it stopped, as in "--> <anon>:3:17".  Returns
 * false when it does not say so.
 */
static bool
wat_location(const char *text, int *line, int *column)
{
	const char *arrow = strstr(text, "--> ");
	const char *colon = arrow ? strchr(arrow, ':') : NULL;

	return colon != NULL && sscanf(colon, ":%d:%d", line, column) == 2;
}

/*
 * The 1-based character position of a line and column, both 1-based and the
 * column counted in characters.
 */
static int
position_of(const char *wat, int line, int column)
{
	const char *start = wat;

	for (int i = 1; i < line; i++)
	{
		const char *end = strchr(start, '\n');

		if (end == NULL)
			break;
		start = end + 1;
	}
	return pg_mbstrlen_with_len(wat, start - wat) + column;
}

void
pgw_error_throw_wat(const char *text, const char *wat, size_t length)
{
	char	   *said = pgw_from_utf8_lossy(text, strlen(text));
	char	   *shown = pgw_from_utf8_lossy(wat, length);
	char	   *message = origin_of(said);
	int			line,
				column;
	bool		located = wat_location(said, &line, &column);

	if (located && length <= PGW_WAT_SHOWN_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("syntax error in WebAssembly text: %s", message),
				 internalerrquery(shown),
				 internalerrposition(position_of(shown, line, column))));
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("syntax error in WebAssembly text: %s", message),
			 located ? errdetail("Line %d, column %d.", line, column) : 0));
	pg_unreachable();
}
