/* The life of a run: the one place that knows it.
 *
 * An invocation is one `lapse run`: a run (a row in the ledger) per job, all with one as-of.
 *
 *   lock     each job, in an open transaction of a second connection
 *   as-of    given, or the database's clock
 *   resume   what an earlier invocation left unfinished is finished first, under its own as-of
 *   guard    what is due is counted once: beyond the job's limits nothing is changed
 *   change   the change jobs, in nightly order: what a job has to ask the DNS is asked first, while
 *            no transaction is open; what is due is cut into batches; each batch is one transaction
 *            with its changes, their audit, its link in the chain and the run's counters, so that a
 *            run killed anywhere goes on without loss or doubling
 *   report   all reports from one snapshot, into every format at once
 *   publish  the set appears whole, then the ledger says so
 *   clean up the clean-up jobs remove what is past its time
 *
 * A plan (plan.h) is carried out in the same way, its accounts only: everything is tried and
 * compared with it before anything is changed, and each batch again before it is committed.
 *
 * A dry run goes the same way inside transactions that are rolled back, range of accounts by range
 * of accounts, and shows what the audit would have held.
 */
#ifndef LAPSE_RUN_H
#define LAPSE_RUN_H

#include "conf.h"
#include "deadline.h"
#include "instant.h"
#include "job.h"

/* A job's own option given on the command line, that differs from its setting. */
struct run_option {
    const struct job *job;
    const struct setting *setting;
    const char *value;
};

struct plan;
struct plan_drift;

struct run_request {
    const struct registry *registry;
    const struct conf *conf;
    const struct job *const *jobs; /* in nightly order, each once */
    size_t n_jobs;
    const struct instant *as_of; /* NULL: the database's clock */
    const char *accounts;        /* "{12,13}", or NULL for all */
    const char *out;             /* folder to publish in, or NULL: the settings' */
    unsigned formats;            /* 0: the settings' */
    const struct run_option *options;
    size_t n_options;
    bool dry_run;
    bool allow_backdate;
    bool allow_incomplete;
    int64_t max_changes; /* in place of every job's guard; -1: the guards of the settings */
    /* A plan to carry out: its as-of and its jobs are the request's; no guard counts. NULL: none */
    const struct plan *plan;
    bool may_be_unpublished; /* without a folder for reports it goes on all the same */
    bool skip_drifted;       /* leave the accounts that have moved on since, and do the rest */
};

enum run_state {
    RUN_WAITING, /* not begun */
    RUN_RUNNING,
    RUN_APPLIED, /* changes made, report to come */
    RUN_DONE,
    RUN_FAILED,  /* err says why */
    RUN_SKIPPED, /* a job it waits for failed; err says which */
};

/* What became of one job. */
struct json_t;
struct run {
    const struct job *job;
    enum run_state state;
    int64_t run_id; /* 0 in a dry run */
    int64_t attempt;
    bool resumed;
    bool applied; /* all its changes are made */
    bool ended;   /* the ledger knows how it ended */
    int64_t looked_at, due, skipped, set_aside, changed, batches;
    int64_t
        of_all; /* what the guard takes its percent of: looked_at, where the job says no other */
    int64_t recorded;          /* rows written that have no audit: snapshots, what was purged */
    int64_t due_changes, done; /* of what is due, what the guard counts; so far done of it */
    uint64_t rows, files;      /* of its report */
    int64_t nanoseconds;
    struct err err;
    struct report_files made;
    char settings[65];     /* SHA-256 over the settings that shape its result */
    struct run_meta *meta; /* what its report says of itself; lives as long as the run */
    struct json_t *given;  /* resumed: the orders it was given as options; or NULL */
    int64_t before;        /* the run of this job that this invocation has finished first; or 0 */
    char *incomplete;      /* what the report lacks, where that was allowed; or NULL */
};

/* One row that a dry run would change. Texts are borrowed; `before` is NULL for a new row. */
struct run_change {
    const char *account, *entity, *entity_id, *before, *after, *reason, *effective_at;
};

/* What a run tells while it goes: a note is for everybody, a detail for who asks for more (-v). */
enum run_news { NEWS_NOTE, NEWS_DETAIL };

/* Who watches; every function may be NULL. */
struct run_observer {
    void *context;
    void (*progress)(void *context, const struct job *job, const char *phase, uint64_t done,
                     uint64_t total); /* total 0: unknown */
    void (*news)(void *context, enum run_news news, const char *text);
    enum err_code (*change)(void *context, const struct job *job, const struct run_change *change,
                            struct err *err);
    /* In place of `change`: a change of a dry run as a line of a plan. */
    enum err_code (*planned)(void *context, const struct job *job, int64_t account,
                             const char *reason, const char *line, struct err *err);
    /* A file that was taken in for a plan: its SHA-256. */
    enum err_code (*taken)(void *context, const struct job *job, const char *sha256,
                           struct err *err);
    /* What of a plan has moved on since. */
    enum err_code (*drift)(void *context, const struct plan_drift *drift, struct err *err);
    /* A pass is over: the runs that were left unfinished, or those that were asked for. */
    void (*finished)(void *context, const struct run *runs, size_t n, const struct instant *as_of,
                     const char *published);
};

/* Carries the request out. ERR_OK where every run is done; else the error of the first run, in
   order, that is not, as it was also told to the observer; or why no run could begin at all. */
enum err_code run_invoke(const struct run_request *request, const struct run_observer *observer,
                         const struct deadline *deadline, struct err *err) _must_check_;

#endif
