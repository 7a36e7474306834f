/* Small checked steps on the file system, below outfile.c and publish.c.
 *
 * Names are relative to a folder's descriptor where a path could be swapped underneath; `shown` is
 * how messages call the thing. Every step that changes the disk asks fs_inject first, so that
 * tests can kill the process or fail the call at each of them. */
#ifndef LAPSE_FS_H
#define LAPSE_FS_H

#include <dirent.h>
#include <stdbool.h>
#include <sys/types.h>
#include "err.h"

#define DIR_MODE 02750
#define FILE_MODE 0640

/* Defined by tests only: called before each step with the system call's name; what it returns
   other than 0 becomes that call's errno. */
int fs_fault(const char *call) __attribute__((weak));

/* 0, or -1 with errno set by a test. */
int fs_inject(const char *call);

/* Adds the advice that belongs to an errno (disk full, limit, read-only...); returns err->code. */
enum err_code fs_hint(struct err *err, int errnum);

/* Writes all of it, through short writes and interruptions. 0, or -1 with errno. */
int fs_write(int fd, const void *data, size_t len);

/* A file without a name in the folder `dir`, to write and read: gone when it is closed, however the
   process ends. -1 with errno. */
int fs_scratch(const char *dir);

/* fsync of a descriptor. A folder on a file system that cannot sync folders is fine. */
enum err_code fs_sync(int fd, const char *shown, struct err *err) _must_check_;

/* Renames over what is there and fsyncs the folder of `to`: both in one file system. */
enum err_code durable_rename(const char *from, const char *to, struct err *err) _must_check_;

/* rename(2) within one folder; RENAME_NOREPLACE, RENAME_EXCHANGE or 0 as flags.
   0 or -1 with errno; EINVAL and ENOSYS say that the file system has no such flag. */
int fs_rename(int dir, const char *from, const char *to, unsigned flags);

/* Opens a folder, not through a symbolic link. -1 with errno. */
int fs_open_dir(int dir, const char *name);

/* A stream over a folder's entries from their start; `dir` stays open. NULL with errno. */
DIR *fs_list(int dir);
void closedirp(DIR **dir);
#define _cleanup_closedir_ _cleanup_(closedirp)

/* The next entry except "." and "..", or NULL at the end (errno 0) or after an error. */
struct dirent *fs_next(DIR *stream);

/* Removes a file, link or whole folder; never follows a symbolic link, and goes on after an error.
   0, or -1 with the first errno; what is gone already is fine. */
int fs_remove(int dir, const char *name);

/* Makes `name` of `from` appear in `to` as well: a hard link, a durable copy where linking is not
   possible, and for a folder the same for everything in it. */
enum err_code fs_carry(int from, int to, const char *name, const char *shown,
                       struct err *err) _must_check_;

/* 16 random hex digits. */
enum err_code fs_random(char ret[17], struct err *err) _must_check_;

#endif
