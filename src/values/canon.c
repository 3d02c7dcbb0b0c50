/*
 * canon.c
 *		A guest's memory as the canonical ABI of the component model uses it, and
 *		places for values in it.
 *
 * The host trusts no address: it looks at each against the memory as it is then,
 * which every entry into the guest may have moved.
 */
#include "postgres.h"

#include "values/canon.h"

#include "mb/pg_wchar.h"
#include "port/pg_bswap.h"

static void pg_attribute_noreturn() pg_attribute_cold
refuse_address(PgwCanon *canon, uint32 address, uint64 length, const char *fault)
{
	ereport(ERROR,
			(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
			 errmsg("WebAssembly function %s gave an address that %s", canon->function, fault),
			 errdetail("%llu bytes are to be at address %u.", (unsigned long long) length, address)));
}

void pg_attribute_cold
pgw_canon_refuse(PgwCanon *canon, const char *what, uint64 value)
{
	ereport(ERROR,
			(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
			 errmsg("WebAssembly function %s gave a %s that does not exist: %llu", canon->function, what,
					(unsigned long long) value)));
}

void pg_attribute_cold
pgw_canon_refuse_size(PgwCanon *canon)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("WebAssembly function %s returned a value that is too large", canon->function),
			 errdetail("All that is in it may take %zu bytes.", (Size) MaxAllocSize)));
}

uint8_t *
pgw_canon_bytes(PgwCanon *canon, uint32 address, uint64 count, uint32 size, uint32 alignment)
{
	if (address + count * size > canon->memory.size)
		refuse_address(canon, address, count * size, "is outside of its memory");
	if (address % alignment != 0)
		refuse_address(canon, address, count * size, "is not aligned");
	return canon->memory.bytes + address;
}

/* The bytes of a number, the lowest first */
static uint64
little_endian(uint64 bits)
{
#ifdef WORDS_BIGENDIAN
	return pg_bswap64(bits);
#else
	return bits;
#endif
}

void
pgw_canon_put(PgwCanon *canon, PgwPlace place, uint32 size, uint64 bits)
{
	/* a flat value has 32 bits at least, and none above them that a guest may see */
	if (place.slots != NULL)
		place.slots->i64 = size == 8 ? bits : (uint32) bits;
	else
	{
		bits = little_endian(bits);
		memcpy(pgw_canon_bytes(canon, place.address, 1, size, 1), &bits, size);
	}
}

/* Of a flat value, what is above so many bytes is not the guest's. */
uint64
pgw_canon_get(PgwCanon *canon, PgwPlace place, uint32 size)
{
	uint64		bits = 0;

	if (place.slots != NULL)
		return size == 8 ? (uint64) place.slots->i64 : (uint32) place.slots->i32;
	memcpy(&bits, pgw_canon_bytes(canon, place.address, 1, size, 1), size);
	return little_endian(bits);
}

static void
put_pair(PgwCanon *canon, PgwPlace place, uint32 address, uint32 length)
{
	pgw_canon_put(canon, place, 4, address);
	pgw_canon_put(canon, pgw_place_next(place), 4, length);
}

uint32
pgw_canon_alloc_list(PgwCanon *canon, PgwPlace place, size_t count, uint32 size, uint32 alignment)
{
	uint32		address = canon->alloc(canon, alignment, count * size);

	put_pair(canon, place, address, count);
	return address;
}

void
pgw_canon_put_list(PgwCanon *canon, PgwPlace place, const void *elements, size_t count,
				   uint32 size, uint32 alignment)
{
	uint32		address = pgw_canon_alloc_list(canon, place, count, size, alignment);

	memcpy(pgw_canon_bytes(canon, address, count, size, alignment), elements, count * size);
}

void
pgw_canon_put_string(PgwCanon *canon, PgwPlace place, const char *text, size_t length)
{
	uint32		pair[2];

	if (canon->memory.is_utf8)
	{
		pgw_canon_put_list(canon, place, text, length, 1, 1);
		return;
	}
	canon->put_string(canon, text, length, pair);
	put_pair(canon, place, pair[0], pair[1]);
}

const char *
pgw_canon_get_string(PgwCanon *canon, PgwPlace place, uint32 *length)
{
	uint32		address = pgw_canon_get(canon, place, 4);
	const char *text;

	*length = pgw_canon_get(canon, pgw_place_next(place), 4);
	if (canon->memory.is_utf8)
		text = (const char *) pgw_canon_bytes(canon, address, *length, 1, 1);
	else
		text = canon->get_string(canon, address, length);
	if (*length > MaxAllocSize - VARHDRSZ)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("WebAssembly function %s returned a string of %u bytes", canon->function, *length),
				 errdetail("A value can have %zu.", MaxAllocSize - VARHDRSZ)));
	pgw_canon_take(canon, *length);
	(void) pg_verify_mbstr(PG_UTF8, text, *length, false);
	return text;
}

/* --- values of some types --- */

void
pgw_canon_put_label(const PgwWit *wit, const char *label, size_t length, PgwCanon *canon, PgwPlace place)
{
	int			n = pgw_wit_find(wit, label, length);

	if (n >= 0)
	{
		pgw_canon_put(canon, place, wit->tag_size, n);
		return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("\"%s\" is no value of the WebAssembly type %s", pnstrdup(label, length), pgw_wit_text(wit))));
}

void
pgw_canon_put_case(const PgwWit *wit, int n, PgwCanon *canon, PgwPlace place)
{
	/* flat values that another case would have */
	for (int i = 1; place.slots != NULL && i < wit->nflat; i++)
		place.slots[i].i64 = 0;
	pgw_canon_put(canon, place, wit->tag_size, n);
}

uint32
pgw_canon_get_case(const PgwWit *wit, PgwCanon *canon, PgwPlace place)
{
	uint32		tag = pgw_canon_get(canon, place, wit->tag_size);
	uint32		ncases = wit->kind == PGW_WIT_OPTION || wit->kind == PGW_WIT_RESULT ? 2 : wit->nmembers;

	if (tag >= ncases)
		pgw_canon_refuse(canon, "case", tag);
	return tag;
}

uint32
pgw_canon_flag(const PgwWit *wit, const char *name, size_t length)
{
	int			n = pgw_wit_find(wit, name, length);

	if (n >= 0)
		return UINT32_C(1) << n;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("\"%s\" is no flag of the WebAssembly type %s", pnstrdup(name, length), pgw_wit_text(wit))));
}

uint32
pgw_canon_get_list(const PgwWit *wit, PgwCanon *canon, PgwPlace place, uint32 *address)
{
	const PgwWit *element = wit->members[0].type;
	uint32		count;

	*address = pgw_canon_get(canon, place, 4);
	count = pgw_canon_get(canon, pgw_place_next(place), 4);
	(void) pgw_canon_bytes(canon, *address, count, element->size, element->alignment);
	pgw_canon_take(canon, (uint64) count * element->size);
	return count;
}

char *
pgw_canon_get_char(PgwCanon *canon, PgwPlace place)
{
	uint32		code = pgw_canon_get(canon, place, 4);
	char	   *text = palloc0(MAX_MULTIBYTE_CHAR_LEN + 1);

	if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		pgw_canon_refuse(canon, "character", code);
	unicode_to_utf8(code, (unsigned char *) text);
	/* the one with the code zero has no place in a text */
	(void) pg_verify_mbstr(PG_UTF8, text, Max(strlen(text), 1), false);
	return text;
}
