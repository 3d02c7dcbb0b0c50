/*
 * abi.c
 *		Values in a guest's memory, as the canonical ABI of components places them.
 *
 * No address is kept as a pointer while the guest allocates, which may move its
 * memory.
 */
#include "postgres.h"

#include "host/abi.h"

#include "engine/encoding.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

static void pg_attribute_noreturn() pg_attribute_cold
refuse_address(uint32 address, uint64 length)
{
	ereport(ERROR,
			(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
			 errmsg("WebAssembly guest gave an address that is not aligned, or outside of its memory"),
			 errdetail("The address is %u, with " UINT64_FORMAT " bytes.", address, length)));
}

static void *
place(PgwGuest *guest, uint32 address, uint64 length, uint32 alignment)
{
	void	   *bytes = pgw_guest_bytes(guest, address, length);

	if (bytes == NULL || address % alignment != 0)
		refuse_address(address, length);
	return bytes;
}

const void *
pgw_guest_list(PgwGuest *guest, PgwGuestList list, uint32 size, uint32 alignment)
{
	return place(guest, list.address, (uint64) list.length * size, alignment);
}

const char *
pgw_guest_utf8(PgwGuest *guest, PgwGuestList list)
{
	const char *text = pgw_guest_list(guest, list, 1, 1);

	(void) pg_verify_mbstr(PG_UTF8, text, list.length, false);
	return text;
}

char *
pgw_guest_text(PgwGuest *guest, PgwGuestList list)
{
	return pgw_from_utf8_strict(pgw_guest_list(guest, list, 1, 1), list.length);
}

void
pgw_guest_write(PgwGuest *guest, uint32 address, const void *bytes, uint32 length, uint32 alignment)
{
	memcpy(place(guest, address, length, alignment), bytes, length);
}

PgwGuestList
pgw_guest_alloc_list(PgwGuest *guest, uint64 length, uint32 size, uint32 alignment)
{
	if (length > PG_INT32_MAX / size)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a list of " UINT64_FORMAT " elements cannot be given to a WebAssembly guest", length)));
	return (PgwGuestList) {pgw_guest_alloc(guest, alignment, length * size), length};
}

PgwGuestList
pgw_guest_give(PgwGuest *guest, const void *bytes, size_t length)
{
	PgwGuestList list = pgw_guest_alloc_list(guest, length, 1, 1);

	pgw_guest_write(guest, list.address, bytes, length, 1);
	return list;
}

PgwGuestList
pgw_guest_give_text(PgwGuest *guest, const char *text)
{
	size_t		length = strlen(text);
	const char *converted = pgw_to_utf8(text, &length);

	return pgw_guest_give(guest, converted, length);
}

PgwGuestOption
pgw_guest_give_option(PgwGuest *guest, const char *text)
{
	PgwGuestOption option = {.some = text != NULL};

	if (text != NULL)
		option.string = pgw_guest_give_text(guest, text);
	return option;
}

MemoryContext
pgw_scratch_begin(void)
{
	return MemoryContextSwitchTo(AllocSetContextCreate(CurrentMemoryContext, "wasm host call",
													   ALLOCSET_SMALL_SIZES));
}

void
pgw_scratch_end(MemoryContext caller)
{
	MemoryContextDelete(MemoryContextSwitchTo(caller));
}
