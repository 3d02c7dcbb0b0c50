/*
 * digest.h
 *		The SHA-256 of a module's bytes, by which its code is known.
 */
#ifndef PGW_DIGEST_H
#define PGW_DIGEST_H

#include "postgres.h"

#include "common/sha2.h"

typedef struct PgwDigest
{
	uint8		bytes[PG_SHA256_DIGEST_LENGTH];
} PgwDigest;

extern PgwDigest pgw_digest(const char *bytes, size_t length);

/*
 * To be called in the postmaster: the first hash of a process may have to fetch
 * the algorithm, which every backend then inherits.
 */
extern void pgw_digest_prepare(void);

/* As 64 hex digits and a zero byte. */
extern void pgw_digest_print(const PgwDigest *digest, char *hex);

#endif							/* PGW_DIGEST_H */
