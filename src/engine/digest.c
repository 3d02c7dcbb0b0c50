/*
 * digest.c
 *		The SHA-256 of a module's bytes, by which its code is known.
 */
#include "postgres.h"

#include "engine/digest.h"

#include "common/cryptohash.h"
#include "utils/builtins.h"
#include "utils/resowner.h"

PgwDigest
pgw_digest(const char *bytes, size_t length)
{
	PgwDigest	digest;
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);

	if (context == NULL ||
		pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, (const uint8 *) bytes, length) < 0 ||
		pg_cryptohash_final(context, digest.bytes, sizeof(digest.bytes)) < 0)
	{
		const char *reason = pg_cryptohash_error(context);

		pg_cryptohash_free(context);
		elog(ERROR, "could not compute the SHA-256 hash of a module: %s", reason);
	}
	pg_cryptohash_free(context);
	return digest;
}

void
pgw_digest_prepare(void)
{
	ResourceOwner caller = CurrentResourceOwner;
	ResourceOwner owner = ResourceOwnerCreate(NULL, "wasm digest");

	/* the postmaster has none */
	CurrentResourceOwner = owner;
	(void) pgw_digest("", 0);
	CurrentResourceOwner = caller;
	ResourceOwnerDelete(owner);
}

void
pgw_digest_print(const PgwDigest *digest, char *hex)
{
	hex[hex_encode((const char *) digest->bytes, sizeof(digest->bytes), hex)] = '\0';
}
