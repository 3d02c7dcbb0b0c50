/*
 * list.h
 *		Values that a guest has in its memory: strings, bytes and lists of numbers.
 */
#ifndef PGW_LIST_H
#define PGW_LIST_H

#include "postgres.h"

#include "fmgr.h"

typedef enum PgwListKind
{
	PGW_LIST_BYTES,				/* bytea */
	PGW_LIST_NUMBERS,			/* an array of integers or floats */
	PGW_LIST_TEXT,				/* text, varchar */
	PGW_LIST_OTHER				/* what output and input functions make of text */
} PgwListKind;

/* How a value of an SQL type becomes a list, and is made of one. */
typedef struct PgwList
{
	PgwListKind kind;
	Oid			type;
	bool		is_domain;		/* to be checked when a value is made */
	Oid			element_type;	/* of numbers */
	uint32		element_size;	/* and alignment, in bytes: 1, 2, 4 or 8 */
	FmgrInfo	output;
	FmgrInfo	input;
	Oid			input_param;
	int32		typmod;			/* that a domain gives; else -1 */
} PgwList;

/*
 * Plans for a type, in the current memory context; NULL for one that is no list:
 * numbers other than numeric, truth values, pseudo-types, rows and arrays of
 * anything but numbers.
 */
extern PgwList *pgw_list_make(Oid type);

/*
 * What the guest gets: so many elements, in place, or palloc'd.  Throws 22P05 and
 * 22021 for text, 22004 for an array with NULLs, and 2202E for one with several
 * dimensions.
 */
extern void pgw_list_lower(PgwList *list, Datum datum, const char **elements, size_t *length);

/*
 * Copies elements of a guest, palloc'd; throws 54000 where they are too many.
 * Then the guest may free them, and pgw_list_lift() makes a value of the copy.
 * That throws 22021 for what is not text, 22P05 for what the database's encoding
 * does not have, and what the type's input function, or a domain, throws.
 */
extern struct varlena *pgw_list_copy(const PgwList *list, const void *elements, size_t length);
extern Datum pgw_list_lift(PgwList *list, struct varlena *copy);

#endif							/* PGW_LIST_H */
