/* The ledger: what runs there were, how far each came, and what they published.
 *
 * Each function is one statement of sql/ledger/ in a transaction of its own, unless it says that it
 * belongs into the caller's. */
#ifndef LAPSE_LEDGER_H
#define LAPSE_LEDGER_H

#include "db.h"
#include "instant.h"
#include "publish.h"

/* Takes the job's lock for as long as the open transaction of `lock` lives. ERR_TEMP: somebody
   else runs the job. */
enum err_code ledger_lock(struct db *lock, const char *job, struct err *err) _must_check_;

/* ERR_USAGE naming `place` where one of the accounts (an array literal, NULL for all) is not there.
 */
enum err_code ledger_check_accounts(struct db *db, const char *accounts, const char *place,
                                    struct err *err) _must_check_;

/* The database's clock, in whole seconds. */
enum err_code ledger_clock(struct db *db, struct instant *ret, struct err *err) _must_check_;

/* The last run of a job, where it is not finished and of that plan (a SHA-256; NULL: of none). */
struct unfinished {
    bool found, applied; /* applied: only its report is missing */
    int64_t run_id, attempt, done, changed, recorded, batches, looked_at, skipped;
    int64_t max_changes; /* of --max-changes; -1: not given */
    struct instant as_of;
    char *accounts;   /* "{1,2}", or NULL for all; owned */
    char *out;        /* where it was asked to publish, or NULL; owned */
    unsigned formats; /* what it was asked to write; 0: the settings' */
    char *given;      /* the orders it was given as options, a JSON object, or NULL; owned */
};
void unfinished_done(struct unfinished *unfinished);
enum err_code ledger_unfinished(struct db *db, const char *job, const char *plan,
                                struct unfinished *ret, struct err *err) _must_check_;

/* Up to when a job has been done; `ret_found` false where it never was. */
enum err_code ledger_last_applied(struct db *db, const char *job, bool *ret_found,
                                  struct instant *ret, struct err *err) _must_check_;

/* What a new run is known by. */
struct ledger_entry {
    const char *job, *as_of, *trigger, *options, *settings_digest, *version, *host;
};
enum err_code ledger_start(struct db *db, const struct ledger_entry *entry, int64_t *ret_run_id,
                           struct err *err) _must_check_;

/* Goes on with an unfinished run. ERR_TEMP where somebody else did in between. */
enum err_code ledger_take_over(struct db *db, const struct ledger_entry *entry, int64_t run_id,
                               int64_t *attempt, struct err *err) _must_check_;

/* What a batch did: rows that were due for a change, audit rows written, rows written without. */
struct written {
    int64_t done, changed, recorded;
};

/* Inside the batch's transaction: links the batch into the audit chain, where it has audit rows,
   and moves the run's counters. ERR_TEMP where another process has taken the run over. */
enum err_code ledger_close_batch(struct db *db, int64_t run_id, int64_t attempt, int64_t batch_no,
                                 const struct written *written, struct err *err) _must_check_;

/* ERR_TEMP where another process has taken the run over. */
enum err_code ledger_still_ours(struct db *db, int64_t run_id, int64_t attempt,
                                struct err *err) _must_check_;

/* Whether a batch whose commit was not answered stands. */
enum err_code ledger_batch_stands(struct db *db, int64_t run_id, int64_t batch_no, bool *ret_stands,
                                  struct err *err) _must_check_;

/* What the run is about to do, inside the caller's transaction. */
struct ledger_counts {
    int64_t looked_at, due, skipped, set_aside;
};
enum err_code ledger_count(struct db *db, int64_t run_id, int64_t attempt,
                           const struct ledger_counts *counts, struct err *err) _must_check_;

enum err_code ledger_applied(struct db *db, int64_t run_id, int64_t attempt,
                             struct err *err) _must_check_;

/* The end of a run: its exit status and message (NULL where all went well). */
struct ledger_end {
    const char *state; /* "done", "failed", "applied" (report missing) */
    int status;
    const char *message;
    int64_t looked_at;
    uint64_t rows, files;
};
enum err_code ledger_finish(struct db *db, int64_t run_id, int64_t attempt,
                            const struct ledger_end *end, struct err *err) _must_check_;

/* Full runs of a job that are done lately, and the median of how many due rows they took. */
enum err_code ledger_median(struct db *db, const char *job, int64_t *ret_runs, int64_t *ret_median,
                            struct err *err) _must_check_;

/* The files of a published set, in one transaction. */
enum err_code ledger_published(struct db *db, const struct publish_set *set,
                               const struct published *published, struct err *err) _must_check_;

/* The runs of the as-of's UTC date as two array literals, inside the caller's transaction. */
enum err_code ledger_runs_of_date(struct db *db, const char *date, char **ret_run_ids,
                                  char **ret_as_ofs, struct err *err) _must_check_;

/* Where the audit chain ends: 64 hex digits. */
enum err_code ledger_audit_head(struct db *db, char ret_digest[65], struct err *err) _must_check_;

#endif
