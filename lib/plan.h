/* A plan: every change a run would make, in a file that a person reads, compares and approves.
 *
 * JSON lines. The first is the header:
 *
 *   {"lapse_plan":1,"as_of":"2026-03-31T00:00:00Z","version":"0.1.0","changes":7,
 *    "jobs":[{"job":"expire-invitations","accounts":2,"changes":7,"settings":"<SHA-256>",
 *             "files":[]}],
 *    "sha256":"<SHA-256>"}
 *
 * on one line. `settings` is the digest of the settings that shape the job's result; `files` has
 * the SHA-256 of each file that was taken in for it, and no other is taken in with the plan.
 * `sha256` is over the whole file, the header with 64 zeros in its place: it is the plan's name,
 * and a plan is applied once. Then a line per change, by job in nightly order and account as a
 * number, as sql/ledger/plan-lines.sql writes them; what is planned and what is due are compared as
 * texts.
 *
 * Writing: plan_draft_add as changes come (account by account within each job), then
 * plan_draft_write: the file appears whole or not at all. The draft is kept in memory until then,
 * since the header comes first.
 *
 * Reading: plan_read takes only a file that is as it was written. It is kept in memory, so that
 * what has moved on can be told.
 */
#ifndef LAPSE_PLAN_H
#define LAPSE_PLAN_H

#include "instant.h"
#include "job.h"

enum { PLAN_FORMAT = 1 };

/* SHA-256 digests, each once. */
struct plan_files {
    char (*list)[65];
    size_t n;
};

struct plan_draft_job {
    const struct job *job;
    struct strbuf lines;
    size_t accounts, changes;
    int64_t last_account;
    char settings[65];
    struct plan_files files;
};

/* {0} is empty. The jobs are those of plan_draft_begin, in their order. */
struct plan_draft {
    struct plan_draft_job *jobs;
    size_t n_jobs;
};

enum err_code plan_draft_begin(struct plan_draft *draft, const struct job *const *jobs, size_t n,
                               struct err *err) _must_check_;
enum err_code plan_draft_add(struct plan_draft *draft, const struct job *job, int64_t account,
                             const char *line, struct err *err) _must_check_;
enum err_code plan_draft_take(struct plan_draft *draft, const struct job *job, const char *sha256,
                              struct err *err) _must_check_;
enum err_code plan_draft_write(struct plan_draft *draft, struct instant as_of, const char *path,
                               char ret_sha256[65], struct err *err) _must_check_;
void plan_draft_done(struct plan_draft *draft);

/* ERR_CANTCREAT where no plan can be written there: before the work is done. A link is not
   followed, and what is no file is not replaced. */
enum err_code plan_check_target(const char *path, struct err *err) _must_check_;

struct plan_line {
    int64_t account;
    char *text;
};

struct plan_job {
    const struct job *job;
    size_t first, n; /* its lines */
    char settings[65];
    struct plan_files files;
};

struct plan {
    struct instant as_of;
    char sha256[65];
    struct plan_job *jobs;
    size_t n_jobs;
    struct plan_line *lines; /* point into `text` */
    size_t n_lines;
    int64_t *accounts; /* each once, as numbers */
    size_t n_accounts;
    char *text;
};

/* ERR_NOINPUT where there is no file; ERR_STOPPED where it is not a plan as lapse of this format
   has written it: edited, cut off, of another format, of unknown jobs. */
enum err_code plan_read(struct plan *ret, const struct registry *registry, const char *path,
                        struct err *err) _must_check_;
void plan_done(struct plan *plan);

enum err_code plan_files_add(struct plan_files *files, const char *sha256,
                             struct err *err) _must_check_;
bool plan_files_have(const struct plan_files *files, const char *sha256);

/* Where an account stands in plan->accounts; false where it is not part of the plan. */
bool plan_account(const struct plan *plan, int64_t account, size_t *ret);

/* The lines of the job whose account is greater than this, from there to the job's end. */
size_t plan_lines_behind(const struct plan *plan, const struct plan_job *job, int64_t account);

/* A change that is no longer as it was planned. */
struct plan_drift {
    const struct job *job;
    int64_t account;
    const char *entity, *entity_id; /* entity_id NULL: a new row */
    const char *what;               /* in words */
};
typedef enum err_code (*plan_drift_fn)(void *context, const struct plan_drift *drift,
                                       struct err *err);

/* The lines of one job and account, as planned and as they are due now. Whether they are the same;
   each difference is told. */
enum err_code plan_compare(const struct job *job, const struct plan_line *planned, size_t n_planned,
                           const struct plan_line *due, size_t n_due, bool *ret_same,
                           plan_drift_fn told, void *context, struct err *err) _must_check_;

#endif
