/*
 * A guest that uses files by WASI, preview 1, without a C library.  What fails
 * returns the negative number of its error, or the text "error N".
 *
 * Values cross by the canonical ABI: a text is an address and a length; as a result,
 * it is the address of the two.
 */
typedef unsigned char uint8;
typedef unsigned int uint32;
typedef int int32;
typedef long long int64;
typedef unsigned long long uint64;

#define EXPORT(name) __attribute__((export_name(name)))
#define WASI(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(name))) extern

#define FOLLOW 1
#define READ (1ULL << 1)
#define WRITE (1ULL << 6)

typedef struct Text
{
	const char *bytes;
	uint32		length;
} Text;

WASI("fd_prestat_get") int32 fd_prestat_get(int32 fd, uint32 *prestat);
WASI("fd_prestat_dir_name") int32 fd_prestat_dir_name(int32 fd, char *name, uint32 length);
WASI("path_open") int32 path_open(int32 fd, int32 lookup, const char *path, uint32 length, int32 flags, uint64 rights,
								  uint64 inheriting, int32 file_flags, int32 *opened);
WASI("fd_close") int32 fd_close(int32 fd);
WASI("fd_renumber") int32 fd_renumber(int32 from, int32 to);
WASI("fd_read") int32 fd_read(int32 fd, const Text *vectors, uint32 count, uint32 *done);
WASI("fd_pread") int32 fd_pread(int32 fd, const Text *vectors, uint32 count, uint64 offset, uint32 *done);
WASI("fd_write") int32 fd_write(int32 fd, const Text *vectors, uint32 count, uint32 *done);
WASI("fd_pwrite") int32 fd_pwrite(int32 fd, const Text *vectors, uint32 count, uint64 offset, uint32 *done);
WASI("fd_seek") int32 fd_seek(int32 fd, int64 offset, int32 whence, int64 *position);
WASI("fd_tell") int32 fd_tell(int32 fd, int64 *position);
WASI("fd_fdstat_get") int32 fd_fdstat_get(int32 fd, uint64 *state);
WASI("fd_fdstat_set_flags") int32 fd_fdstat_set_flags(int32 fd, int32 flags);
WASI("fd_filestat_get") int32 fd_filestat_get(int32 fd, uint64 *status);
WASI("fd_filestat_set_size") int32 fd_filestat_set_size(int32 fd, uint64 size);
WASI("fd_filestat_set_times") int32 fd_filestat_set_times(int32 fd, uint64 accessed, uint64 modified, int32 flags);
WASI("fd_readdir") int32 fd_readdir(int32 fd, char *buffer, uint32 length, uint64 cookie, uint32 *used);
WASI("fd_sync") int32 fd_sync(int32 fd);
WASI("fd_allocate") int32 fd_allocate(int32 fd, uint64 offset, uint64 length);
WASI("fd_advise") int32 fd_advise(int32 fd, uint64 offset, uint64 length, int32 advice);
WASI("path_create_directory") int32 path_create_directory(int32 fd, const char *path, uint32 length);
WASI("path_remove_directory") int32 path_remove_directory(int32 fd, const char *path, uint32 length);
WASI("path_unlink_file") int32 path_unlink_file(int32 fd, const char *path, uint32 length);
WASI("path_rename") int32 path_rename(int32 fd, const char *path, uint32 length, int32 to_fd, const char *to,
									  uint32 to_length);
WASI("path_link") int32 path_link(int32 fd, int32 lookup, const char *path, uint32 length, int32 to_fd, const char *to,
								  uint32 to_length);
WASI("path_symlink") int32 path_symlink(const char *target, uint32 target_length, int32 fd, const char *path,
										uint32 length);
WASI("path_readlink") int32 path_readlink(int32 fd, const char *path, uint32 length, char *target, uint32 room,
										  uint32 *used);
WASI("path_filestat_get") int32 path_filestat_get(int32 fd, int32 lookup, const char *path, uint32 length,
												  uint64 *status);
WASI("path_filestat_set_times") int32 path_filestat_set_times(int32 fd, int32 lookup, const char *path, uint32 length,
															  uint64 accessed, uint64 modified, int32 flags);

/* --- memory, and texts that are put together --- */

static char heap[1 << 20];
static uint32 used;
static char output[1 << 20];
static Text result;

/* What a call was given is needed until the next one. */
EXPORT("cabi_realloc") void *
cabi_realloc(void *old, uint32 old_size, uint32 alignment, uint32 size)
{
	uint32		start = (used + alignment - 1) & ~(alignment - 1);

	if (start + size > sizeof(heap))
		__builtin_trap();
	used = start + size;
	return heap + start;
}

static void
begin(void)
{
	used = 0;
	result.bytes = output;
	result.length = 0;
}

static void
add(const char *bytes, uint32 length)
{
	for (uint32 i = 0; i < length; i++)
		output[result.length++] = bytes[i];
}

static void
add_number(uint64 number)
{
	char		digits[20];
	uint32		count = 0;

	do
		digits[count++] = '0' + number % 10;
	while ((number /= 10) > 0);
	while (count > 0)
		add(&digits[--count], 1);
}

static Text *
failed(int32 error)
{
	add("error ", 6);
	add_number(error);
	return &result;
}

/* --- directories that are granted, opening and closing --- */

EXPORT("grants") Text *
grants(void)
{
	uint32		prestat[2];

	begin();
	for (int32 fd = 3; fd_prestat_get(fd, prestat) == 0; fd++)
	{
		if (result.length > 0)
			add(" ", 1);
		add_number(fd);
		int32		error = fd_prestat_dir_name(fd, output + result.length, prestat[1]);

		if (error != 0)
			return failed(error);
		result.length += prestat[1];
	}
	return &result;
}

EXPORT("grant_name") int32
grant_name(int32 fd, int32 room)
{
	return fd_prestat_dir_name(fd, output, room);
}

/* access: 1 to read, 2 to write */
EXPORT("open") int32
open(int32 directory, const char *path, uint32 length, int32 access, int32 flags, int32 file_flags)
{
	int32		opened;
	uint64		rights = (access & 1 ? READ : 0) | (access & 2 ? WRITE : 0);
	int32		error = path_open(directory, access & 4 ? 0 : FOLLOW, path, length, flags, rights, rights,
								  file_flags, &opened);

	begin();
	return error != 0 ? -error : opened;
}

/* The number cannot be given to the guest. */
EXPORT("open_nowhere") int32
open_nowhere(int32 directory, const char *path, uint32 length)
{
	begin();
	return path_open(directory, FOLLOW, path, length, 0, READ, 0, 0, (int32 *) -4);
}

EXPORT("open_outside") int32
open_outside(int32 directory)
{
	int32		opened;

	return path_open(directory, FOLLOW, (const char *) -100, 200, 0, READ, 0, 0, &opened);
}

EXPORT("close") int32
close(int32 fd)
{
	return fd_close(fd);
}

EXPORT("renumber") int32
renumber(int32 from, int32 to)
{
	return fd_renumber(from, to);
}

/* Opens and closes so many times: the last error, or 0 */
EXPORT("open_often") int32
open_often(int32 directory, const char *path, uint32 length, int32 count)
{
	int32		opened;
	int32		error = 0;

	begin();
	for (int32 i = 0; i < count && error == 0; i++)
	{
		error = path_open(directory, FOLLOW, path, length, 0, READ, 0, 0, &opened);
		if (error == 0)
			error = fd_close(opened);
	}
	return error;
}

/* Opens until that fails: the error, and how many there are more than before */
EXPORT("open_all") Text *
open_all(int32 directory, const char *path, uint32 length)
{
	int32		opened;
	int32		error;
	uint32		count = 0;

	begin();
	while ((error = path_open(directory, FOLLOW, path, length, 0, READ, 0, 0, &opened)) == 0)
		count++;
	add_number(count);
	add(" ", 1);
	return failed(error);
}

/* Leaves a file open, and ends with an error. */
EXPORT("open_and_trap") void
open_and_trap(int32 directory, const char *path, uint32 length)
{
	int32		opened;

	if (path_open(directory, FOLLOW, path, length, 0, READ, 0, 0, &opened) == 0)
		__builtin_trap();
}

/* Opens and reads so many times: how often a "p" came first, another letter, and nothing */
EXPORT("read_often") Text *
read_often(int32 directory, const char *path, uint32 length, int32 count)
{
	uint32		public = 0;
	uint32		other = 0;
	uint32		failures = 0;

	begin();
	for (int32 i = 0; i < count; i++)
	{
		char		letter = 0;
		Text		vector = {&letter, 1};
		uint32		done;
		int32		opened;

		if (path_open(directory, FOLLOW, path, length, 0, READ, 0, 0, &opened) != 0)
		{
			failures++;
			continue;
		}
		fd_read(opened, &vector, 1, &done);
		fd_close(opened);
		if (letter == 'p')
			public++;
		else
			other++;
	}
	add_number(public);
	add(" ", 1);
	add_number(other);
	add(" ", 1);
	add_number(failures);
	return &result;
}

/* Reads for ever. */
EXPORT("read_forever") void
read_forever(int32 fd)
{
	Text		vector = {output, 1};
	uint32		done;

	while (fd_pread(fd, &vector, 1, 0, &done) == 0)
		;
}

/* --- what is in a file --- */

/* In two vectors; at: where, or -1 */
EXPORT("read") Text *
read(int32 fd, uint32 length, int64 at)
{
	Text		vectors[2] = {{output, length / 2}, {output + length / 2, length - length / 2}};
	uint32		done;
	int32		error;

	begin();
	error = at < 0 ? fd_read(fd, vectors, 2, &done) : fd_pread(fd, vectors, 2, at, &done);
	if (error != 0)
		return failed(error);
	result.length = done;
	return &result;
}

EXPORT("write") int32
write(int32 fd, const char *bytes, uint32 length, int64 at)
{
	Text		vectors[2] = {{bytes, length / 2}, {bytes + length / 2, length - length / 2}};
	uint32		done;
	int32		error = at < 0 ? fd_write(fd, vectors, 2, &done) : fd_pwrite(fd, vectors, 2, at, &done);

	begin();
	return error != 0 ? -error : (int32) done;
}

EXPORT("seek") int64
seek(int32 fd, int64 offset, int32 whence)
{
	int64		position;
	int32		error = whence == 3 ? fd_tell(fd, &position) : fd_seek(fd, offset, whence, &position);

	return error != 0 ? -error : position;
}

EXPORT("set_size") int32
set_size(int32 fd, int64 size)
{
	return fd_filestat_set_size(fd, size);
}

EXPORT("sync") int32
sync(int32 fd)
{
	return fd_sync(fd);
}

EXPORT("allocate") int32
allocate(int32 fd)
{
	return fd_allocate(fd, 0, 1);
}

EXPORT("advise") int32
advise(int32 fd)
{
	return fd_advise(fd, 0, 1, 0);
}

/* --- what is known of a file --- */

static Text *
state_of(int32 error, const uint64 *status)
{
	if (error != 0)
		return failed(error);
	add_number(status[2] & 0xff);
	add(" ", 1);
	add_number(status[4]);
	add(" ", 1);
	add_number(status[6] / 1000000000);
	return &result;
}

/* Type, size, time of the last change */
EXPORT("status") Text *
status(int32 fd)
{
	uint64		status[8];

	begin();
	return state_of(fd_filestat_get(fd, status), status);
}

EXPORT("status_at") Text *
status_at(int32 fd, const char *path, uint32 length, int32 follow)
{
	uint64		status[8];
	int32		error = path_filestat_get(fd, follow, path, length, status);

	begin();
	return state_of(error, status);
}

/* Type, flags, and whether it may be read and written */
EXPORT("flags") Text *
flags(int32 fd)
{
	uint64		state[3];
	int32		error = fd_fdstat_get(fd, state);

	begin();
	if (error != 0)
		return failed(error);
	add_number(state[0] & 0xff);
	add(" ", 1);
	add_number(state[0] >> 16 & 0xffff);
	add(state[1] & READ ? " r" : " -", 2);
	add(state[1] & WRITE ? "w" : "-", 1);
	return &result;
}

EXPORT("set_flags") int32
set_flags(int32 fd, int32 flags)
{
	return fd_fdstat_set_flags(fd, flags);
}

/* The time of the last change, in seconds */
EXPORT("set_time") int32
set_time(int32 fd, int64 time, int32 flags)
{
	return fd_filestat_set_times(fd, time * 1000000000, time * 1000000000, flags);
}

EXPORT("set_time_at") int32
set_time_at(int32 fd, const char *path, uint32 length, int32 follow, int64 time)
{
	begin();
	return path_filestat_set_times(fd, follow, path, length, 0, time * 1000000000, 4);
}

/* --- directories --- */

typedef struct Entry
{
	uint64		next;
	uint64		inode;
	uint32		length;
	uint32		type;
} Entry;

/*
 * Names and types but for "." and "..", each behind a slash, by a buffer of that size.
 */
EXPORT("list") Text *
list(int32 fd, uint32 size)
{
	static char buffer[1 << 16] __attribute__((aligned(8)));
	uint64		cookie = 0;
	uint32		filled = size;

	begin();
	while (filled == size)
	{
		int32		error = fd_readdir(fd, buffer, size, cookie, &filled);

		if (error != 0)
			return failed(error);
		for (uint32 start = 0; start + sizeof(Entry) <= filled;)
		{
			Entry		entry;

			__builtin_memcpy(&entry, buffer + start, sizeof(entry));
			start += sizeof(Entry);
			if (entry.length > filled - start)
				break;
			cookie = entry.next;
			if (buffer[start] != '.')
			{
				add("/", 1);
				add(buffer + start, entry.length);
				add(" ", 1);
				add_number(entry.type & 0xff);
			}
			start += entry.length;
		}
	}
	return &result;
}

EXPORT("make_directory") int32
make_directory(int32 fd, const char *path, uint32 length)
{
	begin();
	return path_create_directory(fd, path, length);
}

EXPORT("remove_directory") int32
remove_directory(int32 fd, const char *path, uint32 length)
{
	begin();
	return path_remove_directory(fd, path, length);
}

EXPORT("unlink") int32
unlink(int32 fd, const char *path, uint32 length)
{
	begin();
	return path_unlink_file(fd, path, length);
}

EXPORT("rename") int32
rename(int32 fd, const char *path, uint32 length, int32 to_fd, const char *to, uint32 to_length)
{
	begin();
	return path_rename(fd, path, length, to_fd, to, to_length);
}

EXPORT("link") int32
link(int32 fd, const char *path, uint32 length, int32 to_fd, const char *to, uint32 to_length)
{
	begin();
	return path_link(fd, 0, path, length, to_fd, to, to_length);
}

EXPORT("symlink") int32
symlink(const char *target, uint32 target_length, int32 fd, const char *path, uint32 length)
{
	begin();
	return path_symlink(target, target_length, fd, path, length);
}

EXPORT("read_link") Text *
read_link(int32 fd, const char *path, uint32 length, uint32 room)
{
	int32		error = path_readlink(fd, path, length, output, room, &length);

	begin();
	if (error != 0)
		return failed(error);
	result.length = length;
	return &result;
}
