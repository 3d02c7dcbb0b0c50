/*
 * identity.c
 *		The id of a module, by its content.
 *
 * BLAKE2bp is a tree of BLAKE2b: four leaves, to which the blocks of the
 * message go in turn, and a root over the digests of the leaves (BLAKE2
 * specification, sections 2.10 and 2.11).  libb2 has it ready made, but in
 * OpenMP threads, which a backend must not start; so the tree is built here
 * from the library's BLAKE2b.
 */
#include "postgres.h"

#include "catalog/identity.h"

#include <blake2.h>

#include "common/cryptohash.h"
#include "common/sha1.h"
#include "utils/builtins.h"

#define LEAVES 4

static void
init_node(blake2b_state *state, uint32 offset, uint8 depth, bool last)
{
	blake2b_param param;

	memset(&param, 0, sizeof(param));
	param.digest_length = BLAKE2B_OUTBYTES;
	param.fanout = LEAVES;
	param.depth = 2;
	param.node_offset = offset;
	param.node_depth = depth;
	param.inner_length = BLAKE2B_OUTBYTES;
	blake2b_init_param(state, &param);
	state->last_node = last;
}

static void
blake2bp_digest(const uint8 *bytes, size_t length, uint8 *digest)
{
	blake2b_state root;

	init_node(&root, 0, 1, true);
	for (int leaf = 0; leaf < LEAVES; leaf++)
	{
		blake2b_state state;
		uint8		part[BLAKE2B_OUTBYTES];

		init_node(&state, leaf, 0, leaf == LEAVES - 1);
		for (size_t at = (size_t) leaf * BLAKE2B_BLOCKBYTES; at < length;
			 at += LEAVES * BLAKE2B_BLOCKBYTES)
			blake2b_update(&state, bytes + at, Min(BLAKE2B_BLOCKBYTES, length - at));
		blake2b_final(&state, part, sizeof(part));
		blake2b_update(&root, part, sizeof(part));
	}
	blake2b_final(&root, digest, BLAKE2B_OUTBYTES);
}

/* RFC 4122, section 4.3, with SHA-1, in the namespace of OIDs. */
static pg_uuid_t
uuid_v5(const char *name)
{
	static const uint8 namespace_oid[UUID_LEN] = {
		0x6b, 0xa7, 0xb8, 0x12, 0x9d, 0xad, 0x11, 0xd1,
		0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8
	};
	uint8		digest[SHA1_DIGEST_LENGTH];
	pg_uuid_t	uuid;
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA1);

	if (context == NULL ||
		pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, namespace_oid, sizeof(namespace_oid)) < 0 ||
		pg_cryptohash_update(context, (const uint8 *) name, strlen(name)) < 0 ||
		pg_cryptohash_final(context, digest, sizeof(digest)) < 0)
	{
		const char *reason = pg_cryptohash_error(context);

		pg_cryptohash_free(context);
		elog(ERROR, "could not compute the SHA-1 hash of a module: %s", reason);
	}
	pg_cryptohash_free(context);
	memcpy(uuid.data, digest, UUID_LEN);
	uuid.data[6] = (uuid.data[6] & 0x0f) | 0x50;
	uuid.data[8] = (uuid.data[8] & 0x3f) | 0x80;
	return uuid;
}

pg_uuid_t
pgw_module_id(const char *bytes, size_t length)
{
	uint8		digest[BLAKE2B_OUTBYTES];
	char		hex[2 * BLAKE2B_OUTBYTES + 1];

	blake2bp_digest((const uint8 *) bytes, length, digest);
	hex[hex_encode((const char *) digest, sizeof(digest), hex)] = '\0';
	return uuid_v5(hex);
}

char *
pgw_module_id_text(const char *bytes, size_t length)
{
	pg_uuid_t	id = pgw_module_id(bytes, length);

	return DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(&id)));
}
