/*
 * proc.h
 *		Rows of pg_proc, read without the system caches.
 *
 * A cache would flatten a module's row and keep it for the session, in a list
 * by name even with its namesakes.  Nothing here does: rows are found by index
 * and bodies read by slice.
 */
#ifndef PGW_PROC_H
#define PGW_PROC_H

#include "postgres.h"

#include "access/htup_details.h"
#include "utils/acl.h"

/* How much of a body is read where only its header and references matter */
#define PGW_HEAD_LENGTH 8192

/* The length of a header, or of a reference with its header, as it may be given */
#define PGW_HEADER_MAX (PGW_HEAD_LENGTH - 1024)

typedef enum PgwProcSource
{
	PGW_SOURCE_HEAD,			/* the first PGW_HEAD_LENGTH bytes */
	PGW_SOURCE_WHOLE
} PgwProcSource;

/* A copy of what matters of a row; palloc'd parts. */
typedef struct PgwProc
{
	Oid			oid;
	NameData	name;
	Oid			schema;
	Oid			owner;
	Oid			language;
	Oid			rettype;
	char		kind;			/* prokind */
	char		volatility;		/* provolatile */
	bool		retset;
	bool		strict;
	bool		has_out;		/* there are OUT, INOUT or TABLE columns */
	bool		is_table;		/* ... TABLE columns */
	bool		replaced;		/* the row is not the first of its function */
	int			nargs;			/* input arguments */
	Oid		   *argtypes;
	Acl		   *acl;			/* NULL: the default */
	Datum		config;			/* proconfig, text[], or 0 */
	TransactionId xmin;
	char	   *source;			/* prosrc or its head */
	size_t		source_length;	/* of the whole prosrc */
	bool		whole;			/* source is all of it */
} PgwProc;

/* The extension's own objects; InvalidOid where it is not installed. */
extern Oid	pgw_language_oid(void);
extern Oid	pgw_module_type(void);

/* Reads the row with that OID into *proc; false when there is none. */
extern bool pgw_proc_read(Oid oid, PgwProcSource source, PgwProc *proc);

/*
 * The function of that name without input arguments in one schema; InvalidOid
 * when there is none.
 */
extern Oid	pgw_proc_find_nullary(const char *name, Oid schema);

/*
 * Calls visit for every row with that name, in whatever schema, or, when name
 * is NULL, for every row of pg_proc, until it returns false.
 */
typedef bool (*PgwProcVisitor) (HeapTuple tuple, void *data);
extern void pgw_proc_visit(const char *name, PgwProcVisitor visit, void *data);

/* Is this row a module: LANGUAGE wasm, RETURNS wasm.module? */
extern bool pgw_proc_is_module(const PgwProc *proc);

/* The row's ACL without what PUBLIC has; palloc'd. */
extern Acl *pgw_proc_acl_without_public(const PgwProc *proc);

/* Does that role have EXECUTE on it and USAGE on its schema? */
extern AclResult pgw_proc_execute_check(const PgwProc *proc, Oid role);
extern AclResult pgw_proc_schema_check(const PgwProc *proc, Oid role);

/* Columns of a row to write; those that are NULL stay. */
typedef struct PgwProcChange
{
	const char *source;
	Acl		   *acl;
	bool		set_config;
	Datum		config;			/* with set_config: 0 for none */
} PgwProcChange;

/* Updates a row and makes it visible to the following commands. */
extern void pgw_proc_update(Oid oid, const PgwProcChange *change);

/* "schema.name", quoted as SQL needs; palloc'd */
extern char *pgw_proc_qualified_name(const PgwProc *proc);

/* "schema.name(type, type)" as regprocedure prints it, always qualified; palloc'd */
extern char *pgw_proc_signature(const PgwProc *proc);

#endif							/* PGW_PROC_H */
