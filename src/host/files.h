/*
 * files.h
 *		Files of guests, in the directories that a superuser has granted a module.
 *
 * An instance knows its files by numbers: the directories of wasm.directories have
 * those from PGW_FILE_FIRST on, in their order, what it opens has free ones.  A path
 * is relative to a directory that is open, and leads nowhere else: not by "..", nor
 * by a symbolic link.
 *
 * Functions that return an int return an error number of errno.h, or 0: EBADF for
 * what is not open; EPERM for paths that lead out of their directory; EROFS for what
 * would change something in a directory that is granted for reading; ENOTSUP for
 * what is neither a file nor a directory, and where the operating system cannot keep
 * paths within a directory.  All may throw, for interrupts, and where a directory
 * that is granted cannot be opened.
 */
#ifndef PGW_FILES_H
#define PGW_FILES_H

#include "postgres.h"

#include <sys/stat.h>
#include <time.h>

#include "engine/engine.h"

#define PGW_FILE_FIRST 3

/* Beside the directories that are granted, an instance has at most so many open, streams included. */
#define PGW_FILES_MAX 32

/* What one call reads or writes at most */
#define PGW_TRANSFER_MAX (64 * 1024)

/* What a version of WASI has for an error of errno.h, or for a kind of file (S_IFMT) */
typedef struct PgwNumber
{
	int			key;
	uint32		number;
} PgwNumber;

static inline uint32
pgw_find_number(const PgwNumber *numbers, int count, int key, uint32 other)
{
	for (int i = 0; i < count; i++)
	{
		if (numbers[i].key == key)
			return numbers[i].number;
	}
	return other;
}

/* The name of a directory that is granted and open, in UTF-8; false: it is none. */
extern bool pgw_file_grant(PgwStore *store, uint32 number, PgwText *name);

/*
 * Opens a file or a directory.  flags are O_RDONLY, O_WRONLY or O_RDWR, with O_CREAT,
 * O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY, O_NOFOLLOW, O_SYNC and O_DSYNC.
 */
extern int	pgw_file_open(PgwStore *store, uint32 directory, PgwText path, int flags, uint32 *number);

extern int	pgw_file_close(PgwStore *store, uint32 number);

/* Closes "to", which becomes the file that "from" was. */
extern int	pgw_file_renumber(PgwStore *store, uint32 from, uint32 to);

/* The same file as a stream, which has a position of its own, or PGW_FILE_END to append. */
#define PGW_FILE_END (-1)
extern int	pgw_file_stream(PgwStore *store, uint32 number, int64 position, uint32 *stream);

/* Read and write at an offset, or where the file is and onwards if that is -1. */
extern int	pgw_file_read(PgwStore *store, uint32 number, void *bytes, size_t length, int64 offset, size_t *done);
extern int	pgw_file_write(PgwStore *store, uint32 number, const void *bytes, size_t length, int64 offset,
						   size_t *done);

extern int	pgw_file_seek(PgwStore *store, uint32 number, int64 offset, int whence, int64 *position);

/* flags are those that it was opened with, so far as they are of use later. */
extern int	pgw_file_flags(PgwStore *store, uint32 number, int *flags);
extern bool pgw_file_writable(PgwStore *store, uint32 number);
extern int	pgw_file_append(PgwStore *store, uint32 number, bool append);

extern int	pgw_file_set_size(PgwStore *store, uint32 number, int64 size);
extern int	pgw_file_sync(PgwStore *store, uint32 number, bool data_only);

/* Of a file, or of a path beneath a directory if that is not NULL */
extern int	pgw_file_stat(PgwStore *store, uint32 number, const PgwText *path, bool follow, struct stat *status);
extern int	pgw_file_set_times(PgwStore *store, uint32 number, const PgwText *path, bool follow,
							   const struct timespec times[2]);

/* An entry of a directory */
typedef struct PgwEntryOfDirectory
{
	uint64		next;			/* from where on the following ones are */
	uint64		inode;
	uint8		type;			/* DT_REG and so on */
	PgwText		name;
} PgwEntryOfDirectory;

/* Gives take the entries from there on, 0 is the beginning, until it returns false. */
extern int	pgw_file_entries(PgwStore *store, uint32 number, uint64 from,
							 bool (*take) (void *data, const PgwEntryOfDirectory *entry), void *data);

extern int	pgw_file_make_directory(PgwStore *store, uint32 directory, PgwText path);
extern int	pgw_file_remove(PgwStore *store, uint32 directory, PgwText path, bool is_directory);
extern int	pgw_file_rename(PgwStore *store, uint32 directory, PgwText path, uint32 to_directory, PgwText to);

/* Where a symbolic link leads; what has no room is left out. */
extern int	pgw_file_read_link(PgwStore *store, uint32 directory, PgwText path, char *target, size_t room,
							   size_t *length);

#endif							/* PGW_FILES_H */
