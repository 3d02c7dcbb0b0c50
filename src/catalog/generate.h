/*
 * generate.h
 *		Makes modules and functions by the commands that a user would write.
 */
#ifndef PGW_GENERATE_H
#define PGW_GENERATE_H

#include "postgres.h"

#include "catalog/declare.h"
#include "catalog/proc.h"
#include "nodes/pg_list.h"

/*
 * Creates or replaces the module schema.name() with those bytes (binary, or
 * WAT in UTF-8).  file, or NULL, is where they came from.  A new module is not
 * executable for PUBLIC; a replaced one keeps its SET clauses.
 */
extern Oid	pgw_generate_module(const char *schema, const char *name, const char *bytes,
								size_t length, const char *file, bool replace);

/*
 * Creates or replaces a function for an export, with that body, and before it the
 * types that it needs and that are not there.
 */
extern Oid	pgw_generate_function(PgwDeclarer *declarer, const char *name, const PgwExtern *export,
								  const char *body, const PgwAttributes *attributes, bool replace);

/* Has a function the arguments that it would be created with, and can it be bound? */
extern bool pgw_generate_is_same(PgwDeclarer *declarer, const PgwProc *proc, const PgwExtern *export);

/* Drops functions, with RESTRICT, all in one command. */
extern void pgw_generate_drop(List *procs);

/* The schema in which an unqualified name would be created. */
extern char *pgw_creation_schema(void);

/* Tells that an export is passed over. */
extern void pgw_generate_skip(const PgwExtern *export, const char *obstacle);

#endif							/* PGW_GENERATE_H */
