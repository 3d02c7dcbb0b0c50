/*
 * node.h
 *		How values of an SQL type cross the border as values of a WIT type: a tree
 *		that is made once, when a function is bound.
 */
#ifndef PGW_NODE_H
#define PGW_NODE_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "fmgr.h"
#include "values/canon.h"
#include "values/constraint.h"

typedef enum PgwForm
{
	PGW_FORM_SAME,				/* a number that has the same bits as a datum */
	PGW_FORM_BOOL,
	PGW_FORM_INTEGER,			/* any integer type, or numeric */
	PGW_FORM_FLOAT,				/* any float or integer type, or numeric */
	PGW_FORM_CHAR,				/* text of one character, or "char" */
	PGW_FORM_TEXT,				/* text, varchar: string */
	PGW_FORM_OTHER,				/* what output and input functions make of a string */
	PGW_FORM_LABEL,				/* text or an enum: enum */
	PGW_FORM_BYTES,				/* bytea: list<u8> */
	PGW_FORM_NUMBERS,			/* an array whose numbers have the guest's bytes */
	PGW_FORM_ARRAY,				/* any other array: list */
	PGW_FORM_ROW,				/* a composite type: record, tuple */
	PGW_FORM_OPTION,			/* NULL, or what the one child makes of it */
	PGW_FORM_RESULT,			/* the value, or an error */
	PGW_FORM_OUTCOME,			/* a row of two columns, ok and err */
	PGW_FORM_FLAGS,				/* text[] */
	PGW_FORM_MASK,				/* bigint: flags */
	PGW_FORM_JSON				/* jsonb: anything; NULL is an option's none */
} PgwForm;

typedef struct PgwNode PgwNode;

struct PgwNode
{
	PgwForm		form;
	const PgwWit *wit;
	Oid			type;			/* as declared */
	Oid			base;			/* of a domain; else the same */
	bool		is_constrained;
	PgwConstraint constraint;
	FmgrInfo	output;			/* of strings */
	FmgrInfo	input;
	Oid			input_param;
	PgwNode   **children;		/* of an array, option and result one; of a row and
								 * an outcome one for each member of the WIT type
								 * (NULL where that has no value), ... */
	int		   *columns;		/* ... which is this one, from 0 */
	Oid			element_type;	/* of an array */
	int16		element_length;
	bool		element_by_value;
	char		element_alignment;
	TupleDesc	row;			/* blessed; of an option and a result what it has */
	MemoryContext context;		/* of the tree */
};

/* Is NULL a value of it, an option's none? */
static inline bool
pgw_node_takes_null(const PgwNode *node)
{
	return node->form == PGW_FORM_OPTION ||
		(node->form == PGW_FORM_JSON && node->wit->kind == PGW_WIT_OPTION);
}

/*
 * Makes the tree in the current memory context; NULL when a value of one type does
 * not stand for one of the other.  The relations of composite types in it are added
 * to the list, on whose changes it has to be made anew.
 */
extern PgwNode *pgw_node_make(Oid type, int32 typmod, const PgwWit *wit, List **relations);

/* The same for what a function returns; row is NULL unless that is one. */
extern PgwNode *pgw_node_make_result(Oid type, TupleDesc row, const PgwWit *wit, List **relations);

/*
 * The WIT type of which core modules take values of an SQL type, in the current
 * memory context; NULL when there is none.
 */
extern const PgwWit *pgw_node_wit(Oid type);
extern const PgwWit *pgw_node_wit_of_row(TupleDesc row);

/* A name of WIT, in-words-like-this, as SQL has it, in_words_like_this; palloc'd. */
extern char *pgw_snake_case(const char *name);

/*
 * Writes a value for the guest.  Throws 22003 for a number that does not fit, 22004
 * for a NULL that has no place, 22P05 and 22021 for text, 2202E for an array of
 * several dimensions, and what the canon's functions throw.
 */
extern void pgw_lower(PgwNode *node, Datum datum, bool isnull, PgwCanon *canon, PgwPlace place);

/*
 * Reads a value of the guest, in the current memory context.  Throws 38000 for what
 * is no value of its type, 22003 for a number that does not fit, 22021 for what is
 * not text, 22P05 for what the database's encoding does not have, 54000 for what is
 * too large, and what the type's input function, or a domain, throws.  Where the
 * value is an error, leaves that in the canon.
 */
extern Datum pgw_lift(PgwNode *node, PgwCanon *canon, PgwPlace place, bool *isnull);

/* Of a result: is it an error?  Then leaves that in the canon. */
extern bool pgw_lift_error(const PgwWit *result, PgwCanon *canon, PgwPlace place);

/* Values of a set, in the memory context in which they were read */
typedef struct PgwSet
{
	uint32		count;
	Datum	   *values;
	bool	   *nulls;
} PgwSet;

/* Reads a list whose elements are such values; or what pgw_lift() may leave. */
extern PgwSet *pgw_lift_set(PgwNode *element, const PgwWit *list, PgwCanon *canon, PgwPlace place);

#endif							/* PGW_NODE_H */
