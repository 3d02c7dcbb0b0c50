/*
 * artifact.h
 *		The cache of compiled modules on disk.
 */
#ifndef PGW_ARTIFACT_H
#define PGW_ARTIFACT_H

#include "postgres.h"

#include <wasmtime.h>

#include "engine/digest.h"
#include "utils/timestamp.h"

/*
 * The compiled module, from the cache; NULL when the cache has none that is in
 * order.  Sets *mapped when the module holds a file, counted as external: then
 * ReleaseExternalFD() after wasmtime_module_delete().  Throws only where the
 * system forbids to run generated code.
 */
extern wasmtime_module_t *pgw_artifact_load(const PgwDigest *digest, bool metered, bool *mapped);

/*
 * Makes a module of what pgw_compile() returned.  Throws when the engine
 * refuses it.
 */
extern wasmtime_module_t *pgw_artifact_open(const char *bytes, size_t length, bool metered);

/*
 * Adds a compiled module to the cache and removes what has not been used for
 * longest.  Where that fails there is a WARNING, once in a session.
 */
extern void pgw_artifact_store(const PgwDigest *digest, bool metered,
							   const char *bytes, size_t length, int compile_ms);

/* A file of the cache, as its name and status tell. */
typedef struct PgwArtifactFile
{
	char		sha256[2 * sizeof(PgwDigest) + 1];
	char		build[32];		/* which made it */
	bool		metered;
	int64		size;
	TimestampTz used;			/* last time, to the minute */
	int			compile_ms;		/* -1: not known */
} PgwArtifactFile;

/* Calls visit for each artifact until it returns false; visit may not throw. */
typedef bool (*PgwArtifactVisitor) (const PgwArtifactFile *file, void *data);
extern void pgw_artifact_visit(PgwArtifactVisitor visit, void *data);

#endif							/* PGW_ARTIFACT_H */
