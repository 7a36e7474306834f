/* Publishing: a set of files appears whole or not at all.
 *
 * A *set* is the folder <out>/<YYYY-MM-DD> of one as-of UTC date. It holds the data files of every
 * job that ran for that date, manifest.json and SHA256SUMS. An invocation
 *
 *     staging_open(&staging, out, &err)       makes <out>/.staging-... (0700, locked), sweeps those
 *                                             that a killed run left, checks the file system
 *     ... reports are written below staging_path(staging) ...
 *     publish(staging, &set, &err)            carries the other jobs' files over, writes manifest
 *                                             and sums, fsyncs, swaps the folder into place, turns
 *                                             <out>/latest to the greatest date
 *
 * A reader who opens <out>/<date>/FILE sees the old set or the new one, never a mixture: the
 * folders are exchanged by one rename (two where the file system has no exchange; killed between
 * them, the next sweep puts the old set back). The replaced folder stays as .retired-<date>-... so
 * that somebody still reading it can finish; the first publish that comes RETIRED_GRACE_S or more
 * later removes it, unless a reader holds a shared flock on it, as set_verify does.
 *
 * The folder `out` is locked (flock) while a set is exchanged and while leftovers are swept, so
 * that invocations that publish different jobs into one date lose nothing of each other.
 *
 * Before the exchange, each file that is carried over is compared with the old manifest: what
 * changed since it was published stops the publish (ERR_CHECKSUM) until its job runs again for
 * that date or the file is restored. Files that no manifest knows are carried over untouched.
 */
#ifndef LAPSE_PUBLISH_H
#define LAPSE_PUBLISH_H

#include "deadline.h"
#include "err.h"
#include "report.h"

#define RETIRED_GRACE_S 60

struct staging;

/* `out` must be an absolute path to an existing folder, or one whose parent exists (it is made,
   mode 2750). ERR_CONFIG with what to do: a relative path, not a folder, a symbolic link, writable
   by everyone, no parent. ERR_CANTCREAT where nothing can be made in it, or where something that
   is not a link stands at <out>/latest. */
enum err_code staging_open(struct staging **ret, const char *out, struct err *err) _must_check_;
const char *staging_path(const struct staging *staging); /* absolute */
void staging_discard(struct staging *staging);           /* removes it; NULL is nothing */
void staging_discardp(struct staging **staging);
#define _cleanup_staging_ _cleanup_(staging_discardp)

/* One job's files within the set. */
struct publish_job {
    const char *job;
    int64_t run_id; /* 0: a dry run, which has no row in the ledger */
    const struct report_files *files;
};

struct publish_set {
    const char *date;  /* "2026-03-31" */
    const char *as_of; /* "2026-03-31T00:00:00Z" */
    const char *version;
    const char *audit_head; /* hex digest of the newest batch, or NULL */
    const struct publish_job *jobs;
    size_t n_jobs;
};

/* A published file as it stands in manifest and ledger. */
struct published_file {
    char *job, *name;
    char sha256[65];
    uint64_t rows, bytes;
};
struct published {
    char *path;                   /* "<out>/2026-03-31" */
    struct published_file *files; /* of the jobs of this invocation only */
    size_t n;
};
void published_done(struct published *published);

/* Consumes the staging folder, also on failure: what was published before is then untouched.
   The staging folder must hold the files of `set` and nothing else. ERR_CHECKSUM: the set that
   stands there differs from its manifest. ERR_TEMP: another publish holds `out` until the
   deadline. ERR_CONFIG: two jobs write one file. ERR_CANTCREAT: something that is not lapse's
   stands in the way. ERR_IO: the disk; the hint says what to do. */
enum err_code publish(struct staging *staging, const struct publish_set *set,
                      const struct deadline *deadline, struct published *ret,
                      struct err *err) _must_check_;

/* Retires a published set: "<out>/<date>" as ledger_published has named it. `known` are the names
   of the files that the ledger knows of it. *ret_kept says why it stays all the same, in words to
   be freed, or is NULL: it holds something the ledger does not know (another name, or what is no
   file), it is no folder, or <out>/latest leads to it. A set that is gone already is fine. Readers
   keep it for RETIRED_GRACE_S as they do a replaced one. */
enum err_code set_retire(const char *folder, const char *const *known, size_t n_known,
                         const struct deadline *deadline, char **ret_kept,
                         struct err *err) _must_check_;

#endif
