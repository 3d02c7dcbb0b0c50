/*
 * artifact.h
 *		The cache of compiled modules on disk.
 */
#ifndef PGW_ARTIFACT_H
#define PGW_ARTIFACT_H

#include "postgres.h"

#include <wasmtime.h>

#include "engine/component.h"
#include "engine/config.h"
#include "engine/digest.h"
#include "engine/helper.h"
#include "utils/timestamp.h"

/* What an artifact is compiled from, and how that was wanted. */
typedef struct PgwCodeKey
{
	PgwDigest	digest;			/* of the module's bytes */
	PgwMode		mode;
} PgwCodeKey;

/* An artifact in the engine of layout.mode; to be closed. */
typedef struct PgwArtifact
{
	wasmtime_module_t *module;	/* or ... */
	PgwComponent *component;	/* ... NULL where it is no component */
	PgwLayout	layout;
	bool		mapped;			/* holds a file, counted as external */
} PgwArtifact;

/*
 * Opens what the cache has for that key; false when it has nothing that is in
 * order.  Throws only where the system forbids to run generated code.
 */
extern bool pgw_artifact_load(const PgwCodeKey *key, PgwArtifact *artifact);

/* Opens what pgw_compile() returned.  Throws when the engine refuses it. */
extern void pgw_artifact_open(const char *bytes, size_t length, const PgwLayout *layout,
							  PgwArtifact *artifact);

/* Never throws. */
extern void pgw_artifact_close(PgwArtifact *artifact);

/*
 * Adds what pgw_compile() returned to the cache and removes what has not been
 * used for longest.  Where that fails there is a WARNING, once in a session.
 */
extern void pgw_artifact_store(const PgwCodeKey *key, const PgwLayout *layout,
							   const char *bytes, size_t length, int compile_ms);

/* A file of the cache, as its name and status tell. */
typedef struct PgwArtifactFile
{
	char		sha256[2 * sizeof(PgwDigest) + 1];
	char		build[32];		/* which made it */
	PgwMode		mode;			/* that was wanted */
	int64		size;
	TimestampTz used;			/* last time, to the minute */
	int			compile_ms;		/* -1: not known */
} PgwArtifactFile;

/* Calls visit for each artifact until it returns false; visit may not throw. */
typedef bool (*PgwArtifactVisitor) (const PgwArtifactFile *file, void *data);
extern void pgw_artifact_visit(PgwArtifactVisitor visit, void *data);

#endif							/* PGW_ARTIFACT_H */
