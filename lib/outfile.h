/* A file that is whole or not there: every byte of a published file goes through here.
 *
 *     outfile_open(&f, dir, name, &err)      opens <dir>/<name> new (O_EXCL|O_NOFOLLOW, 0640)
 *     outfile_write(f, data, len, &err)      buffered
 *     outfile_flush(f, &err)                 readable by its path; the disk begins with it
 *     outfile_finish(f, &err)                flush, fsync, close: each checked
 *
 * or outfile_discard(), which removes it. The caller fsyncs the folder and renames it
 * (durable_rename in fs.h), after all its files are finished.
 *
 * A file that cannot be created is ERR_CANTCREAT, one that cannot be written ERR_IO (disk full,
 * quota, size limit, device); the hint says what to do. After a failed write the partial file is
 * gone; outfile_discard frees what is left. A failed finish has removed and freed all. */
#ifndef LAPSE_OUTFILE_H
#define LAPSE_OUTFILE_H

#include <stdint.h>
#include <stdio.h>
#include "err.h"

struct outfile;

enum err_code outfile_open(struct outfile **ret, const char *dir, const char *name,
                           struct err *err) _must_check_;
enum err_code outfile_write(struct outfile *file, const void *data, size_t len,
                            struct err *err) _must_check_;
enum err_code outfile_flush(struct outfile *file, struct err *err) _must_check_;
enum err_code outfile_finish(struct outfile *file, struct err *err) _must_check_; /* frees */
void outfile_discard(struct outfile *file); /* NULL is nothing */
void outfile_discardp(struct outfile **file);
#define _cleanup_outfile_ _cleanup_(outfile_discardp)

/* fsync of a file or folder by path. */
enum err_code durable_sync(const char *path, struct err *err) _must_check_;

/* SHA-256 of a regular file as 64 hex digits and its size, as read back from it. */
enum err_code file_sha256(const char *path, char ret_hex[65], uint64_t *ret_bytes,
                          struct err *err) _must_check_;

/* The same for an open descriptor, from its offset on; `shown` is its name in messages. */
enum err_code fd_sha256(int fd, const char *shown, char ret_hex[65], uint64_t *ret_bytes,
                        struct err *err) _must_check_;

#endif
