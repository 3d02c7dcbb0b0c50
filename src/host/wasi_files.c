/*
 * wasi_files.c
 *		Files in WASI, preview 1.
 *
 * A guest has three files: standard input, which is at its end, output and error,
 * whose lines become messages of the server; and those in directories that its
 * module was granted.  There are no sockets.
 */
#include "postgres.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "host/files.h"
#include "host/process.h"
#include "host/wasi.h"
#include "host/wasi_guest.h"

#define STDIN 0
#define STDOUT 1
#define STDERR 2

#define FILETYPE_UNKNOWN 0
#define FILETYPE_BLOCK_DEVICE 1
#define FILETYPE_CHARACTER_DEVICE 2
#define FILETYPE_DIRECTORY 3
#define FILETYPE_REGULAR_FILE 4
#define FILETYPE_SOCKET 6
#define FILETYPE_SYMBOLIC_LINK 7

#define FDFLAGS_APPEND 1
#define FDFLAGS_DSYNC 2
#define FDFLAGS_RSYNC 8
#define FDFLAGS_SYNC 16

#define RIGHTS_FD_READ (UINT64CONST(1) << 1)
#define RIGHTS_FD_WRITE (UINT64CONST(1) << 6)
#define RIGHTS_ALL ((UINT64CONST(1) << 30) - 1)

#define LOOKUPFLAGS_FOLLOW 1

#define OFLAGS_CREAT 1
#define OFLAGS_DIRECTORY 2
#define OFLAGS_EXCL 4
#define OFLAGS_TRUNC 8

#define FSTFLAGS_ATIM 1
#define FSTFLAGS_ATIM_NOW 2
#define FSTFLAGS_MTIM 4
#define FSTFLAGS_MTIM_NOW 8

#define PREOPENTYPE_DIRECTORY 0

#define NS_PER_SECOND INT64CONST(1000000000)

/* Parts of a file that one call reads or writes */
#define VECTORS_MAX 1024

/* --- numbers of errors --- */

static uint32
number_of(int error)
{
	static const PgwNumber numbers[] = {
		{0, SUCCESS}, {EACCES, 2}, {EAGAIN, 6}, {EBADF, BADF}, {EBUSY, 10}, {EDQUOT, 19}, {EEXIST, 20},
		{EFAULT, FAULT}, {EFBIG, 22}, {EINTR, 27}, {EINVAL, INVAL}, {EISDIR, 31}, {ELOOP, 32}, {EMFILE, 33},
		{EMLINK, 34}, {ENAMETOOLONG, 37}, {ENFILE, 41}, {ENODEV, 43}, {ENOENT, 44}, {ENOMEM, 48}, {ENOSPC, 51},
		{ENOTDIR, 54}, {ENOTEMPTY, 55}, {ENOTSUP, NOTSUP}, {ENXIO, 60}, {EOVERFLOW, 61}, {EPERM, 63},
		{EROFS, 69}, {ESPIPE, SPIPE}, {ESTALE, 72}, {ETXTBSY, 74}, {EXDEV, 75}
	};

	return pgw_find_number(numbers, lengthof(numbers), error, IO);
}

/* --- the three that every guest has --- */

static bool
is_standard(uint32 fd)
{
	return fd <= STDERR;
}

static PgwStore *
store_of(PgwGuest *guest)
{
	return pgw_guest_store(guest);
}

/* Is it open?  A file that was granted is looked at on the way. */
static uint32
exists(PgwGuest *guest, uint32 fd)
{
	int			flags;

	return is_standard(fd) ? SUCCESS : number_of(pgw_file_flags(store_of(guest), fd, &flags));
}

/* --- what is read and written --- */

/* Reads or writes some bytes of a file, at an offset or -1. */
typedef int (*Transfer) (PgwStore *store, uint32 fd, void *bytes, size_t length, int64 offset, size_t *done);

static int
write_some(PgwStore *store, uint32 fd, void *bytes, size_t length, int64 offset, size_t *done)
{
	if (fd != STDOUT && fd != STDERR)
		return pgw_file_write(store, fd, bytes, length, offset, done);
	*done = Min(length, PGW_TRANSFER_MAX);
	pgw_output(fd, bytes, *done);
	return 0;
}

/*
 * Goes through the vectors, PGW_TRANSFER_MAX bytes at most and until one is not
 * filled or emptied.  An error counts where nothing came before it.
 */
static uint32
transfer(PgwGuest *guest, Transfer some, const PgwSlot *slots, int64 offset, uint32 result)
{
	uint32		count = slots[2].i32;
	size_t		total = 0;

	if (count > VECTORS_MAX)
		return INVAL;
	for (uint32 i = 0; i < count && total < PGW_TRANSFER_MAX; i++)
	{
		const uint32 *vector = pgw_guest_bytes(guest, slots[1].i32 + i * 8, 8);
		uint32		part[2];
		size_t		length;
		size_t		done;
		void	   *bytes;
		int			error;

		if (vector == NULL)
			return FAULT;
		memcpy(part, vector, sizeof(part));
		bytes = pgw_guest_bytes(guest, to_guest32(part[0]), to_guest32(part[1]));
		if (bytes == NULL)
			return FAULT;
		length = Min(to_guest32(part[1]), PGW_TRANSFER_MAX - total);
		error = some(store_of(guest), slots[0].i32, bytes, length, offset < 0 ? -1 : offset + total, &done);
		if (error != 0 && total == 0)
			return number_of(error);
		total += error == 0 ? done : 0;
		if (error != 0 || done < length)
			break;
	}
	return put32(guest, result, total);
}

static uint32
file_read(PgwGuest *guest, const PgwSlot *slots)
{
	uint32		error = exists(guest, slots[0].i32);

	if (error != SUCCESS)
		return error;
	if (is_standard(slots[0].i32))
		return slots[0].i32 == STDIN ? put32(guest, slots[3].i32, 0) : BADF;
	return transfer(guest, pgw_file_read, slots, -1, slots[3].i32);
}

static uint32
file_write(PgwGuest *guest, const PgwSlot *slots)
{
	uint32		error = slots[0].i32 == STDIN ? BADF : exists(guest, slots[0].i32);

	return error != SUCCESS ? error : transfer(guest, write_some, slots, -1, slots[3].i32);
}

static uint32
transfer_at(PgwGuest *guest, Transfer some, const PgwSlot *slots)
{
	uint32		error = exists(guest, slots[0].i32);

	if (error != SUCCESS)
		return error;
	if (is_standard(slots[0].i32))
		return SPIPE;
	if (slots[3].i64 < 0 || slots[3].i64 > PG_INT64_MAX - PGW_TRANSFER_MAX)
		return INVAL;
	return transfer(guest, some, slots, slots[3].i64, slots[4].i32);
}

static uint32
file_read_at(PgwGuest *guest, const PgwSlot *slots)
{
	return transfer_at(guest, pgw_file_read, slots);
}

static uint32
file_write_at(PgwGuest *guest, const PgwSlot *slots)
{
	return transfer_at(guest, write_some, slots);
}

static uint32
seek(PgwGuest *guest, uint32 fd, int64 offset, uint32 whence, uint32 result)
{
	static const int whences[] = {SEEK_SET, SEEK_CUR, SEEK_END};
	int64		position = 0;
	uint32		error;

	if (is_standard(fd))
		return SPIPE;
	if (whence >= lengthof(whences))
		return exists(guest, fd) != SUCCESS ? BADF : INVAL;
	error = number_of(pgw_file_seek(store_of(guest), fd, offset, whences[whence], &position));
	return error != SUCCESS ? error : put64(guest, result, position);
}

static uint32
file_seek(PgwGuest *guest, const PgwSlot *slots)
{
	return seek(guest, slots[0].i32, slots[1].i64, slots[2].i32, slots[3].i32);
}

static uint32
file_tell(PgwGuest *guest, const PgwSlot *slots)
{
	return seek(guest, slots[0].i32, 0, 1, slots[1].i32);
}

/* --- what is known and set of a file --- */

static uint8
filetype_of(mode_t mode)
{
	static const PgwNumber types[] = {
		{S_IFREG, FILETYPE_REGULAR_FILE}, {S_IFDIR, FILETYPE_DIRECTORY}, {S_IFLNK, FILETYPE_SYMBOLIC_LINK},
		{S_IFCHR, FILETYPE_CHARACTER_DEVICE}, {S_IFBLK, FILETYPE_BLOCK_DEVICE}, {S_IFSOCK, FILETYPE_SOCKET}
	};

	return pgw_find_number(types, lengthof(types), mode & S_IFMT, FILETYPE_UNKNOWN);
}

/* Kind, flags and rights; a directory lets open what it lets at all. */
typedef struct FileState
{
	uint8		filetype;
	uint8		unused1;
	uint8		flags;			/* of 16 bits */
	uint8		unused2[5];
	uint64		rights;
	uint64		inheriting;
} FileState;

static uint32
look_at_file(PgwGuest *guest, uint32 fd, FileState *state)
{
	struct stat status;
	int			flags;
	int			error = pgw_file_flags(store_of(guest), fd, &flags);
	bool		is_directory;

	if (error == 0)
		error = pgw_file_stat(store_of(guest), fd, NULL, false, &status);
	if (error != 0)
		return number_of(error);
	is_directory = S_ISDIR(status.st_mode);
	state->filetype = filetype_of(status.st_mode);
	state->flags = (flags & O_APPEND ? FDFLAGS_APPEND : 0) |
		((flags & O_SYNC) == O_SYNC ? FDFLAGS_SYNC : flags & O_DSYNC ? FDFLAGS_DSYNC : 0);
	state->rights = RIGHTS_ALL;
	state->inheriting = is_directory ? to_guest64(RIGHTS_ALL) : 0;
	if (!is_directory && (flags & O_ACCMODE) == O_RDONLY)
		state->rights &= ~RIGHTS_FD_WRITE;
	if (!is_directory && (flags & O_ACCMODE) == O_WRONLY)
		state->rights &= ~RIGHTS_FD_READ;
	state->rights = to_guest64(state->rights);
	return SUCCESS;
}

static uint32
file_fdstat(PgwGuest *guest, const PgwSlot *slots)
{
	uint32		fd = slots[0].i32;
	FileState	state = {.filetype = FILETYPE_CHARACTER_DEVICE};
	uint32		error = SUCCESS;

	StaticAssertStmt(sizeof(FileState) == 24, "an fdstat has 24 bytes");
	if (is_standard(fd))
	{
		state.flags = fd == STDIN ? 0 : FDFLAGS_APPEND;
		state.rights = to_guest64(fd == STDIN ? RIGHTS_FD_READ : RIGHTS_FD_WRITE);
	}
	else
		error = look_at_file(guest, fd, &state);
	return error != SUCCESS ? error : put(guest, slots[1].i32, &state, sizeof(state));
}

/* Of flags, a file can be told to append, and no more to. */
static uint32
file_set_flags(PgwGuest *guest, const PgwSlot *slots)
{
	if (is_standard(slots[0].i32))
		return SUCCESS;
	return number_of(pgw_file_append(store_of(guest), slots[0].i32, slots[1].i32 & FDFLAGS_APPEND));
}

typedef struct FileStatus
{
	uint64		device;
	uint64		inode;
	uint8		filetype;
	uint8		unused[7];
	uint64		links;
	uint64		size;
	uint64		accessed;
	uint64		modified;
	uint64		changed;
} FileStatus;

StaticAssertDecl(sizeof(FileStatus) == 64, "a filestat has 64 bytes");

static uint64
in_nanoseconds(struct timespec time)
{
	return to_guest64((int64) time.tv_sec * NS_PER_SECOND + time.tv_nsec);
}

static uint32
put_status(PgwGuest *guest, uint32 address, const struct stat *from)
{
	FileStatus	status = {
		.device = to_guest64(from->st_dev),
		.inode = to_guest64(from->st_ino),
		.filetype = filetype_of(from->st_mode),
		.links = to_guest64(from->st_nlink),
		.size = to_guest64(from->st_size),
		.accessed = in_nanoseconds(from->st_atim),
		.modified = in_nanoseconds(from->st_mtim),
		.changed = in_nanoseconds(from->st_ctim)
	};

	return put(guest, address, &status, sizeof(status));
}

static uint32
file_status(PgwGuest *guest, const PgwSlot *slots)
{
	static const FileStatus standard = {.filetype = FILETYPE_CHARACTER_DEVICE};
	struct stat status;
	int			error;

	if (is_standard(slots[0].i32))
		return put(guest, slots[1].i32, &standard, sizeof(standard));
	error = pgw_file_stat(store_of(guest), slots[0].i32, NULL, false, &status);
	return error != 0 ? number_of(error) : put_status(guest, slots[1].i32, &status);
}

static uint32
file_set_size(PgwGuest *guest, const PgwSlot *slots)
{
	if (is_standard(slots[0].i32))
		return INVAL;
	return number_of(pgw_file_set_size(store_of(guest), slots[0].i32, slots[1].i64));
}

/* A time to be set, by two of the flags: to that, or now */
static struct timespec
time_to_set(uint64 time, bool set, bool now)
{
	if (now)
		return (struct timespec) {.tv_nsec = UTIME_NOW};
	if (!set)
		return (struct timespec) {.tv_nsec = UTIME_OMIT};
	return (struct timespec) {.tv_sec = time / NS_PER_SECOND,.tv_nsec = time % NS_PER_SECOND};
}

/* times: that of the last access, that of the last change, flags */
static uint32
set_times(PgwGuest *guest, uint32 fd, const PgwText *path, bool follow, const PgwSlot *times)
{
	uint32		flags = times[2].i32;
	struct timespec both[2] = {
		time_to_set(times[0].i64, flags & FSTFLAGS_ATIM, flags & FSTFLAGS_ATIM_NOW),
		time_to_set(times[1].i64, flags & FSTFLAGS_MTIM, flags & FSTFLAGS_MTIM_NOW)
	};

	if ((flags & FSTFLAGS_ATIM && flags & FSTFLAGS_ATIM_NOW) || (flags & FSTFLAGS_MTIM && flags & FSTFLAGS_MTIM_NOW))
		return INVAL;
	return number_of(pgw_file_set_times(store_of(guest), fd, path, follow, both));
}

static uint32
file_set_times(PgwGuest *guest, const PgwSlot *slots)
{
	if (is_standard(slots[0].i32))
		return SUCCESS;
	return set_times(guest, slots[0].i32, NULL, false, slots + 1);
}

static uint32
file_sync_data(PgwGuest *guest, const PgwSlot *slots)
{
	return is_standard(slots[0].i32) ? SUCCESS : number_of(pgw_file_sync(store_of(guest), slots[0].i32, true));
}

static uint32
file_sync(PgwGuest *guest, const PgwSlot *slots)
{
	return is_standard(slots[0].i32) ? SUCCESS : number_of(pgw_file_sync(store_of(guest), slots[0].i32, false));
}

static uint32
file_ignore(PgwGuest *guest, const PgwSlot *slots)
{
	return exists(guest, slots[0].i32);
}

static uint32
file_advise(PgwGuest *guest, const PgwSlot *slots)
{
	return is_standard(slots[0].i32) ? SPIPE : exists(guest, slots[0].i32);
}

static uint32
file_allocate(PgwGuest *guest, const PgwSlot *slots)
{
	uint32		error = exists(guest, slots[0].i32);

	return error != SUCCESS ? error : is_standard(slots[0].i32) ? SPIPE : NOTSUP;
}

static uint32
file_no_socket(PgwGuest *guest, const PgwSlot *slots)
{
	uint32		error = exists(guest, slots[0].i32);

	return error != SUCCESS ? error : NOTSOCK;
}

/* --- the table of files --- */

static uint32
file_close(PgwGuest *guest, const PgwSlot *slots)
{
	return is_standard(slots[0].i32) ? SUCCESS : number_of(pgw_file_close(store_of(guest), slots[0].i32));
}

static uint32
file_renumber(PgwGuest *guest, const PgwSlot *slots)
{
	return number_of(pgw_file_renumber(store_of(guest), slots[0].i32, slots[1].i32));
}

static uint32
file_grant(PgwGuest *guest, const PgwSlot *slots)
{
	PgwText		name;

	if (!pgw_file_grant(store_of(guest), slots[0].i32, &name))
		return BADF;
	if (put32(guest, slots[1].i32, PREOPENTYPE_DIRECTORY) != SUCCESS)
		return FAULT;
	return put32(guest, slots[1].i32 + 4, name.length);
}

static uint32
file_grant_name(PgwGuest *guest, const PgwSlot *slots)
{
	PgwText		name;

	if (!pgw_file_grant(store_of(guest), slots[0].i32, &name))
		return BADF;
	if (slots[2].i32 < name.length)
		return number_of(ENAMETOOLONG);
	return put(guest, slots[1].i32, name.bytes, name.length);
}

/* --- what is in a directory --- */

typedef struct Listing
{
	char	   *target;
	size_t		room;
	size_t		used;
} Listing;

typedef struct ListedEntry
{
	uint64		next;
	uint64		inode;
	uint32		length;
	uint8		filetype;
	uint8		unused[3];
} ListedEntry;

StaticAssertDecl(sizeof(ListedEntry) == 24, "a dirent has 24 bytes");

/* As much as there is room for; false: that is all. */
static bool
list_bytes(Listing *listing, const void *bytes, size_t length)
{
	size_t		part = Min(length, listing->room - listing->used);

	memcpy(listing->target + listing->used, bytes, part);
	listing->used += part;
	return listing->used < listing->room;
}

static bool
list_entry(void *data, const PgwEntryOfDirectory *entry)
{
	ListedEntry listed = {
		.next = to_guest64(entry->next),
		.inode = to_guest64(entry->inode),
		.length = to_guest32(entry->name.length),
		.filetype = filetype_of(DTTOIF(entry->type))
	};

	return list_bytes(data, &listed, sizeof(listed)) && list_bytes(data, entry->name.bytes, entry->name.length);
}

static uint32
file_list(PgwGuest *guest, const PgwSlot *slots)
{
	Listing		listing = {pgw_guest_bytes(guest, slots[1].i32, slots[2].i32), slots[2].i32, 0};
	int			error;

	if (is_standard(slots[0].i32))
		return BADF;
	if (listing.target == NULL)
		return exists(guest, slots[0].i32) != SUCCESS ? BADF : FAULT;
	error = pgw_file_entries(store_of(guest), slots[0].i32, slots[3].i64, list_entry, &listing);
	return error != 0 ? number_of(error) : put32(guest, slots[4].i32, listing.used);
}

/* --- paths --- */

/* The path in two slots, relative to a directory that is open */
static uint32
path_in(PgwGuest *guest, uint32 directory, const PgwSlot *slots, PgwText *path)
{
	const char *bytes = pgw_guest_bytes(guest, slots[0].i32, slots[1].i32);
	uint32		error;

	*path = (PgwText) {bytes, slots[1].i32};
	if (is_standard(directory))
		return BADF;
	error = exists(guest, directory);
	return error != SUCCESS ? error : bytes == NULL ? FAULT : SUCCESS;
}

static uint32
path_create_directory(PgwGuest *guest, const PgwSlot *slots)
{
	PgwText		path;
	uint32		error = path_in(guest, slots[0].i32, slots + 1, &path);

	return error != SUCCESS ? error : number_of(pgw_file_make_directory(store_of(guest), slots[0].i32, path));
}

static uint32
path_status(PgwGuest *guest, const PgwSlot *slots)
{
	bool		follow = slots[1].i32 & LOOKUPFLAGS_FOLLOW;
	struct stat status;
	PgwText		path;
	uint32		error = path_in(guest, slots[0].i32, slots + 2, &path);

	if (error == SUCCESS)
		error = number_of(pgw_file_stat(store_of(guest), slots[0].i32, &path, follow, &status));
	return error != SUCCESS ? error : put_status(guest, slots[4].i32, &status);
}

static uint32
path_set_times(PgwGuest *guest, const PgwSlot *slots)
{
	bool		follow = slots[1].i32 & LOOKUPFLAGS_FOLLOW;
	PgwText		path;
	uint32		error = path_in(guest, slots[0].i32, slots + 2, &path);

	return error != SUCCESS ? error : set_times(guest, slots[0].i32, &path, follow, slots + 4);
}

/* Flags of open() for what a guest asks; a directory is never opened to be written. */
static int
flags_of(uint32 lookup_flags, uint32 flags, uint64 rights, uint32 file_flags)
{
	bool		writes = (rights & RIGHTS_FD_WRITE) != 0 || (flags & OFLAGS_TRUNC) != 0;
	bool		reads = (rights & RIGHTS_FD_READ) != 0;

	if (flags & OFLAGS_DIRECTORY)
		writes = false;
	return (writes ? (reads ? O_RDWR : O_WRONLY) : O_RDONLY) |
		(lookup_flags & LOOKUPFLAGS_FOLLOW ? 0 : O_NOFOLLOW) |
		(flags & OFLAGS_CREAT ? O_CREAT : 0) |
		(flags & OFLAGS_DIRECTORY ? O_DIRECTORY : 0) |
		(flags & OFLAGS_EXCL ? O_EXCL : 0) |
		(flags & OFLAGS_TRUNC ? O_TRUNC : 0) |
		(file_flags & FDFLAGS_APPEND ? O_APPEND : 0) |
		(file_flags & FDFLAGS_DSYNC ? O_DSYNC : 0) |
		(file_flags & (FDFLAGS_SYNC | FDFLAGS_RSYNC) ? O_SYNC : 0);
}

/* Opens nothing whose number the guest cannot be given. */
static uint32
path_open(PgwGuest *guest, const PgwSlot *slots)
{
	int			flags = flags_of(slots[1].i32, slots[4].i32, slots[5].i64, slots[7].i32);
	uint32		number;
	PgwText		path;
	uint32		error = path_in(guest, slots[0].i32, slots + 2, &path);

	if (error == SUCCESS && pgw_guest_bytes(guest, slots[8].i32, sizeof(number)) == NULL)
		error = FAULT;
	if (error == SUCCESS)
		error = number_of(pgw_file_open(store_of(guest), slots[0].i32, path, flags, &number));
	return error != SUCCESS ? error : put32(guest, slots[8].i32, number);
}

static uint32
path_read_link(PgwGuest *guest, const PgwSlot *slots)
{
	char	   *target = pgw_guest_bytes(guest, slots[3].i32, slots[4].i32);
	size_t		length = 0;
	PgwText		path;
	uint32		error = path_in(guest, slots[0].i32, slots + 1, &path);

	if (error == SUCCESS && target == NULL)
		error = FAULT;
	if (error == SUCCESS)
		error = number_of(pgw_file_read_link(store_of(guest), slots[0].i32, path, target, slots[4].i32, &length));
	return error != SUCCESS ? error : put32(guest, slots[5].i32, length);
}

static uint32
path_remove_directory(PgwGuest *guest, const PgwSlot *slots)
{
	PgwText		path;
	uint32		error = path_in(guest, slots[0].i32, slots + 1, &path);

	return error != SUCCESS ? error : number_of(pgw_file_remove(store_of(guest), slots[0].i32, path, true));
}

static uint32
path_unlink_file(PgwGuest *guest, const PgwSlot *slots)
{
	PgwText		path;
	uint32		error = path_in(guest, slots[0].i32, slots + 1, &path);

	return error != SUCCESS ? error : number_of(pgw_file_remove(store_of(guest), slots[0].i32, path, false));
}

static uint32
path_rename(PgwGuest *guest, const PgwSlot *slots)
{
	PgwText		from;
	PgwText		to;
	uint32		error = path_in(guest, slots[0].i32, slots + 1, &from);

	if (error == SUCCESS)
		error = path_in(guest, slots[3].i32, slots + 4, &to);
	if (error == SUCCESS)
		error = number_of(pgw_file_rename(store_of(guest), slots[0].i32, from, slots[3].i32, to));
	return error;
}

/*
 * Nobody makes links: a hard one would give a file that may be read another name
 * where it may be changed, a symbolic one could mislead programs outside.
 */
static uint32
no_link(PgwGuest *guest, uint32 directory)
{
	uint32		error = is_standard(directory) ? BADF : exists(guest, directory);

	return error != SUCCESS ? error : NOTSUP;
}

static uint32
path_link(PgwGuest *guest, const PgwSlot *slots)
{
	return no_link(guest, slots[0].i32);
}

static uint32
path_symlink(PgwGuest *guest, const PgwSlot *slots)
{
	return no_link(guest, slots[2].i32);
}

/* --- all of them --- */

static const PgwHostFunction functions[] = {
	{"fd_advise", "iIIi:i", file_advise},
	{"fd_allocate", "iII:i", file_allocate},
	{"fd_close", "i:i", file_close},
	{"fd_datasync", "i:i", file_sync_data},
	{"fd_fdstat_get", "ii:i", file_fdstat},
	{"fd_fdstat_set_flags", "ii:i", file_set_flags},
	{"fd_fdstat_set_rights", "iII:i", file_ignore},
	{"fd_filestat_get", "ii:i", file_status},
	{"fd_filestat_set_size", "iI:i", file_set_size},
	{"fd_filestat_set_times", "iIIi:i", file_set_times},
	{"fd_pread", "iiiIi:i", file_read_at},
	{"fd_prestat_get", "ii:i", file_grant},
	{"fd_prestat_dir_name", "iii:i", file_grant_name},
	{"fd_pwrite", "iiiIi:i", file_write_at},
	{"fd_read", "iiii:i", file_read},
	{"fd_readdir", "iiiIi:i", file_list},
	{"fd_renumber", "ii:i", file_renumber},
	{"fd_seek", "iIii:i", file_seek},
	{"fd_sync", "i:i", file_sync},
	{"fd_tell", "ii:i", file_tell},
	{"fd_write", "iiii:i", file_write},
	{"path_create_directory", "iii:i", path_create_directory},
	{"path_filestat_get", "iiiii:i", path_status},
	{"path_filestat_set_times", "iiiiIIi:i", path_set_times},
	{"path_link", "iiiiiii:i", path_link},
	{"path_open", "iiiiiIIii:i", path_open},
	{"path_readlink", "iiiiii:i", path_read_link},
	{"path_remove_directory", "iii:i", path_remove_directory},
	{"path_rename", "iiiiii:i", path_rename},
	{"path_symlink", "iiiii:i", path_symlink},
	{"path_unlink_file", "iii:i", path_unlink_file},
	{"sock_accept", "iii:i", file_no_socket},
	{"sock_recv", "iiiiii:i", file_no_socket},
	{"sock_send", "iiiii:i", file_no_socket},
	{"sock_shutdown", "ii:i", file_no_socket},
	{NULL}
};

const PgwHostModule pgw_wasi_files_module = {WASI_MODULE, functions};
