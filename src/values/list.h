/*
 * list.h
 *		Values that a guest has in its memory: strings and lists of bytes.
 */
#ifndef PGW_LIST_H
#define PGW_LIST_H

#include "postgres.h"

#include "fmgr.h"

/* How a value of an SQL type becomes bytes, and is made of them. */
typedef struct PgwList
{
	Oid			type;
	bool		is_bytes;		/* bytea: as they are; else text in UTF-8 */
	bool		is_text;		/* text, varchar: no output or input function */
	FmgrInfo	output;
	FmgrInfo	input;
	Oid			input_param;
} PgwList;

/*
 * Plans for a type, in the current memory context; NULL for one that is no
 * string: numbers other than numeric, truth values, pseudo-types, rows, arrays.
 */
extern PgwList *pgw_list_make(Oid type);

/* What the guest gets: in place, or palloc'd.  Throws 22P05 and 22021. */
extern void pgw_list_lower(PgwList *list, Datum datum, const char **bytes, size_t *length);

/*
 * Copies bytes of a guest, palloc'd; throws 54000 where they are too many.  Then
 * the guest may free them, and pgw_list_lift() makes a value of the copy.  That
 * throws 22021 for what is not text, 22P05 for what the database's encoding does
 * not have, and what the type's input function throws.
 */
extern bytea *pgw_list_copy(const void *bytes, size_t length);
extern Datum pgw_list_lift(PgwList *list, bytea *copy);

#endif							/* PGW_LIST_H */
