/*
 * statement.h
 *		Queries that an instance has prepared.
 */
#ifndef PGW_STATEMENT_H
#define PGW_STATEMENT_H

#include "postgres.h"

#include "executor/spi.h"
#include "host/rows.h"
#include "lib/ilist.h"

/* Those that were used last; in the context that it was made in */
typedef struct PgwStatements
{
	MemoryContext context;
	dlist_head	kept;			/* the last used first */
	int			count;
} PgwStatements;

/* A query whose parameters have the types that the parser has found for them */
typedef struct PgwStatement
{
	dlist_node	node;
	MemoryContext context;
	uint32		hash;
	char	   *sql;
	SPIPlanPtr	plan;
	int			nparams;
	PgwParam   *params;
} PgwStatement;

/* Makes the list in the current memory context. */
extern void pgw_statements_init(PgwStatements *statements);

/*
 * The statement for a query, in an SPI connection, for as long as that lasts: the
 * same one as before, or prepared now.  Throws what the parser does, and 42601 for
 * several commands.
 */
extern PgwStatement *pgw_statement_find(PgwStatements *statements, const char *sql);

/*
 * The parameters of a call; palloc'd.  Throws 42601 when they are not as many as
 * the query has, and what pgw_param_datum() throws.
 */
extern ParamListInfo pgw_statement_params(PgwStatement *statement, const PgwValue *values, int count);

/* Gives up the plans of all.  Never throws. */
extern void pgw_statements_free(PgwStatements *statements);

#endif							/* PGW_STATEMENT_H */
