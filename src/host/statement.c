/*
 * statement.c
 *		Queries that an instance has prepared.
 *
 * Guests give values, and the parser says what types the query wants: as with the
 * extended protocol, when a client leaves the types of parameters open.
 */
#include "postgres.h"

#include "host/statement.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "nodes/params.h"
#include "parser/analyze.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"

/* How many an instance keeps, and how long a text may be that is kept */
#define KEPT_MAX 64
#define KEPT_LENGTH_MAX (64 * 1024)

void
pgw_statements_init(PgwStatements *statements)
{
	statements->context = CurrentMemoryContext;
	dlist_init(&statements->kept);
	statements->count = 0;
}

/* --- preparing --- */

/* Says of errors of the parser what SPI says of all others. */
static void
name_query(void *arg)
{
	const char *sql = arg;
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(sql);
	}
	else
		errcontext("SQL statement \"%s\"", sql);
}

/* Finds the types of the parameters; returns their number. */
static int
find_types(char *sql, Oid **types)
{
	ErrorContextCallback context = {error_context_stack, name_query, sql};
	List	   *commands;
	int			count = 0;

	error_context_stack = &context;
	*types = NULL;
	commands = pg_parse_query(sql);
	if (list_length(commands) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("a query of a WebAssembly guest must be one command")));
	(void) parse_analyze_varparams(linitial_node(RawStmt, commands), sql, types, &count, NULL);
	for (int i = 0; i < count; i++)
	{
		/* nothing in the query tells */
		if (!OidIsValid((*types)[i]) || (*types)[i] == UNKNOWNOID)
			(*types)[i] = TEXTOID;
	}
	error_context_stack = context.previous;
	return count;
}

/* All in a context of its own, below that of the SPI connection. */
static PgwStatement *
prepare(const char *sql)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "wasm query", ALLOCSET_SMALL_SIZES);
	PgwStatement *statement = MemoryContextAllocZero(context, sizeof(PgwStatement));
	Oid		   *types;

	statement->context = context;
	statement->sql = MemoryContextStrdup(context, sql);
	statement->nparams = find_types(statement->sql, &types);
	statement->params = MemoryContextAllocZero(context, Max(statement->nparams, 1) * sizeof(PgwParam));
	for (int i = 0; i < statement->nparams; i++)
		pgw_param_make(&statement->params[i], types[i], context);
	statement->plan = SPI_prepare_cursor(sql, statement->nparams, types,
										 CURSOR_OPT_PARALLEL_OK | CURSOR_OPT_NO_SCROLL);
	if (statement->plan == NULL)
		elog(ERROR, "could not prepare a query: %s", SPI_result_code_string(SPI_result));
	return statement;
}

/* --- keeping --- */

static void
forget(PgwStatements *statements, PgwStatement *statement)
{
	dlist_delete(&statement->node);
	statements->count--;
	SPI_freeplan(statement->plan);
	MemoryContextDelete(statement->context);
}

static void
keep(PgwStatements *statements, PgwStatement *statement)
{
	while (statements->count >= KEPT_MAX)
		forget(statements, dlist_tail_element(PgwStatement, node, &statements->kept));
	if (SPI_keepplan(statement->plan) != 0)
		elog(ERROR, "could not keep the plan of a query");
	MemoryContextSetParent(statement->context, statements->context);
	dlist_push_head(&statements->kept, &statement->node);
	statements->count++;
}

PgwStatement *
pgw_statement_find(PgwStatements *statements, const char *sql)
{
	size_t		length = strlen(sql);
	uint32		hash = hash_bytes((const unsigned char *) sql, length);
	PgwStatement *statement;
	dlist_iter	iter;

	dlist_foreach(iter, &statements->kept)
	{
		statement = dlist_container(PgwStatement, node, iter.cur);
		if (statement->hash == hash && strcmp(statement->sql, sql) == 0)
		{
			dlist_move_head(&statements->kept, &statement->node);
			return statement;
		}
	}
	statement = prepare(sql);
	statement->hash = hash;
	if (length <= KEPT_LENGTH_MAX)
		keep(statements, statement);
	return statement;
}

void
pgw_statements_free(PgwStatements *statements)
{
	while (!dlist_is_empty(&statements->kept))
		forget(statements, dlist_head_element(PgwStatement, node, &statements->kept));
}

/* --- using --- */

ParamListInfo
pgw_statement_params(PgwStatement *statement, const PgwValue *values, int count)
{
	ParamListInfo params;

	if (count != statement->nparams)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("wrong number of parameters for a query of a WebAssembly guest"),
				 errdetail("Expected %d parameters but got %d.", statement->nparams, count),
				 errcontext("SQL statement \"%s\"", statement->sql)));
	if (count == 0)
		return NULL;
	params = makeParamList(count);
	for (int i = 0; i < count; i++)
	{
		ParamExternData *param = &params->params[i];

		param->ptype = statement->params[i].type;
		param->pflags = PARAM_FLAG_CONST;
		param->isnull = values[i].kind == PGW_VALUE_NULL;
		param->value = pgw_param_datum(&statement->params[i], &values[i]);
	}
	return params;
}
