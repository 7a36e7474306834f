/* manifest.json and SHA256SUMS: what a published set holds, and whether it still does.
 *
 * manifest.json is pretty-printed ASCII, keys always in this order:
 *
 *     {"as_of", "version", "audit_head",
 *      "files": [{"name", "job", "run", "as_of", "version", "rows", "bytes", "totals": {...},
 *                 "sha256", "altered"}, ...]}
 *
 * sorted by name in byte order. "run" is 0 for a dry run, "audit_head" null where there is none.
 * as_of and version at the top are those of the newest invocation; a file that was carried over
 * keeps its own. SHA256SUMS names every file of the manifest, as `sha256sum -c` reads it. */
#ifndef LAPSE_MANIFEST_H
#define LAPSE_MANIFEST_H

#include <stddef.h>
#include <stdint.h>
#include "deadline.h"
#include "err.h"

#define MANIFEST_NAME "manifest.json"
#define SUMS_NAME "SHA256SUMS"

struct manifest_total {
    char *header;
    int64_t value;
};

struct manifest_file {
    char *name, *job, *as_of, *version;
    int64_t run_id;
    uint64_t rows, bytes, altered;
    char sha256[65];
    struct manifest_total *totals;
    size_t n_totals;
};

struct manifest {
    char *as_of, *version, *audit_head; /* audit_head may be NULL */
    struct manifest_file *files;
    size_t n, room;
};

void manifest_done(struct manifest *manifest);
#define _cleanup_manifest_ _cleanup_(manifest_done)

void manifest_file_done(struct manifest_file *file);

/* Moves *file into the manifest; it is left empty, also on failure. ERR_NOMEM only. */
enum err_code manifest_add(struct manifest *manifest, struct manifest_file *file,
                           struct err *err) _must_check_;

/* Brings the files into order. A name given twice is ERR_CONFIG and names both jobs. */
enum err_code manifest_sort(struct manifest *manifest, struct err *err) _must_check_;

/* The entry of that name, or NULL. The manifest must be in order. */
struct manifest_file *manifest_find(const struct manifest *manifest, const char *name);

/* A name that a data file may have: printable, one path component, not hidden, nothing that
   SHA256SUMS would have to escape, and none of the two names above. */
bool manifest_name_ok(const char *name);

/* Reads and checks <dir>/manifest.json. Missing, not JSON, or not of the form above:
   ERR_CHECKSUM. `shown` is the folder's path, for messages. */
enum err_code manifest_read(struct manifest *ret, int dir, const char *shown,
                            struct err *err) _must_check_;

/* Writes both files new into the folder at `path`. The manifest must be in order. */
enum err_code manifest_write(const struct manifest *manifest, const char *path,
                             struct err *err) _must_check_;

/* How a file differs from what the manifest says. */
enum set_difference {
    SET_MISSING, /* named in the manifest, not there */
    SET_CHANGED, /* other bytes, or no longer a regular file */
    SET_UNKNOWN, /* there, but not in the manifest */
};

/* Told of each difference; `detail` is a phrase ("1020 bytes instead of 1024"). */
typedef void set_found(void *arg, const char *name, enum set_difference what, const char *detail);

/* Compares a published set with its manifest: size and SHA-256 of every file, SHA256SUMS, and
   what else lies in the folder. `found` may be NULL. ERR_CHECKSUM when anything differs or the
   manifest itself cannot be trusted, ERR_NOINPUT when there is no such folder. While it runs, the
   folder is not removed by a publish. `deadline` as in deadline_check. */
enum err_code set_verify(const char *dir, const struct deadline *deadline, set_found *found,
                         void *arg, struct err *err) _must_check_;

/* The same for a folder that is open; the caller keeps `dir`. */
enum err_code set_verify_at(int dir, const char *shown, const struct deadline *deadline,
                            set_found *found, void *arg, struct err *err) _must_check_;

/* Size and SHA-256 of one file against its entry: SET_MISSING or SET_CHANGED in *ret_what with
   a phrase in *ret_detail (to be freed), or *ret_detail NULL when it is as it should be. */
enum err_code manifest_compare(const struct manifest_file *file, int dir, const char *shown,
                               enum set_difference *ret_what, char **ret_detail,
                               struct err *err) _must_check_;

#endif
