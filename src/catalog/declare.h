/*
 * declare.h
 *		The SQL that declares functions for what a module exports, and the types
 *		that they need.
 */
#ifndef PGW_DECLARE_H
#define PGW_DECLARE_H

#include "postgres.h"

#include "engine/code.h"
#include "nodes/pg_list.h"
#include "utils/hsearch.h"

/* Attributes of the functions that are declared */
typedef struct PgwAttributes
{
	bool		strict;			/* where no argument may be null */
	const char *volatility;		/* "volatile", "stable" or "immutable" */
	const char *parallel;		/* "unsafe", "restricted" or "safe" */
} PgwAttributes;

/* A composite or enum type that stands for a type of a component */
typedef struct PgwTypeDeclaration
{
	char	   *name;
	const PgwWit *wit;
	List	   *columns;		/* of a composite type: their names, ... */
	List	   *column_types;	/* ... and types, as SQL writes them */
} PgwTypeDeclaration;

/* Declarations for one module, in one schema */
typedef struct PgwDeclarer
{
	const PgwCode *code;
	const char *schema;			/* of types and functions; NULL: names are not
								 * qualified */
	const char *prefix;			/* of functions */
	List	   *types;			/* PgwTypeDeclarations, in the order of their making */
	HTAB	   *names[2];		/* of exports, to see which are the same */
} PgwDeclarer;

/* Strings are palloc'd, here and below. */

/*
 * The name of the function for an export: of a core module its own, of a component
 * in snake case, with the interface's in front where others would have the same, or
 * with the package's and the version too.
 */
extern char *pgw_declare_name(PgwDeclarer *declarer, const PgwExtern *export);

/*
 * Why no function of that name can stand for the export, as a phrase; NULL when
 * one can.
 */
extern const char *pgw_declare_obstacle(PgwDeclarer *declarer, const PgwExtern *export, const char *name);

/*
 * "CREATE FUNCTION ..." for an export that meets no obstacle; attributes may be
 * NULL: STRICT, and else what CREATE FUNCTION takes.  Adds types to the declarer.
 */
extern char *pgw_declare_function(PgwDeclarer *declarer, const PgwExtern *export, const char *name,
								  const char *body, const PgwAttributes *attributes, bool replace);

/* The types of its arguments, strings as SQL writes them */
extern List *pgw_declare_arguments(PgwDeclarer *declarer, const PgwExtern *export);

/* "CREATE TYPE ..." */
extern char *pgw_declare_type(const PgwDeclarer *declarer, const PgwTypeDeclaration *type);

#endif							/* PGW_DECLARE_H */
