/*
 * abi.h
 *		Values in a guest's memory, as the canonical ABI of components places them.
 */
#ifndef PGW_ABI_H
#define PGW_ABI_H

#include "postgres.h"

#include "host/host.h"

/* Address and length of a string or a list, as the guest has them */
typedef struct PgwGuestList
{
	uint32		address;
	uint32		length;
} PgwGuestList;

#define PGW_LIST_ALIGNMENT 4

/* A string, or nothing: option<string> */
typedef struct PgwGuestOption
{
	uint32		some;			/* a byte of the ABI, and padding */
	PgwGuestList string;
} PgwGuestOption;

/*
 * Elements of that size and alignment in the guest's memory, in place; throws
 * 38000 when they are not all in it, or not aligned.
 */
extern const void *pgw_guest_list(PgwGuest *guest, PgwGuestList list, uint32 size, uint32 alignment);

/* A string in UTF-8, in the guest's memory.  Throws 22021 when it is none. */
extern const char *pgw_guest_utf8(PgwGuest *guest, PgwGuestList list);

/* A string in the database's encoding; palloc'd.  Throws as pgw_from_utf8_strict(). */
extern char *pgw_guest_text(PgwGuest *guest, PgwGuestList list);

/* Writes into the guest's memory; throws 38000 when it has no such place. */
extern void pgw_guest_write(PgwGuest *guest, uint32 address, const void *bytes, uint32 length, uint32 alignment);

/*
 * Give the guest a copy of bytes, or of text in the database's encoding, in memory
 * that it allocates.  They throw what pgw_guest_alloc() throws, and the latter what
 * pgw_to_utf8() does.
 */
extern PgwGuestList pgw_guest_give(PgwGuest *guest, const void *bytes, size_t length);
extern PgwGuestList pgw_guest_give_text(PgwGuest *guest, const char *text);

/* The same; NULL is none. */
extern PgwGuestOption pgw_guest_give_option(PgwGuest *guest, const char *text);

/* An array of so many elements, to be written; throws 54000 when that is too large. */
extern PgwGuestList pgw_guest_alloc_list(PgwGuest *guest, uint64 length, uint32 size, uint32 alignment);

/*
 * Bracket a function of the host that allocates: what is palloc'd in between is
 * freed, also where one call of a guest makes many of the host.  The first returns
 * what the second takes; after an error, nothing is to be done.
 */
extern MemoryContext pgw_scratch_begin(void);
extern void pgw_scratch_end(MemoryContext caller);

#endif							/* PGW_ABI_H */
