/*
 * artifact.c
 *		The cache of compiled modules on disk.
 *
 * pgsql_tmp_wasm/ in the data directory; base backups leave out what begins
 * with pgsql_tmp, so a standby fills its own.  A file is named by the digest of
 * its module, the build of the engine, and the configuration:
 *
 *	<64 hex digits>-<version>-<key>[-fuel][-epoch].cwasm
 *
 * and holds what the engine serialised, followed by an ArtifactTail.  It is
 * machine code, so it is trusted only when it is a regular file of the server's
 * own user that nobody else may touch, whose tail belongs to its name, and
 * whose checksum is right.
 *
 * A file appears whole, by rename, and never changes: it is only unlinked, since
 * other backends map it.  It is not flushed to disk: what an operating system
 * that crashes leaves of it, the checksum tells.
 *
 * Small files are read, and their checksum is computed each time.  Larger ones
 * are mapped and shared; the first to map one after a start of the server
 * computes the checksum and marks the file by its modification time: later than
 * the server's start, with the fraction of a second taken from the checksum,
 * which a writer would not hit.  The same time tells when a file was last used.
 */
#include "postgres.h"

#include "engine/artifact.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/config.h"
#include "engine/engine.h"
#include "engine/error.h"
#include "guc.h"
#include "miscadmin.h"
#include "port/pg_crc32c.h"
#include "storage/fd.h"
#include "utils/memutils.h"

#define CACHE_DIRECTORY PG_TEMP_FILE_PREFIX "_wasm"
#define SUFFIX ".cwasm"
#define TEMPORARY_SUFFIX ".tmp"
#define METERED_SUFFIX "-fuel"
#define EPOCHS_SUFFIX "-epoch"

#define TAIL_MAGIC 0x50475757	/* "PGWW" */

/* Files up to this size are read, larger ones mapped */
#define READ_MAX (64 * 1024)

/* How old, in seconds, the time of last use may become before it is renewed */
#define USE_GRAIN 60

/* What a crash left of files being written is removed after so many seconds */
#define TEMPORARY_AGE 3600

/* The cache may exceed its size by 1/32 for each session that adds to it. */
#define COLLECT_FRACTION 32

typedef struct ArtifactTail
{
	uint32		magic;
	int32		compile_ms;
	uint64		length;			/* of what comes before */
	PgwDigest	digest;			/* of the module's bytes */
	char		build[sizeof(((PgwArtifactFile *) NULL)->build)];
	PgwLayout	layout;
	PgwMode		mode;			/* that was wanted */
	pg_crc32c	crc;			/* of all that comes before */
} ArtifactTail;

static bool warned = false;

/* Bytes that this session has added since it last looked at the whole cache */
static int64 added = -1;

static void
artifact_path(const PgwCodeKey *key, char *path)
{
	char		hex[2 * sizeof(PgwDigest) + 1];

	pgw_digest_print(&key->digest, hex);
	snprintf(path, MAXPGPATH, "%s/%s-%s%s%s%s", CACHE_DIRECTORY, hex, PGW_BUILD,
			 key->mode & PGW_MODE_METERED ? METERED_SUFFIX : "",
			 key->mode & PGW_MODE_EPOCHS ? EPOCHS_SUFFIX : "", SUFFIX);
}

/* --- the mark on a verified file --- */

static long
mark_of(pg_crc32c crc)
{
	return crc % 1000000000;
}

static bool
is_verified(const struct stat *status, pg_crc32c crc)
{
	return status->st_mtim.tv_nsec == mark_of(crc) &&
		status->st_mtim.tv_sec > timestamptz_to_time_t(PgStartTime) &&
		status->st_mtim.tv_sec <= time(NULL) + USE_GRAIN;
}

static void
mark_verified(int fd, pg_crc32c crc)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {time(NULL), mark_of(crc)}};

	/* else it will be verified again */
	(void) futimens(fd, times);
}

/* --- loading --- */

/* A file of the cache that is being looked at. */
typedef struct OpenArtifact
{
	int			fd;
	struct stat status;
	ArtifactTail tail;
	const char *fault;			/* why it cannot be used */
} OpenArtifact;

static bool
read_at(int fd, void *bytes, size_t length, off_t offset)
{
	while (length > 0)
	{
		ssize_t		n = pread(fd, bytes, length, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes = (char *) bytes + n;
		length -= n;
		offset += n;
	}
	return true;
}

static pg_crc32c
tail_crc(pg_crc32c crc, const ArtifactTail *tail)
{
	COMP_CRC32C(crc, tail, offsetof(ArtifactTail, crc));
	FIN_CRC32C(crc);
	return crc;
}

/* What can be told without reading the content. */
static bool
check_file(OpenArtifact *file, const PgwCodeKey *key)
{
	const struct stat *status = &file->status;
	const ArtifactTail *tail = &file->tail;

	if (fstat(file->fd, &file->status) != 0)
		file->fault = "its status cannot be read";
	else if (!S_ISREG(status->st_mode))
		file->fault = "it is not a regular file";
	else if (status->st_uid != geteuid() || (status->st_mode & 07777) != 0600)
		file->fault = "its owner or mode is wrong";
	else if (status->st_size < sizeof(ArtifactTail) ||
			 !read_at(file->fd, &file->tail, sizeof(ArtifactTail), status->st_size - sizeof(ArtifactTail)) ||
			 tail->magic != TAIL_MAGIC ||
			 tail->length != status->st_size - sizeof(ArtifactTail))
		file->fault = "its length is wrong";
	else if (memcmp(&tail->digest, &key->digest, sizeof(PgwDigest)) != 0)
		file->fault = "it belongs to another module";
	else if (strncmp(tail->build, PGW_BUILD, sizeof(tail->build)) != 0 || tail->mode != key->mode ||
			 PGW_MODE_WANTED(tail->layout.mode) != PGW_MODE_WANTED(key->mode))
		file->fault = "it was made for another engine";
	else if (!pgw_layout_fits(&tail->layout, tail->length))
		file->fault = "its code is not in it";
	return file->fault == NULL;
}

/* The content, palloc'd; NULL when it cannot be read or its checksum is wrong. */
static char *
read_content(OpenArtifact *file)
{
	const ArtifactTail *tail = &file->tail;
	char	   *content = MemoryContextAllocHuge(CurrentMemoryContext, Max(tail->length, 1));
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	if (read_at(file->fd, content, tail->length, 0))
	{
		COMP_CRC32C(crc, content, tail->length);
		if (EQ_CRC32C(tail_crc(crc, tail), tail->crc))
			return content;
	}
	pfree(content);
	file->fault = "its checksum is wrong";
	return NULL;
}

/* artifact->layout says what it is. */
static wasmtime_error_t *
deserialize(const char *content, size_t length, PgwArtifact *artifact)
{
	wasm_engine_t *engine = pgw_engine(artifact->layout.mode);

	if (artifact->layout.mode & PGW_MODE_COMPONENT)
		return pgw_component_deserialize(engine, (const uint8_t *) content, length, &artifact->component);
	return wasmtime_module_deserialize(engine, (const uint8_t *) content, length, &artifact->module);
}

static wasmtime_error_t *
deserialize_file(const char *path, PgwArtifact *artifact)
{
	wasm_engine_t *engine = pgw_engine(artifact->layout.mode);

	if (artifact->layout.mode & PGW_MODE_COMPONENT)
		return pgw_component_deserialize_file(engine, path, &artifact->component);
	return wasmtime_module_deserialize_file(engine, path, &artifact->module);
}

static bool
open_content(OpenArtifact *file, char *content, PgwArtifact *artifact)
{
	wasmtime_error_t *error = deserialize(content, file->tail.length, artifact);

	if (error == NULL)
		return true;
	if (pgw_error_forbids_code(error))
		pgw_error_throw_load(error);
	wasmtime_error_delete(error);
	file->fault = "the engine refuses it";
	return false;
}

static bool
load_by_reading(OpenArtifact *file, PgwArtifact *artifact)
{
	char	   *content = read_content(file);
	bool		loaded;

	if (content == NULL)
		return false;
	loaded = open_content(file, content, artifact);
	pfree(content);
	return loaded;
}

/* A mount without the right to execute, for one: the caller may try to read. */
static void
warn_unmapped(void)
{
	if (!warned)
		ereport(WARNING,
				(errmsg("compiled WebAssembly modules cannot be run from the cache \"%s/%s\"",
						DataDir, CACHE_DIRECTORY),
				 errdetail("The operating system does not let this server run code of its files; each session loads a copy."),
				 errhint("Is the file system mounted with the option noexec?")));
	warned = true;
}

/* The module holds the file from here on: that counts as one external file. */
static bool
load_by_mapping(OpenArtifact *file, PgwArtifact *artifact)
{
	char		path[64];
	wasmtime_error_t *error;
	bool		forbidden;

	if (!is_verified(&file->status, file->tail.crc))
	{
		char	   *content = read_content(file);

		if (content == NULL)
			return false;
		pfree(content);
	}
	if (!AcquireExternalFD())
		return false;
	/* the file that was checked, whatever its name stands for by now */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file->fd);
	error = deserialize_file(path, artifact);
	if (error == NULL)
		return true;
	ReleaseExternalFD();
	forbidden = pgw_error_forbids_code(error);
	wasmtime_error_delete(error);
	if (forbidden)
		warn_unmapped();
	return false;
}

static bool
load(OpenArtifact *file, PgwArtifact *artifact)
{
	bool		loaded;

	*artifact = (PgwArtifact) {.layout = file->tail.layout};
	artifact->mapped = file->tail.length > READ_MAX && load_by_mapping(file, artifact);
	loaded = artifact->mapped || (file->fault == NULL && load_by_reading(file, artifact));
	if (loaded &&
		(!is_verified(&file->status, file->tail.crc) ||
		 file->status.st_mtim.tv_sec + USE_GRAIN < time(NULL)))
		mark_verified(file->fd, file->tail.crc);
	return loaded;
}

/* Is it the fault of what bears the name that it cannot be opened? */
static bool
is_lasting(int open_errno)
{
	return open_errno == ELOOP || open_errno == EACCES || open_errno == EPERM || open_errno == ENXIO;
}

/* A directory goes only when it is empty. */
static void
remove_faulty(const char *path)
{
	if (unlink(path) != 0 && (errno == EISDIR || errno == EPERM))
		(void) rmdir(path);
}

bool
pgw_artifact_load(const PgwCodeKey *key, PgwArtifact *artifact)
{
	OpenArtifact file = {.fault = NULL};
	char		path[MAXPGPATH];
	bool		loaded = false;

	if (pgw_cache_size == 0)
		return false;
	artifact_path(key, path);
	file.fd = OpenTransientFile(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | PG_BINARY);
	if (file.fd < 0 && !is_lasting(errno))
		return false;
	if (file.fd < 0)
		file.fault = errno == ELOOP ? "it is a symbolic link" : "it cannot be opened";
	else if (check_file(&file, key))
		loaded = load(&file, artifact);
	if (file.fd >= 0)
		CloseTransientFile(file.fd);
	if (file.fault != NULL)
	{
		ereport(LOG,
				(errmsg("compiled WebAssembly module \"%s\" is not used: %s", path, file.fault)));
		remove_faulty(path);
	}
	return loaded;
}

void
pgw_artifact_open(const char *bytes, size_t length, const PgwLayout *layout, PgwArtifact *artifact)
{
	wasmtime_error_t *error;

	*artifact = (PgwArtifact) {.layout = *layout};
	error = deserialize(bytes, length, artifact);
	if (error != NULL)
		pgw_error_throw_load(error);
}

void
pgw_artifact_close(PgwArtifact *artifact)
{
	if (artifact->component != NULL)
		pgw_component_delete(artifact->component);
	else
		wasmtime_module_delete(artifact->module);
	if (artifact->mapped)
		ReleaseExternalFD();
}

/* --- going through the cache --- */

/* Cuts a suffix off the first *end characters of name; false when it is not there. */
static bool
has_suffix(const char *name, size_t *end, const char *suffix)
{
	size_t		length = strlen(suffix);

	if (*end < length || memcmp(name + *end - length, suffix, length) != 0)
		return false;
	*end -= length;
	return true;
}

/* Splits a file's name; false when it is not an artifact's. */
static bool
parse_name(const char *name, PgwArtifactFile *file)
{
	const size_t digits = sizeof(file->sha256) - 1;
	const char *build = name + digits + 1;
	size_t		end = strlen(name);

	if (strspn(name, "0123456789abcdef") != digits || name[digits] != '-' ||
		!has_suffix(name, &end, SUFFIX))
		return false;
	memcpy(file->sha256, name, digits);
	file->sha256[digits] = '\0';
	file->mode = 0;
	if (has_suffix(name, &end, EPOCHS_SUFFIX))
		file->mode |= PGW_MODE_EPOCHS;
	if (has_suffix(name, &end, METERED_SUFFIX))
		file->mode |= PGW_MODE_METERED;
	if (name + end < build || name + end - build >= sizeof(file->build))
		return false;
	memcpy(file->build, build, name + end - build);
	file->build[name + end - build] = '\0';
	return true;
}

static int
read_compile_ms(const char *path, int64 size)
{
	ArtifactTail tail;
	int			fd = OpenTransientFile(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | PG_BINARY);
	bool		read;

	if (fd < 0)
		return -1;
	read = size >= sizeof(tail) && read_at(fd, &tail, sizeof(tail), size - sizeof(tail));
	CloseTransientFile(fd);
	return read && tail.magic == TAIL_MAGIC ? tail.compile_ms : -1;
}

/* Calls visit with the path and status of each file in the cache. */
static void
walk(void (*visit) (const char *path, const char *name, const struct stat *status, void *data), void *data)
{
	DIR		   *directory = AllocateDir(CACHE_DIRECTORY);
	struct dirent *entry;

	while (directory != NULL && (entry = ReadDirExtended(directory, CACHE_DIRECTORY, LOG)) != NULL)
	{
		char		path[MAXPGPATH];
		struct stat status;

		snprintf(path, sizeof(path), "%s/%s", CACHE_DIRECTORY, entry->d_name);
		if (lstat(path, &status) == 0 && S_ISREG(status.st_mode))
			visit(path, entry->d_name, &status, data);
	}
	if (directory != NULL)
		FreeDir(directory);
}

typedef struct Visit
{
	PgwArtifactVisitor visit;
	void	   *data;
	bool		over;
} Visit;

static void
visit_artifact(const char *path, const char *name, const struct stat *status, void *data)
{
	Visit	   *visit = data;
	PgwArtifactFile file;

	if (visit->over || !parse_name(name, &file))
		return;
	file.size = status->st_size;
	file.used = time_t_to_timestamptz(status->st_mtim.tv_sec);
	file.compile_ms = read_compile_ms(path, status->st_size);
	visit->over = !visit->visit(&file, visit->data);
}

void
pgw_artifact_visit(PgwArtifactVisitor visit, void *data)
{
	Visit		all = {visit, data, false};

	walk(visit_artifact, &all);
}

/* --- collecting --- */

typedef struct Candidate
{
	char	   *path;
	int64		size;
	struct timespec used;
} Candidate;

typedef struct Candidates
{
	Candidate  *list;
	int			count;
	int			room;
	int64		size;			/* of all files */
} Candidates;

static void
add_candidate(const char *path, const char *name, const struct stat *status, void *data)
{
	Candidates *candidates = data;
	PgwArtifactFile file;

	if (!parse_name(name, &file))
	{
		size_t		end = strlen(name);

		if (has_suffix(name, &end, TEMPORARY_SUFFIX) &&
			status->st_mtim.tv_sec + TEMPORARY_AGE < time(NULL))
			(void) unlink(path);
		return;
	}
	if (candidates->count == candidates->room)
	{
		candidates->room = Max(256, candidates->room * 2);
		candidates->list = candidates->list == NULL ?
			palloc_extended(candidates->room * sizeof(Candidate), MCXT_ALLOC_HUGE) :
			repalloc_huge(candidates->list, candidates->room * sizeof(Candidate));
	}
	candidates->list[candidates->count++] = (Candidate) {pstrdup(path), status->st_size, status->st_mtim};
	candidates->size += status->st_size;
}

static int
by_use(const void *a, const void *b)
{
	const struct timespec *left = &((const Candidate *) a)->used;
	const struct timespec *right = &((const Candidate *) b)->used;

	if (left->tv_sec != right->tv_sec)
		return left->tv_sec < right->tv_sec ? -1 : 1;
	return left->tv_nsec < right->tv_nsec ? -1 : left->tv_nsec > right->tv_nsec;
}

/* Removes the files that were not used for longest, down to the allowed size. */
static void
collect(void)
{
	int64		allowed = (int64) pgw_cache_size * 1024 * 1024;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "wasm cache", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	Candidates	candidates = {NULL};

	walk(add_candidate, &candidates);
	if (candidates.size > allowed)
	{
		qsort(candidates.list, candidates.count, sizeof(Candidate), by_use);
		allowed -= allowed / COLLECT_FRACTION;
		for (int i = 0; i < candidates.count && candidates.size > allowed; i++)
		{
			(void) unlink(candidates.list[i].path);
			candidates.size -= candidates.list[i].size;
		}
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

/* --- storing --- */

static bool
write_all(int fd, const void *bytes, size_t length)
{
	while (length > 0)
	{
		ssize_t		n;

		errno = 0;
		n = write(fd, bytes, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
		{
			errno = errno ? errno : ENOSPC;
			return false;
		}
		bytes = (const char *) bytes + n;
		length -= n;
	}
	return true;
}

/* Creates the file; false, with errno, when that fails. */
static bool
write_file(const char *path, const char *bytes, const ArtifactTail *tail)
{
	int			fd;
	int			error = 0;

	/* a process that had our id may have left one */
	(void) unlink(path);
	fd = OpenTransientFilePerm(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | PG_BINARY, 0600);
	if (fd < 0)
		return false;
	if (!write_all(fd, bytes, tail->length) || !write_all(fd, tail, sizeof(*tail)) || fchmod(fd, 0600) != 0)
		error = errno;
	else
		mark_verified(fd, tail->crc);
	if (CloseTransientFile(fd) != 0 && error == 0)
		error = errno;
	errno = error;
	return error == 0;
}

void
pgw_artifact_store(const PgwCodeKey *key, const PgwLayout *layout,
				   const char *bytes, size_t length, int compile_ms)
{
	ArtifactTail tail = {.magic = TAIL_MAGIC,.compile_ms = compile_ms,.length = length,
	.digest = key->digest,.build = PGW_BUILD,.layout = *layout,.mode = key->mode};
	int64		allowed = (int64) pgw_cache_size * 1024 * 1024;
	char		path[MAXPGPATH];
	char		temporary[MAXPGPATH + 32];

	if (length + sizeof(tail) > allowed)
		return;
	INIT_CRC32C(tail.crc);
	COMP_CRC32C(tail.crc, bytes, length);
	tail.crc = tail_crc(tail.crc, &tail);

	artifact_path(key, path);
	snprintf(temporary, sizeof(temporary), "%s.%d%s", path, (int) getpid(), TEMPORARY_SUFFIX);
	if ((mkdir(CACHE_DIRECTORY, 0700) != 0 && errno != EEXIST) ||
		!write_file(temporary, bytes, &tail) ||
		rename(temporary, path) != 0)
	{
		int			error = errno;

		(void) unlink(temporary);
		errno = error;
		if (!warned)
			ereport(WARNING,
					(errcode_for_file_access(),
					 errmsg("could not store a compiled WebAssembly module in \"%s/%s\": %m",
							DataDir, CACHE_DIRECTORY),
					 errdetail("Each session compiles the module for itself.")));
		warned = true;
		return;
	}
	if (added < 0 || (added += length) > allowed / COLLECT_FRACTION)
	{
		added = 0;
		collect();
	}
}
