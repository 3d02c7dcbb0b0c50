/*
 * wit.h
 *		Types of the component model, and how their values lie in a guest.
 *
 * Sizes, alignments and numbers of flat values are those of the canonical ABI
 * (CanonicalABI.md in the repository of the component model).
 */
#ifndef PGW_WIT_H
#define PGW_WIT_H

#include "postgres.h"

#include "engine/component.h"

/* The order is that of engine/src/describe.rs. */
typedef enum PgwWitKind
{
	PGW_WIT_BOOL,
	PGW_WIT_S8,
	PGW_WIT_U8,
	PGW_WIT_S16,
	PGW_WIT_U16,
	PGW_WIT_S32,
	PGW_WIT_U32,
	PGW_WIT_S64,
	PGW_WIT_U64,
	PGW_WIT_F32,
	PGW_WIT_F64,
	PGW_WIT_CHAR,
	PGW_WIT_STRING,
	PGW_WIT_LIST,
	PGW_WIT_OPTION,
	PGW_WIT_RESULT,
	PGW_WIT_TUPLE,
	PGW_WIT_RECORD,
	PGW_WIT_VARIANT,
	PGW_WIT_ENUM,
	PGW_WIT_FLAGS,
	PGW_WIT_MAP,				/* as a list of tuples */
	PGW_WIT_OWN,
	PGW_WIT_BORROW,
	PGW_WIT_OTHER				/* one that nobody here can do anything with */
} PgwWitKind;

typedef struct PgwWit PgwWit;

/*
 * A field, a case, a label or an element.  A list, a map and an option have one, a
 * result two: ok and err.
 */
typedef struct PgwWitMember
{
	char	   *name;			/* in the database's encoding, or NULL */
	const PgwWit *type;			/* NULL for a case or label without a value */
	uint32		offset;			/* in bytes, of a field */
	int			flat;			/* the number of flat values before it, of a field */
} PgwWitMember;

struct PgwWit
{
	PgwWitKind	kind;
	char	   *name;			/* under which it is exported, or NULL */
	int			nmembers;
	PgwWitMember *members;
	uint32		size;			/* in bytes */
	uint32		alignment;
	int			nflat;			/* more than PGW_FLAT_MAX: INT_MAX */
	char		flat[PGW_FLAT_MAX]; /* types: 'i' and 'I', integers of 32 and 64
									 * bits, 'f' and 'F', floats */
	uint32		tag_size;		/* of what has cases, in bytes */
	uint32		payload;		/* where their values begin */
};

typedef struct PgwWitFunc
{
	bool		is_async;
	const PgwWit *params;		/* a record, where a function has names for them */
	const PgwWit *result;		/* NULL: none */
} PgwWitFunc;

/* Makes a type of that kind, in the current memory context; members are kept. */
extern PgwWit *pgw_wit_make(PgwWitKind kind, char *name, int nmembers, PgwWitMember *members);

/* One whose values are numbers, characters or strings; it is not to be freed. */
extern const PgwWit *pgw_wit_scalar(PgwWitKind kind);

static inline PgwWit *
pgw_wit_list(const PgwWit *element)
{
	PgwWitMember *member = palloc0(sizeof(PgwWitMember));

	member->type = element;
	return pgw_wit_make(PGW_WIT_LIST, NULL, 1, member);
}

/* The number of the member of that name, or -1. */
extern int	pgw_wit_find(const PgwWit *type, const char *name, size_t length);

/* Does a value have parts outside of its own bytes: strings, lists? */
extern bool pgw_wit_has_pointers(const PgwWit *type);

/* Has it values that mean nothing outside of the guest: resources and the like? */
extern bool pgw_wit_has_resources(const PgwWit *type);
extern bool pgw_wit_func_has_resources(const PgwWitFunc *func);

/* As WIT writes it; palloc'd.  The definition says what is in a type that has a name. */
extern char *pgw_wit_text(const PgwWit *type);
extern char *pgw_wit_definition_text(const PgwWit *type);
extern char *pgw_wit_func_text(const PgwWitFunc *func);

/* The next part of a description by pgw_component_describe() */
typedef struct PgwWitReader
{
	const uint8_t *at;
	const uint8_t *end;
} PgwWitReader;

/* They throw where the description ends too early. */
extern uint32 pgw_wit_read_number(PgwWitReader *reader);
extern uint8 pgw_wit_read_byte(PgwWitReader *reader);
extern PgwText pgw_wit_read_string(PgwWitReader *reader);

/* In the current memory context. */
extern const PgwWit *pgw_wit_read_type(PgwWitReader *reader);
extern PgwWitFunc *pgw_wit_read_func(PgwWitReader *reader);

#endif							/* PGW_WIT_H */
