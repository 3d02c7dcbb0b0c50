/*
 * canon.h
 *		A guest's memory as the canonical ABI of the component model uses it, and
 *		places for values in it.
 */
#ifndef PGW_CANON_H
#define PGW_CANON_H

#include "postgres.h"

#include "engine/wit.h"
#include "engine/engine.h"
#include "utils/memutils.h"

/* An error that a guest returned as a value, to be thrown when its call is over */
typedef struct PgwGuestError
{
	int			sqlstate;
	char	   *message;
	char	   *detail;			/* or NULL */
	char	   *hint;			/* or NULL */
} PgwGuestError;

/*
 * The functions may throw.  bytes and size are those after the last of them.
 */
typedef struct PgwCanon
{
	const char *function;		/* for messages */
	PgwGuestMemory memory;
	/* lets the guest allocate; the address is in bounds and aligned */
	uint32		(*alloc) (struct PgwCanon *canon, uint32 alignment, size_t size);
	/* for strings that are not in UTF-8 in the guest: address and length, or a
	 * palloc'd copy */
	void		(*put_string) (struct PgwCanon *canon, const char *text, size_t length, uint32 pair[2]);
	char	   *(*get_string) (struct PgwCanon *canon, uint32 address, uint32 *length);
	uint64		taken;			/* bytes that values which were read have taken */
	PgwGuestError *error;		/* NULL unless the result is one */
	void	   *data;			/* of whoever made it */
} PgwCanon;

/* Where a value is: in slots, or, where these are NULL, in memory */
typedef struct PgwPlace
{
	PgwSlot    *slots;
	uint32		address;
} PgwPlace;

static inline PgwPlace
pgw_place_of_member(PgwPlace place, const PgwWitMember *member)
{
	if (place.slots != NULL)
		return (PgwPlace) {place.slots + member->flat, 0};
	return (PgwPlace) {NULL, place.address + member->offset};
}

/* Of the value of a case */
static inline PgwPlace
pgw_place_of_payload(PgwPlace place, const PgwWit *type)
{
	if (place.slots != NULL)
		return (PgwPlace) {place.slots + 1, 0};
	return (PgwPlace) {NULL, place.address + type->payload};
}

/* The second of two numbers, address and length */
static inline PgwPlace
pgw_place_next(PgwPlace place)
{
	if (place.slots != NULL)
		return (PgwPlace) {place.slots + 1, 0};
	return (PgwPlace) {NULL, place.address + 4};
}

/* Throws: what the guest returned is too large. */
extern void pgw_canon_refuse_size(PgwCanon *canon) pg_attribute_noreturn();

/* Write and read so many bytes of a number; they throw where it is not in the memory. */
extern void pgw_canon_put(PgwCanon *canon, PgwPlace place, uint32 size, uint64 bits);
extern uint64 pgw_canon_get(PgwCanon *canon, PgwPlace place, uint32 size);

/*
 * To be called before so much is allocated for a value that is read: parts of it may
 * be the same bytes of the guest.  Throws 54000 when all is too much.
 */
static inline void
pgw_canon_take(PgwCanon *canon, uint64 bytes)
{
	canon->taken += bytes;
	if (unlikely(canon->taken > MaxAllocSize))
		pgw_canon_refuse_size(canon);
}

/* Bytes of the memory; throws where they are not all in it, or not aligned. */
extern uint8_t *pgw_canon_bytes(PgwCanon *canon, uint32 address, uint64 count, uint32 size, uint32 alignment);

/*
 * Lets the guest allocate memory for a list, and writes where that is, which it
 * returns; and the same with a copy of the elements.
 */
extern uint32 pgw_canon_alloc_list(PgwCanon *canon, PgwPlace place, size_t count, uint32 size, uint32 alignment);
extern void pgw_canon_put_list(PgwCanon *canon, PgwPlace place, const void *elements, size_t count,
							   uint32 size, uint32 alignment);

/* Strings in UTF-8; what is returned is in the memory, or palloc'd. */
extern void pgw_canon_put_string(PgwCanon *canon, PgwPlace place, const char *text, size_t length);
extern const char *pgw_canon_get_string(PgwCanon *canon, PgwPlace place, uint32 *length);

/*
 * Write which case a value is, of a variant, enum, option or result, by its number or
 * name; what other cases would have flat is zero.  They throw 22P02.
 */
extern void pgw_canon_put_case(const PgwWit *wit, int n, PgwCanon *canon, PgwPlace place);
extern void pgw_canon_put_label(const PgwWit *wit, const char *label, size_t length, PgwCanon *canon,
								PgwPlace place);
extern uint32 pgw_canon_get_case(const PgwWit *wit, PgwCanon *canon, PgwPlace place);

/* The bit of a flag; throws 22P02. */
extern uint32 pgw_canon_flag(const PgwWit *wit, const char *name, size_t length);

/* How many elements a list has, which may be such that take no memory; and where. */
extern uint32 pgw_canon_get_list(const PgwWit *wit, PgwCanon *canon, PgwPlace place, uint32 *address);

/* A character in UTF-8; palloc'd. */
extern char *pgw_canon_get_char(PgwCanon *canon, PgwPlace place);

/* Throws: the guest gave a value that its type does not have. */
extern void pgw_canon_refuse(PgwCanon *canon, const char *what, uint64 value) pg_attribute_noreturn();

#endif							/* PGW_CANON_H */
