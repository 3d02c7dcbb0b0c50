/*
 * rows.h
 *		Values of queries: parameters from a guest, rows to it.
 */
#ifndef PGW_ROWS_H
#define PGW_ROWS_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "fmgr.h"
#include "host/abi.h"
#include "host/host.h"
#include "tcop/dest.h"

/* The cases of the variant value, in its order */
typedef enum PgwValueKind
{
	PGW_VALUE_NULL,
	PGW_VALUE_BOOLEAN,
	PGW_VALUE_INT,
	PGW_VALUE_FLOAT,
	PGW_VALUE_TEXT,
	PGW_VALUE_BYTES
} PgwValueKind;

typedef struct PgwValue
{
	PgwValueKind kind;
	size_t		length;			/* of text and bytes */
	union
	{
		bool		boolean;
		int64		integer;
		double		number;
		const char *bytes;		/* of text also, which is in UTF-8; from a
								 * guest, in its memory */
	}			of;
} PgwValue;

/* --- parameters --- */

/* How values become those of a parameter's type */
typedef struct PgwParam
{
	Oid			type;
	bool		is_bytea;		/* or a domain over it */
	FmgrInfo	input;
	Oid			input_param;
} PgwParam;

/* Plans for a type; what that keeps is in the context. */
extern void pgw_param_make(PgwParam *param, Oid type, MemoryContext context);

/* Reads a list<value>; palloc'd.  Throws 38000 for what is none, and 22021. */
extern PgwValue *pgw_values_read(PgwGuest *guest, PgwGuestList list);

/*
 * A value as the type has it, palloc'd.  All but bytes, and what is the same on both
 * sides, is read by the type's input function: that throws 22003 for a number out of
 * range, 22P02 for what the type has no such text, and so on.  Text is converted as
 * pgw_from_utf8_strict() does.
 */
extern Datum pgw_param_datum(PgwParam *param, const PgwValue *value);

/* --- rows --- */

typedef struct PgwColumn PgwColumn;

/* Rows that a query has sent, in the context in which they were made */
typedef struct PgwRows
{
	DestReceiver receiver;		/* first: the executor has its address */
	MemoryContext context;
	MemoryContext scratch;		/* of one row */
	int			ncolumns;
	PgwColumn  *columns;
	uint64		nrows;
	PgwValue   *values;			/* row by row, text in UTF-8 */
	uint64		nvalues;
	uint64		room;
	uint64		size;			/* in the guest's memory, about; ... */
	uint64		size_max;		/* ... and what it may be */
} PgwRows;

/*
 * Rows to be received, in the current context, for that guest.  More than its
 * memory may ever hold is refused: 54000.
 */
extern PgwRows *pgw_rows_make(PgwGuest *guest);

/* Gives them to the guest, as a list<list<value>>. */
extern PgwGuestList pgw_rows_give(PgwGuest *guest, const PgwRows *rows);

/* Gives names and types of columns to the guest, as a list<column>. */
extern PgwGuestList pgw_columns_give(PgwGuest *guest, TupleDesc row);

#endif							/* PGW_ROWS_H */
