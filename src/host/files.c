/*
 * files.c
 *		Files of guests, in the directories that a superuser has granted a module.
 *
 * The kernel resolves paths: openat2() keeps them beneath a directory, whatever
 * links there are and whoever renames what meanwhile.  What has no such call is done
 * to the last name of a path, in its parent, by calls that follow no link.
 */
#include "postgres.h"

#include "host/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/uio.h>
#include <unistd.h>
#if defined(__linux__) && __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#include <sys/syscall.h>
#endif

#include "engine/encoding.h"
#include "engine/interrupt.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/guc.h"
#include "utils/memutils.h"

/* What guests make is the server's alone, as all of its files are. */
#define FILE_MODE 0600
#define DIRECTORY_MODE 0700

/* openat2() wants to be called again when somebody renames something meanwhile. */
#define TRIES_MAX 32

/* Directories on the way to the root; nobody has so many. */
#define DEPTH_MAX 512

/* The kernel keeps where a file is; streams, which share a file, are told apart here. */
#define IN_KERNEL (-2)

/* Flags of open() that guests may use */
#define OPEN_FLAGS (O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC | O_APPEND | O_DIRECTORY | O_NOFOLLOW | O_SYNC | O_DSYNC)

typedef struct GuestFile
{
	bool		is_open;
	bool		writable;		/* it lies where the guest may change things */
	int			fd;				/* -1: of a grant that was not used yet */
	int64		position;		/* of a stream, or IN_KERNEL */
	const char *guest;			/* of a grant, its name in UTF-8, ... */
	const char *host;			/* ... and its path; or NULL */
} GuestFile;

/* Those of an instance */
typedef struct GuestFiles
{
	PgwKept		header;
	MemoryContext context;
	int			count;
	GuestFile	list[FLEXIBLE_ARRAY_MEMBER];
} GuestFiles;

/* --- file descriptors, which PostgreSQL counts --- */

static int
give_back(int error)
{
	ReleaseExternalFD();
	return error;
}

static void
close_fd(int fd)
{
	close(fd);
	ReleaseExternalFD();
}

/*
 * Opens a path beneath a directory.  Nothing blocks: neither a FIFO, nor a device.
 * EXDEV is what the kernel says of a path that leads out.
 */
static int
open_beneath(int directory, const char *path, int flags, int *fd)
{
#ifdef RESOLVE_BENEATH
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.mode = (flags & O_CREAT) ? FILE_MODE : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS
	};
	long		result;
	int			tries = 0;

	if (!AcquireExternalFD())
		return EMFILE;
	do
		result = syscall(SYS_openat2, directory, path, &how, sizeof(how));
	while (result < 0 && errno == EAGAIN && ++tries < TRIES_MAX);
	if (result < 0)
		return give_back(errno == EXDEV ? EPERM : errno == ENOSYS ? ENOTSUP : errno);
	*fd = result;
	return 0;
#else
	return ENOTSUP;
#endif
}

/* --- directories that are granted --- */

/*
 * Is the directory the same as that one, or beneath it?  Also true where that cannot
 * be told.
 */
static bool
lies_in(int directory, const struct stat *other)
{
	char		path[DEPTH_MAX * 3 + 2] = ".";
	struct stat status;
	struct stat below;

	if (fstat(directory, &status) != 0)
		return true;
	for (int depth = 0; depth < DEPTH_MAX; depth++)
	{
		if (status.st_dev == other->st_dev && status.st_ino == other->st_ino)
			return true;
		below = status;
		strcat(path, "/..");
		if (fstatat(directory, path, &status, 0) != 0)
			return true;
		if (status.st_dev == below.st_dev && status.st_ino == below.st_ino)
			return false;
	}
	return true;
}

/* Does one of the two contain the other?  What does not exist contains nothing. */
static bool
overlaps(int directory, const char *path)
{
	int			other = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat status;
	struct stat status_of_other;
	bool		result;

	if (other < 0)
		return errno != ENOENT;
	result = fstat(directory, &status) != 0 || fstat(other, &status_of_other) != 0 ||
		lies_in(directory, &status_of_other) || lies_in(other, &status);
	close(other);
	return result;
}

static bool
overlaps_parent(int directory, const char *file)
{
	char		path[MAXPGPATH];

	strlcpy(path, file != NULL ? file : DataDir, sizeof(path));
	if (file != NULL)
		get_parent_directory(path);
	return overlaps(directory, path);
}

/*
 * The data directory, what is linked from there to other places, and where the
 * configuration is
 */
static bool
overlaps_server(int directory)
{
	static const char tablespaces[] = "pg_tblspc";
	bool		result = overlaps(directory, DataDir) || overlaps(directory, "pg_wal") ||
		overlaps_parent(directory, ConfigFileName) || overlaps_parent(directory, HbaFileName) ||
		overlaps_parent(directory, IdentFileName);
	DIR		   *dir = AllocateDir(tablespaces);
	struct dirent *entry;

	while (!result && (entry = ReadDir(dir, tablespaces)) != NULL)
	{
		char		path[MAXPGPATH];

		snprintf(path, sizeof(path), "%s/%s", tablespaces, entry->d_name);
		result = entry->d_name[0] != '.' && overlaps(directory, path);
	}
	FreeDir(dir);
	return result;
}

/* What it throws ends the instance, which closes the directory. */
static void
open_grant(GuestFile *file)
{
	if (!AcquireExternalFD())
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open directory \"%s\": %m", file->host)));
	file->fd = open(file->host, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file->fd < 0)
	{
		ReleaseExternalFD();
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open directory \"%s\": %m", file->host),
				 errdetail("The setting wasm.directories of the WebAssembly module names it.")));
	}
	if (overlaps_server(file->fd))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("directory \"%s\" is not for guests", file->host),
				 errdetail("The setting wasm.directories of the WebAssembly module names it, and it contains data or configuration of the server, or lies within.")));
}

/* --- the files of an instance --- */

static void
close_file(GuestFile *file)
{
	if (file->is_open && file->fd >= 0)
		close_fd(file->fd);
	file->is_open = false;
	file->guest = NULL;
	file->fd = -1;
}

static void
forget(PgwKept *header)
{
	GuestFiles *files = (GuestFiles *) header;

	for (int i = 0; i < files->count; i++)
		close_file(&files->list[i]);
	MemoryContextDelete(files->context);
}

static void
add_grant(GuestFiles *files, const PgwGrant *grant)
{
	GuestFile  *file = &files->list[files->count++];
	size_t		length = grant->guest_length;
	char	   *guest = pnstrdup(grant->guest, length);
	const char *in_utf8 = pgw_to_utf8(guest, &length);

	file->is_open = true;
	file->writable = grant->writable;
	file->fd = -1;
	file->position = IN_KERNEL;
	file->guest = pnstrdup(in_utf8, length);
	file->host = pnstrdup(grant->host, grant->host_length);
}

/* What the instance has; NULL: nothing is granted. */
static GuestFiles *
files_of(PgwStore *store)
{
	GuestFiles *files = (GuestFiles *) pgw_store_kept(store, forget);
	const char *lines = store->directories;
	MemoryContext context;
	MemoryContext caller;
	PgwGrant	grant;

	if (files != NULL || lines == NULL || *lines == '\0')
		return files;
	context = AllocSetContextCreate(CurrentMemoryContext, "wasm files", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	files = palloc0(offsetof(GuestFiles, list) + (PGW_GRANTS_MAX + PGW_FILES_MAX) * sizeof(GuestFile));
	files->context = context;
	while (*lines != '\0' && pgw_grant_read(&lines, &grant))
		add_grant(files, &grant);
	files->count += PGW_FILES_MAX;
	MemoryContextSwitchTo(caller);
	MemoryContextSetParent(context, TopMemoryContext);
	files->header.forget = forget;
	pgw_store_keep(store, &files->header);
	return files;
}

/* An open file; NULL: it is none. */
static GuestFile *
look_up(PgwStore *store, uint32 number)
{
	GuestFiles *files = files_of(store);
	uint32		index = number - PGW_FILE_FIRST;

	if (files == NULL || number < PGW_FILE_FIRST || index >= files->count || !files->list[index].is_open)
		return NULL;
	return &files->list[index];
}

/* The same, to be used now, or to be changed */
static int
find(PgwStore *store, uint32 number, bool change, GuestFile **file)
{
	pgw_interrupt_check();
	*file = look_up(store, number);
	if (*file == NULL)
		return EBADF;
	if (change && !(*file)->writable)
		return EROFS;
	if ((*file)->fd < 0)
		open_grant(*file);
	return 0;
}

/* A place for one more; NULL: there are too many. */
static GuestFile *
free_place(PgwStore *store, uint32 *number)
{
	GuestFiles *files = files_of(store);

	for (int i = 0; i < files->count; i++)
	{
		*number = PGW_FILE_FIRST + i;
		if (!files->list[i].is_open)
			return &files->list[i];
	}
	return NULL;
}

bool
pgw_file_grant(PgwStore *store, uint32 number, PgwText *name)
{
	GuestFile  *file = look_up(store, number);

	if (file == NULL || file->guest == NULL)
		return false;
	*name = (PgwText) {file->guest, strlen(file->guest)};
	return true;
}

int
pgw_file_close(PgwStore *store, uint32 number)
{
	GuestFile  *file = look_up(store, number);

	if (file == NULL)
		return EBADF;
	close_file(file);
	return 0;
}

int
pgw_file_renumber(PgwStore *store, uint32 from, uint32 to)
{
	GuestFile  *source = look_up(store, from);
	GuestFile  *target = look_up(store, to);

	if (source == NULL || target == NULL)
		return EBADF;
	if (source == target)
		return 0;
	close_file(target);
	*target = *source;
	*source = (GuestFile) {.fd = -1};
	return 0;
}

/* --- paths --- */

/* A path as the kernel takes it */
static int
copy_path(PgwText text, char path[PATH_MAX])
{
	if (text.length >= PATH_MAX)
		return ENAMETOOLONG;
	if (memchr(text.bytes, '\0', text.length) != NULL)
		return EINVAL;
	memcpy(path, text.bytes, text.length);
	path[text.length] = '\0';
	return 0;
}

/* Opens what a path denotes, without access to what is in it. */
static int
open_place(PgwStore *store, uint32 directory, PgwText text, bool follow, bool change, int *fd)
{
	char		path[PATH_MAX];
	GuestFile  *file;
	int			error = find(store, directory, change, &file);

	if (error == 0)
		error = copy_path(text, path);
	if (error == 0)
		error = open_beneath(file->fd, path, O_PATH | (follow ? 0 : O_NOFOLLOW), fd);
	return error;
}

/* The directory in which a path's last name is to be changed; the name is in path. */
typedef struct Parent
{
	int			fd;
	const char *name;
	char		path[PATH_MAX];
} Parent;

/* Only a directory may have a slash behind its name. */
static int
open_parent(PgwStore *store, uint32 directory, PgwText text, bool is_directory, Parent *parent)
{
	GuestFile  *file;
	char	   *slash;
	int			error = find(store, directory, true, &file);
	size_t		length;

	if (error == 0)
		error = copy_path(text, parent->path);
	if (error != 0)
		return error;
	length = text.length;
	while (length > 1 && parent->path[length - 1] == '/')
		parent->path[--length] = '\0';
	if (length < text.length && !is_directory)
		return ENOTDIR;
	slash = strrchr(parent->path, '/');
	parent->name = slash != NULL ? slash + 1 : parent->path;
	if (slash == parent->path)
		return EPERM;
	if (*parent->name == '\0')
		return ENOENT;
	if (strcmp(parent->name, ".") == 0 || strcmp(parent->name, "..") == 0)
		return EINVAL;
	if (slash != NULL)
		*slash = '\0';
	return open_beneath(file->fd, slash != NULL ? parent->path : ".", O_PATH | O_DIRECTORY, &parent->fd);
}

/* The result of a call in the parent, which is closed */
static int
in_parent(const Parent *parent, int result)
{
	int			error = result == 0 ? 0 : errno;

	close_fd(parent->fd);
	return error;
}

int
pgw_file_make_directory(PgwStore *store, uint32 directory, PgwText path)
{
	Parent		parent;
	int			error = open_parent(store, directory, path, true, &parent);

	return error != 0 ? error : in_parent(&parent, mkdirat(parent.fd, parent.name, DIRECTORY_MODE));
}

int
pgw_file_remove(PgwStore *store, uint32 directory, PgwText path, bool is_directory)
{
	Parent		parent;
	int			error = open_parent(store, directory, path, is_directory, &parent);

	return error != 0 ? error :
		in_parent(&parent, unlinkat(parent.fd, parent.name, is_directory ? AT_REMOVEDIR : 0));
}

int
pgw_file_rename(PgwStore *store, uint32 directory, PgwText path, uint32 to_directory, PgwText to)
{
	Parent		source;
	Parent		target;
	int			error = open_parent(store, directory, path, true, &source);

	if (error != 0)
		return error;
	PG_TRY();
	{
		error = open_parent(store, to_directory, to, true, &target);
	}
	PG_CATCH();
	{
		close_fd(source.fd);
		PG_RE_THROW();
	}
	PG_END_TRY();
	if (error == 0)
		error = in_parent(&target, renameat(source.fd, source.name, target.fd, target.name));
	close_fd(source.fd);
	return error;
}

int
pgw_file_read_link(PgwStore *store, uint32 directory, PgwText path, char *target, size_t room, size_t *length)
{
	int			fd;
	int			error = open_place(store, directory, path, false, false, &fd);
	ssize_t		result;

	if (error != 0)
		return error;
	result = readlinkat(fd, "", target, room);
	/* of what is no link the kernel says that there is no such name */
	error = result >= 0 ? 0 : errno == ENOENT ? EINVAL : errno;
	close_fd(fd);
	*length = Max(result, 0);
	return error;
}

/* --- opening --- */

static bool
is_file_or_directory(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
}

int
pgw_file_open(PgwStore *store, uint32 directory, PgwText text, int flags, uint32 *number)
{
	bool		change = (flags & (O_CREAT | O_TRUNC)) != 0 || (flags & O_ACCMODE) != O_RDONLY;
	char		path[PATH_MAX];
	GuestFile  *parent;
	GuestFile  *file;
	int			fd;
	int			error = find(store, directory, change, &parent);

	if (error == 0)
		error = copy_path(text, path);
	if (error != 0)
		return error;
	/* some kernels would make a file then */
	if ((flags & O_CREAT) && (flags & O_DIRECTORY))
		return EINVAL;
	file = free_place(store, number);
	if (file == NULL)
		return EMFILE;
	error = open_beneath(parent->fd, path, (flags & OPEN_FLAGS) | O_NONBLOCK | O_NOCTTY, &fd);
	if (error != 0)
		return error;
	if (!is_file_or_directory(fd))
	{
		close_fd(fd);
		return ENOTSUP;
	}
	*file = (GuestFile) {.is_open = true,.writable = parent->writable,.fd = fd,.position = IN_KERNEL};
	return 0;
}

int
pgw_file_stream(PgwStore *store, uint32 number, int64 position, uint32 *stream)
{
	GuestFile  *source;
	GuestFile  *file;
	int			fd;
	int			error = find(store, number, false, &source);

	if (error != 0)
		return error;
	file = free_place(store, stream);
	if (file == NULL || !AcquireExternalFD())
		return EMFILE;
	fd = fcntl(source->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return give_back(errno);
	*file = (GuestFile) {.is_open = true,.writable = source->writable,.fd = fd,.position = position};
	return 0;
}

/* --- what is in a file --- */

int
pgw_file_read(PgwStore *store, uint32 number, void *bytes, size_t length, int64 offset, size_t *done)
{
	GuestFile  *file;
	int			error = find(store, number, false, &file);
	ssize_t		result;

	if (error != 0)
		return error;
	length = Min(length, PGW_TRANSFER_MAX);
	if (offset < 0 && file->position == IN_KERNEL)
		result = read(file->fd, bytes, length);
	else
		result = pread(file->fd, bytes, length, offset < 0 ? file->position : offset);
	*done = Max(result, 0);
	if (offset < 0 && file->position >= 0)
		file->position += *done;
	return result < 0 ? errno : 0;
}

/* Writes to the end, wherever that is by then. */
static ssize_t
append(int fd, const void *bytes, size_t length)
{
#ifdef RWF_APPEND
	struct iovec vector = {unconstify(void *, bytes), length};

	return pwritev2(fd, &vector, 1, 0, RWF_APPEND);
#else
	errno = ENOTSUP;
	return -1;
#endif
}

int
pgw_file_write(PgwStore *store, uint32 number, const void *bytes, size_t length, int64 offset, size_t *done)
{
	GuestFile  *file;
	int			error = find(store, number, false, &file);
	ssize_t		result;

	if (error != 0)
		return error;
	length = Min(length, PGW_TRANSFER_MAX);
	if (offset < 0 && file->position == IN_KERNEL)
		result = write(file->fd, bytes, length);
	else if (offset < 0 && file->position == PGW_FILE_END)
		result = append(file->fd, bytes, length);
	else
		result = pwrite(file->fd, bytes, length, offset < 0 ? file->position : offset);
	*done = Max(result, 0);
	if (offset < 0 && file->position >= 0)
		file->position += *done;
	return result < 0 ? errno : 0;
}

int
pgw_file_seek(PgwStore *store, uint32 number, int64 offset, int whence, int64 *position)
{
	GuestFile  *file;
	int			error = find(store, number, false, &file);

	if (error != 0)
		return error;
	*position = lseek(file->fd, offset, whence);
	return *position < 0 ? errno : 0;
}

int
pgw_file_flags(PgwStore *store, uint32 number, int *flags)
{
	GuestFile  *file;
	int			error = find(store, number, false, &file);

	if (error != 0)
		return error;
	*flags = fcntl(file->fd, F_GETFL);
	return *flags < 0 ? errno : 0;
}

bool
pgw_file_writable(PgwStore *store, uint32 number)
{
	GuestFile  *file = look_up(store, number);

	return file != NULL && file->writable;
}

int
pgw_file_append(PgwStore *store, uint32 number, bool append)
{
	GuestFile  *file;
	int			error = find(store, number, false, &file);

	if (error != 0)
		return error;
	return fcntl(file->fd, F_SETFL, O_NONBLOCK | (append ? O_APPEND : 0)) < 0 ? errno : 0;
}

int
pgw_file_set_size(PgwStore *store, uint32 number, int64 size)
{
	GuestFile  *file;
	int			error = find(store, number, true, &file);

	if (error != 0)
		return error;
	return ftruncate(file->fd, size) != 0 ? errno : 0;
}

int
pgw_file_sync(PgwStore *store, uint32 number, bool data_only)
{
	GuestFile  *file;
	int			error = find(store, number, false, &file);

	if (error != 0)
		return error;
	return (data_only ? fdatasync(file->fd) : fsync(file->fd)) != 0 ? errno : 0;
}

/* --- what is known of a file --- */

int
pgw_file_stat(PgwStore *store, uint32 number, const PgwText *path, bool follow, struct stat *status)
{
	GuestFile  *file;
	int			fd;
	int			error;

	if (path == NULL)
	{
		error = find(store, number, false, &file);
		return error != 0 ? error : fstat(file->fd, status) != 0 ? errno : 0;
	}
	error = open_place(store, number, *path, follow, false, &fd);
	if (error != 0)
		return error;
	error = fstat(fd, status) != 0 ? errno : 0;
	close_fd(fd);
	return error;
}

int
pgw_file_set_times(PgwStore *store, uint32 number, const PgwText *path, bool follow,
				   const struct timespec times[2])
{
	GuestFile  *file;
	int			fd;
	int			error;

	if (path == NULL)
	{
		error = find(store, number, true, &file);
		return error != 0 ? error : futimens(file->fd, times) != 0 ? errno : 0;
	}
	error = open_place(store, number, *path, follow, true, &fd);
	if (error != 0)
		return error;
	error = utimensat(fd, "", times, AT_EMPTY_PATH) != 0 ? errno : 0;
	close_fd(fd);
	return error;
}

/* --- what is in a directory --- */

#ifdef SYS_getdents64
/* What the kernel writes */
typedef struct KernelEntry
{
	uint64		inode;
	int64		next;
	uint16		size;
	uint8		type;
	char		name[FLEXIBLE_ARRAY_MEMBER];
} KernelEntry;

int
pgw_file_entries(PgwStore *store, uint32 number, uint64 from,
				 bool (*take) (void *data, const PgwEntryOfDirectory *entry), void *data)
{
	union
	{
		KernelEntry entry;		/* for its alignment */
		char		bytes[1024];	/* few: a component takes one, and asks again */
	}			buffer;
	int64		position;
	int			error = pgw_file_seek(store, number, (int64) from, SEEK_SET, &position);
	GuestFile  *file;

	while (error == 0 && (error = find(store, number, false, &file)) == 0)
	{
		long		size = syscall(SYS_getdents64, file->fd, &buffer, sizeof(buffer));

		if (size <= 0)
			return size < 0 ? errno : 0;
		for (long start = 0; start < size;)
		{
			const KernelEntry *next = (const KernelEntry *) (buffer.bytes + start);
			PgwEntryOfDirectory entry = {next->next, next->inode, next->type, {next->name, strlen(next->name)}};

			if (!take(data, &entry))
				return 0;
			start += next->size;
		}
	}
	return error;
}
#else
int
pgw_file_entries(PgwStore *store, uint32 number, uint64 from,
				 bool (*take) (void *data, const PgwEntryOfDirectory *entry), void *data)
{
	return ENOTSUP;
}
#endif
