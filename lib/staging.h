/* The inside of a staging folder, for staging.c and publish.c: what callers see is in publish.h.
 *
 * Names that lapse makes in `out`, each followed by random hex digits:
 *
 *     .staging-<pid>-     a set being written; flock'ed by its writer for as long as it lives
 *     .swapping-<date>-   an old set moved aside, where folders cannot be exchanged
 *     .retired-<date>-    a replaced set that a reader may still be in
 *     .latest-            the next <out>/latest */
#ifndef LAPSE_STAGING_H
#define LAPSE_STAGING_H

#include <stdbool.h>
#include "deadline.h"
#include "err.h"
#include "publish.h"

struct staging {
    char *out, *name, *path; /* path is <out>/<name> */
    int out_fd;
    int fd; /* of the folder, locked */
};

/* The lock that everyone who changes names in `out` holds. Waits until the deadline: ERR_TEMP.
   Released by staging_discard. */
enum err_code out_lock(const struct staging *staging, const struct deadline *deadline,
                       struct err *err) _must_check_;

/* Removes what killed runs and earlier publishes left, and puts a set back whose swap was cut in
   two. Under the lock. What cannot be removed stays for the next sweep. */
void out_sweep(int out_fd);

/* "2026-03-31" and nothing else. */
bool is_date(const char *text);

/* ERR_CANTCREAT when <out>/latest is something other than a symbolic link. */
enum err_code latest_check(const struct staging *staging, struct err *err) _must_check_;

#endif
