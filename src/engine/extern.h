/*
 * extern.h
 *		What modules import and export.
 */
#ifndef PGW_EXTERN_H
#define PGW_EXTERN_H

#include "postgres.h"

#include "engine/artifact.h"
#include "engine/wit.h"

/* Types of WebAssembly values; references cannot be mapped to SQL. */
typedef enum PgwValType
{
	PGW_I32,
	PGW_I64,
	PGW_F32,
	PGW_F64,
	PGW_V128,
	PGW_FUNCREF,
	PGW_EXTERNREF,
	PGW_REFERENCE				/* another one */
} PgwValType;

typedef struct PgwFuncType
{
	int			nparams;
	int			nresults;
	uint8	   *params;			/* PgwValTypes; there may be very many */
	uint8	   *results;
} PgwFuncType;

typedef enum PgwExternKind
{
	PGW_EXTERN_FUNCTION,
	PGW_EXTERN_GLOBAL,
	PGW_EXTERN_TABLE,
	PGW_EXTERN_MEMORY,
	PGW_EXTERN_TYPE,			/* of a component */
	PGW_EXTERN_OTHER
} PgwExternKind;

/*
 * An export, or an import of a module "from".  What an instance within a component
 * exports has a name like "docs:adder/add@0.1.0#add".
 */
typedef struct PgwExtern
{
	char	   *from;			/* NULL for an export */
	char	   *name;			/* in the database's encoding; NULL when it
								 * cannot be written in that */
	char	   *raw_name;		/* in UTF-8, as the engine wants it */
	size_t		raw_length;
	size_t		from_length;	/* of an export: what is before a "#" of raw_name
								 * is the component's instance that has it */
	PgwExternKind kind;
	char	   *type;			/* as WAT or WIT writes it; NULL for functions of
								 * core modules */
	PgwFuncType func;			/* of functions of core modules */
	const PgwWitFunc *wit;		/* of functions of components */
	PgwValType	content;		/* of globals */
} PgwExtern;

/*
 * Lists what a module exports or imports, in the current memory context; returns
 * how many there are.
 */
extern int	pgw_extern_exports(const PgwArtifact *artifact, PgwExtern **externs);
extern int	pgw_extern_imports(const PgwArtifact *artifact, PgwExtern **externs);

/* The type as WAT writes it; palloc'd, or that of the entry. */
extern const char *pgw_extern_type(const PgwExtern *entry);

/* A function's type as WAT writes it, "(func (param i32) (result i32))"; palloc'd. */
extern char *pgw_functype_text(const PgwFuncType *type);

#endif							/* PGW_EXTERN_H */
