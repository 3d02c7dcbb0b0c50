/*
 * identity.h
 *		The id of a module, by its content.
 */
#ifndef PGW_IDENTITY_H
#define PGW_IDENTITY_H

#include "postgres.h"

#include "utils/uuid.h"

/*
 * UUIDv5(NAMESPACE_OID, lower-case hex of BLAKE2bp-512(bytes)), as
 * wasmer-postgres defined it.
 */
extern pg_uuid_t pgw_module_id(const char *bytes, size_t length);

/* The same in its text form; palloc'd. */
extern char *pgw_module_id_text(const char *bytes, size_t length);

#endif							/* PGW_IDENTITY_H */
