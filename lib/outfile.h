/* A file that is whole or not there: every byte of a published file goes through here.
 *
 *     outfile_open(&f, dir, name, &err)      opens <dir>/<name> new (O_EXCL|O_NOFOLLOW, 0640)
 *     outfile_write(f, data, len, &err)      buffered
 *     outfile_finish(f, &digest, &err)       flush, fsync, close: each checked
 *
 * or outfile_discard(), which removes it. The caller fsyncs the folder and renames it
 * (durable_rename), after all its files are finished. */
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
enum err_code outfile_finish(struct outfile *file, struct err *err) _must_check_; /* frees */
void outfile_discard(struct outfile *file); /* NULL is nothing */

/* fsync of a file or folder by path. */
enum err_code durable_sync(const char *path, struct err *err) _must_check_;

/* SHA-256 of a file as 64 hex digits and its size. */
enum err_code file_sha256(const char *path, char ret_hex[65], uint64_t *ret_bytes,
                          struct err *err) _must_check_;

#endif
