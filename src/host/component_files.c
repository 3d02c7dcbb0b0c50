/*
 * component_files.c
 *		Files in WASI, 0.2, for components.
 *
 * The engine library has the interface (engine/src/files.rs); here is what it asks
 * of files.c.  Descriptors and streams are both files with numbers.
 */
#include "postgres.h"

#include "host/component_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "host/files.h"

/* Of descriptor-type in WIT */
#define KIND_UNKNOWN 0
#define KIND_BLOCK_DEVICE 1
#define KIND_CHARACTER_DEVICE 2
#define KIND_DIRECTORY 3
#define KIND_FIFO 4
#define KIND_SYMBOLIC_LINK 5
#define KIND_REGULAR_FILE 6
#define KIND_SOCKET 7

/* Of error-code in WIT, for what has no number there */
#define ERROR_IO 13

/* An operation returns an error of errno.h, or 0. */
typedef int (*Operation) (PgwStore *store, PgwFileRequest *request);

static uint32
number_of(int error)
{
	static const PgwNumber numbers[] = {
		{EACCES, 0}, {EAGAIN, 1}, {EBADF, 3}, {EBUSY, 4}, {EDQUOT, 6}, {EEXIST, 7}, {EFBIG, 8}, {EINTR, 11},
		{EINVAL, 12}, {EISDIR, 14}, {ELOOP, 15}, {EMLINK, 16}, {ENAMETOOLONG, 18}, {ENODEV, 19}, {ENOENT, 20},
		{ENOMEM, 22}, {EMFILE, 22}, {ENFILE, 22}, {ENOSPC, 23}, {ENOTDIR, 24}, {ENOTEMPTY, 25}, {ENOTSUP, 27},
		{ENXIO, 29}, {EOVERFLOW, 30}, {EPERM, 31}, {EROFS, 33}, {ESPIPE, 34}, {ETXTBSY, 35}, {EXDEV, 36}
	};

	return pgw_find_number(numbers, lengthof(numbers), error, ERROR_IO);
}

static uint32
kind_of(mode_t mode)
{
	static const PgwNumber kinds[] = {
		{S_IFREG, KIND_REGULAR_FILE}, {S_IFDIR, KIND_DIRECTORY}, {S_IFLNK, KIND_SYMBOLIC_LINK},
		{S_IFCHR, KIND_CHARACTER_DEVICE}, {S_IFBLK, KIND_BLOCK_DEVICE}, {S_IFIFO, KIND_FIFO}, {S_IFSOCK, KIND_SOCKET}
	};

	return pgw_find_number(kinds, lengthof(kinds), mode & S_IFMT, KIND_UNKNOWN);
}

static const PgwText *
path_or_null(const PgwFileRequest *request)
{
	return request->path.bytes != NULL ? &request->path : NULL;
}

/* --- what is opened and closed --- */

static int
get_grant(PgwStore *store, PgwFileRequest *request)
{
	request->number += PGW_FILE_FIRST;
	return pgw_file_grant(store, request->number, &request->path) ? 0 : EBADF;
}

/* A directory that was granted can be asked for again. */
static int
close_file(PgwStore *store, PgwFileRequest *request)
{
	PgwText		name;

	return pgw_file_grant(store, request->number, &name) ? 0 : pgw_file_close(store, request->number);
}

/* Flags of open(); a directory is never opened to be written. */
static int
open_flags(uint32 flags)
{
	bool		writes = (flags & (PGW_FILE_FLAG_WRITE | PGW_FILE_FLAG_TRUNCATE)) != 0 &&
		(flags & PGW_FILE_FLAG_DIRECTORY) == 0;

	return (!writes ? O_RDONLY : flags & PGW_FILE_FLAG_READ ? O_RDWR : O_WRONLY) |
		(flags & PGW_FILE_FLAG_FOLLOW ? 0 : O_NOFOLLOW) |
		(flags & PGW_FILE_FLAG_CREATE ? O_CREAT : 0) |
		(flags & PGW_FILE_FLAG_DIRECTORY ? O_DIRECTORY : 0) |
		(flags & PGW_FILE_FLAG_EXCLUSIVE ? O_EXCL : 0) |
		(flags & PGW_FILE_FLAG_TRUNCATE ? O_TRUNC : 0) |
		(flags & PGW_FILE_FLAG_DATA_SYNC ? O_DSYNC : 0) |
		(flags & PGW_FILE_FLAG_FILE_SYNC ? O_SYNC : 0);
}

static int
open_path(PgwStore *store, PgwFileRequest *request)
{
	return pgw_file_open(store, request->number, request->path, open_flags(request->flags), &request->number);
}

static int
stream(PgwStore *store, PgwFileRequest *request)
{
	if (request->offset > PG_INT64_MAX)
		return EINVAL;
	return pgw_file_stream(store, request->number, request->offset, &request->number);
}

static int
stream_to_end(PgwStore *store, PgwFileRequest *request)
{
	return pgw_file_stream(store, request->number, PGW_FILE_END, &request->number);
}

/* The directory once more: only so has it a position of its own. */
static int
stream_entries(PgwStore *store, PgwFileRequest *request)
{
	static const PgwText itself = {".", 1};

	return pgw_file_open(store, request->number, itself, O_RDONLY | O_DIRECTORY, &request->number);
}

/* --- what is in a file, and in a directory --- */

/* -1: where the stream is */
static int
offset_of(const PgwFileRequest *request, int64 *offset)
{
	*offset = (int64) request->offset;
	return *offset < -1 || *offset > PG_INT64_MAX - PGW_TRANSFER_MAX ? EINVAL : 0;
}

static int
read_bytes(PgwStore *store, PgwFileRequest *request)
{
	int64		offset;
	int			error = offset_of(request, &offset);

	return error != 0 ? error :
		pgw_file_read(store, request->number, request->bytes, request->length, offset, &request->count);
}

static int
write_bytes(PgwStore *store, PgwFileRequest *request)
{
	int64		offset;
	int			error = offset_of(request, &offset);

	return error != 0 ? error :
		pgw_file_write(store, request->number, request->bytes, request->length, offset, &request->count);
}

typedef struct NextEntry
{
	PgwFileRequest *request;
	int64		next;
	int			error;
} NextEntry;

/* The first that denotes another file than the directory and its parent; false: it is found. */
static bool
take_entry(void *data, const PgwEntryOfDirectory *entry)
{
	NextEntry  *found = data;
	PgwText		name = entry->name;

	found->next = entry->next;
	if (strcmp(name.bytes, ".") == 0 || strcmp(name.bytes, "..") == 0)
		return true;
	if (name.length > found->request->length)
		found->error = ENAMETOOLONG;
	else
	{
		memcpy(found->request->bytes, name.bytes, name.length);
		found->request->count = name.length;
		found->request->status.kind = kind_of(DTTOIF(entry->type));
	}
	return false;
}

static int
next_entry(PgwStore *store, PgwFileRequest *request)
{
	NextEntry	found = {.request = request};
	int64		position;
	int			error = pgw_file_seek(store, request->number, 0, SEEK_CUR, &position);

	found.next = position;
	if (error == 0)
		error = pgw_file_entries(store, request->number, position, take_entry, &found);
	if (error == 0)
		error = pgw_file_seek(store, request->number, found.next, SEEK_SET, &position);
	return error != 0 ? error : found.error;
}

/* --- what is known and set of a file --- */

static int
get_flags(PgwStore *store, PgwFileRequest *request)
{
	struct stat status;
	int			flags;
	int			error = pgw_file_flags(store, request->number, &flags);
	int			access = flags & O_ACCMODE;

	if (error == 0)
		error = pgw_file_stat(store, request->number, NULL, false, &status);
	if (error != 0)
		return error;
	request->flags = (access != O_WRONLY ? PGW_FILE_FLAG_READ : 0) |
		(access != O_RDONLY ? PGW_FILE_FLAG_WRITE : 0) |
		((flags & O_SYNC) == O_SYNC ? PGW_FILE_FLAG_FILE_SYNC : flags & O_DSYNC ? PGW_FILE_FLAG_DATA_SYNC : 0) |
		(S_ISDIR(status.st_mode) && pgw_file_writable(store, request->number) ? PGW_FILE_FLAG_MUTATE : 0);
	return 0;
}

static int
set_size(PgwStore *store, PgwFileRequest *request)
{
	if (request->offset > PG_INT64_MAX)
		return EINVAL;
	return pgw_file_set_size(store, request->number, request->offset);
}

static int
sync_file(PgwStore *store, PgwFileRequest *request)
{
	return pgw_file_sync(store, request->number, false);
}

static int
sync_data(PgwStore *store, PgwFileRequest *request)
{
	return pgw_file_sync(store, request->number, true);
}

static PgwFileTime
time_of(struct timespec time)
{
	return (PgwFileTime) {.seconds = time.tv_sec,.nanoseconds = time.tv_nsec};
}

static int
get_status(PgwStore *store, PgwFileRequest *request)
{
	struct stat status;
	int			error = pgw_file_stat(store, request->number, path_or_null(request),
									  request->flags & PGW_FILE_FLAG_FOLLOW, &status);

	if (error != 0)
		return error;
	request->status = (PgwFileStatus) {
		.kind = kind_of(status.st_mode),
		.device = status.st_dev,
		.inode = status.st_ino,
		.links = status.st_nlink,
		.size = status.st_size,
		.times = {time_of(status.st_atim), time_of(status.st_mtim), time_of(status.st_ctim)}
	};
	return 0;
}

static struct timespec
time_to_set(PgwFileTime time)
{
	if (!time.is_set)
		return (struct timespec) {.tv_nsec = UTIME_OMIT};
	if (time.is_now)
		return (struct timespec) {.tv_nsec = UTIME_NOW};
	/* of numbers beyond a second some mean something else */
	return (struct timespec) {.tv_sec = time.seconds,.tv_nsec = Min(time.nanoseconds, 999999999)};
}

/* Of a time that is not to be set the seconds are 0. */
static int
set_times(PgwStore *store, PgwFileRequest *request)
{
	struct timespec both[2] = {time_to_set(request->times[0]), time_to_set(request->times[1])};

	if (Max(request->times[0].seconds, request->times[1].seconds) > PG_INT64_MAX)
		return EOVERFLOW;
	return pgw_file_set_times(store, request->number, path_or_null(request),
							  request->flags & PGW_FILE_FLAG_FOLLOW, both);
}

/* --- what is done to paths --- */

static int
make_directory(PgwStore *store, PgwFileRequest *request)
{
	return pgw_file_make_directory(store, request->number, request->path);
}

static int
remove_directory(PgwStore *store, PgwFileRequest *request)
{
	return pgw_file_remove(store, request->number, request->path, true);
}

static int
remove_file(PgwStore *store, PgwFileRequest *request)
{
	return pgw_file_remove(store, request->number, request->path, false);
}

static int
rename_path(PgwStore *store, PgwFileRequest *request)
{
	return pgw_file_rename(store, request->number, request->path, request->other, request->other_path);
}

static int
read_link(PgwStore *store, PgwFileRequest *request)
{
	return pgw_file_read_link(store, request->number, request->path, (char *) request->bytes, request->length,
							  &request->count);
}

/* Nobody makes links, as in preview 1. */
static int
make_link(PgwStore *store, PgwFileRequest *request)
{
	int			flags;
	int			error = pgw_file_flags(store, request->number, &flags);

	return error != 0 ? error : ENOTSUP;
}

/* --- all of them --- */

static const Operation operations[] = {
	[PGW_FILE_GRANT] = get_grant,
	[PGW_FILE_CLOSE] = close_file,
	[PGW_FILE_OPEN] = open_path,
	[PGW_FILE_STREAM] = stream,
	[PGW_FILE_STREAM_TO_END] = stream_to_end,
	[PGW_FILE_STREAM_ENTRIES] = stream_entries,
	[PGW_FILE_READ] = read_bytes,
	[PGW_FILE_WRITE] = write_bytes,
	[PGW_FILE_FLAGS] = get_flags,
	[PGW_FILE_SET_SIZE] = set_size,
	[PGW_FILE_SYNC] = sync_file,
	[PGW_FILE_SYNC_DATA] = sync_data,
	[PGW_FILE_STATUS] = get_status,
	[PGW_FILE_SET_TIMES] = set_times,
	[PGW_FILE_NEXT_ENTRY] = next_entry,
	[PGW_FILE_MAKE_DIRECTORY] = make_directory,
	[PGW_FILE_REMOVE_DIRECTORY] = remove_directory,
	[PGW_FILE_REMOVE_FILE] = remove_file,
	[PGW_FILE_RENAME] = rename_path,
	[PGW_FILE_READ_LINK] = read_link,
	[PGW_FILE_LINK] = make_link
};

void
pgw_component_file(PgwFileOperation operation, PgwFileRequest *request)
{
	int			error = operations[operation] (pgw_store_running, request);

	request->error = error != 0 ? number_of(error) + 1 : 0;
}
