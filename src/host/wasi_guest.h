/*
 * wasi_guest.h
 *		Numbers and guests' memory in WASI, preview 1.  Private to wasi*.c.
 */
#ifndef PGW_WASI_GUEST_H
#define PGW_WASI_GUEST_H

#include "postgres.h"

#include "host/host.h"
#include "port/pg_bswap.h"

#define WASI_MODULE "wasi_snapshot_preview1"

/* Numbers of errors */
#define SUCCESS 0
#define BADF 8
#define FAULT 21
#define INVAL 28
#define IO 29
#define NOSYS 52
#define NOTSOCK 57
#define NOTSUP 58
#define SPIPE 70

/* --- the guest's memory, which is little-endian --- */

static inline uint32
to_guest32(uint32 value)
{
#ifdef WORDS_BIGENDIAN
	return pg_bswap32(value);
#else
	return value;
#endif
}

static inline uint64
to_guest64(uint64 value)
{
#ifdef WORDS_BIGENDIAN
	return pg_bswap64(value);
#else
	return value;
#endif
}

static inline uint32
put(PgwGuest *guest, uint32 address, const void *bytes, size_t length)
{
	void	   *target = pgw_guest_bytes(guest, address, length);

	if (target == NULL)
		return FAULT;
	memcpy(target, bytes, length);
	return SUCCESS;
}

static inline uint32
put32(PgwGuest *guest, uint32 address, uint32 value)
{
	value = to_guest32(value);
	return put(guest, address, &value, sizeof(value));
}

static inline uint32
put64(PgwGuest *guest, uint32 address, uint64 value)
{
	value = to_guest64(value);
	return put(guest, address, &value, sizeof(value));
}

#endif							/* PGW_WASI_GUEST_H */
