/* What the parts of a run share: run.c leads, run_change.c changes, run_report.c reports and
   publishes, run_input.c takes in files, run_ask.c asks the DNS, run_guard.c stops what is too big,
   run_bisect.c finds what the database refuses, run_reader.c finds the replica, run_slices.c reads
   it on several connections, run_cleanup.c removes what is past its time, run_preview.c tries it
   all without keeping it, run_plan.c carries out a plan, run_explain.c one account as of many
   instants, run_forecast.c night after night; all stand on run_pass.c. */
#ifndef LAPSE_RUN_INTERNAL_H
#define LAPSE_RUN_INTERNAL_H

#include "db.h"
#include "dns.h"
#include "ledger.h"
#include "plan.h"
#include "publish.h"
#include "run.h"

struct invocation {
    const struct run_request *request;
    const struct run_observer *observer;
    const struct deadline *deadline;
    struct db *db;         /* does the work */
    struct db *lock;       /* holds the locks in an open transaction; NULL in a dry run */
    struct db *reader;     /* the replica that report jobs read, or NULL */
    struct slices *slices; /* while reports are made, where large ones are read in slices */
};

/* One as-of: the runs asked for, or those that an earlier invocation left unfinished. */
struct pass {
    struct invocation *inv;
    struct instant as_of;
    char as_of_text[INSTANT_SIZE], date[DAY_SIZE];
    const char *accounts;  /* array literal, or NULL for all: whom it changes ... */
    const char *reported;  /* ... and whom its reports list: for a plan, all */
    const char *asked_out; /* --out, or NULL */
    unsigned formats;      /* --format, or 0: the settings' */
    int64_t max_changes;   /* --max-changes, or -1: the guards of the settings */
    bool resuming;         /* what an earlier invocation left: no option of this one counts */
    const char *out;       /* folder to publish in, or NULL: nothing is published */
    struct staging *staging;
    struct run *runs;
    size_t n;
    struct applying *applying; /* a plan being carried out, or NULL; see run_plan.c */
};

/* Where ranges of accounts end: the last account of each. {0} is none; `last` is the owner's to
   free. take_range_end adds a row's first column. */
struct range_ends {
    int64_t *last;
    size_t n, size;
};
enum err_code take_range_end(void *ends, const struct db_row *row, struct err *err);

/* Right after the snapshot of the reports was begun; slices_end before it ends. */
enum err_code slices_begin(struct pass *pass, struct err *err) _must_check_;
void slices_end(struct invocation *inv);

/* Reads a table's rows: in slices where it is by account and large enough, else in one. */
enum err_code slices_run(struct pass *pass, struct db *db, const struct report_table *table,
                         const struct args *args, db_row_fn on_row, void *context,
                         struct err *err) _must_check_;

void run_tell(const struct invocation *inv, enum run_news news, const char *format, ...)
    _printf_(3, 4);
void run_progress(const struct invocation *inv, const struct job *job, const char *phase,
                  uint64_t done, uint64_t total);

/* What every statement of a run may name; `from` and `to` are open. Borrows from pass and run. */
void pass_args(const struct pass *pass, const struct run *run, struct args *args);

/* The option given for a job's own setting, by this command line or the one that began the run;
   NULL: none. */
const char *given_option(const struct pass *pass, const struct job *job, const char *key);

/* The value of a job's own setting: the option given, else the setting. */
const char *job_option(const struct pass *pass, const struct job *job, const char *key);

/* Whether the job's option has the value that `when` names ("profile=documented"); true for NULL.
 */
bool option_is(const struct pass *pass, const struct job *job, const char *when);

/* Whether the command line asks for another view of the job's data than the settings do. */
bool has_options(const struct pass *pass, const struct job *job);

/* Whether a run may still do something: it, and no job it waits for, has failed. Where it may not,
   it becomes RUN_SKIPPED. */
bool run_may_go_on(struct pass *pass, struct run *run);

/* Ends a run with its error, and tells the ledger where that can be done now. */
void run_fail(struct pass *pass, struct run *run);

/* Tells the ledger of a failure that it does not know yet (best effort: where it cannot be told, it
   still says that the run is under way, and the next invocation goes on with it). */
void run_tell_failure(struct pass *pass, struct run *run);

/* Makes all changes of the run; then it is RUN_APPLIED, or RUN_FAILED. */
void run_change(struct pass *pass, struct run *run);

/* A new connection in place of a lost one; the locks must still be ours. */
enum err_code run_reconnect(struct pass *pass, struct err *err) _must_check_;

/* Answers to a job's questions. {0} is none. */
struct asked {
    struct asked_row {
        int64_t account;
        char *domain;
        size_t question; /* which of `questions`: names are asked once */
    } * rows;
    size_t n, size;
    size_t n_read; /* rows of the page, those of which nothing is kept as well */
    struct dns_question *questions;
    char **names; /* of the questions */
    size_t n_questions, names_size;
    size_t told; /* questions answered before this page, for the progress */
};
void asked_done(struct asked *asked);

/* ERR_CONFIG where a job of the request would ask name servers that are none. */
enum err_code run_check_asking(const struct run_request *request, struct err *err) _must_check_;

/* Asks the job's questions, where it has any, and keeps the answers, page by page; no transaction
   is open while the DNS is asked. */
enum err_code run_ask(struct pass *pass, struct run *run, struct args *args,
                      struct err *err) _must_check_;

/* The two halves for a dry run: asks for the range in `args`, outside of any transaction; and keeps
   the answers in the one that is open (where none is, in transactions of their own). */
enum err_code run_ask_range(struct pass *pass, struct run *run, struct args *args,
                            struct asked *ret, struct err *err) _must_check_;
enum err_code run_keep_answers(struct pass *pass, struct run *run, struct args *args,
                               const struct asked *asked, struct err *err) _must_check_;

/* A clean-up job, after the reports: its steps, and the reports it retires; ends the run. */
void run_clean_up(struct pass *pass, struct run *run);

/* ERR_STOPPED where the data make no sense. Sets aside, for this run, the accounts that break the
 * model; counts and names them in run->err.
 */
enum err_code run_set_aside(struct pass *pass, struct run *run, const struct args *args,
                            struct err *err) _must_check_;

/* Adds how many rows of the range in `args` the job looks at and skips. */
enum err_code run_look(struct db *db, struct run *run, const struct args *args,
                       struct err *err) _must_check_;

/* What stops a run that is too big: the greatest number of due rows it may take, and which limit
   that is, in words ("max_changes"). */
struct guard {
    int64_t limit;
    char name[96];
};

/* The guard of a run whose candidates and due rows are counted: of --max-changes, else the smallest
   of what [job.NAME] max_changes, max_percent and surge allow. */
enum err_code guard_of(struct pass *pass, const struct run *run, struct guard *ret,
                       struct err *err) _must_check_;

/* ERR_STOPPED where `more` due rows on top of those that are done would be too many. */
enum err_code guard_check(const struct pass *pass, const struct run *run, const struct guard *guard,
                          int64_t more, struct err *err) _must_check_;

/* A number that every change job has in its own section: see guard_settings in job.h. */
int64_t guard_setting(const struct pass *pass, const struct job *job, const char *key);

/* Where a piece of what is due ends: with this key. */
struct batch_key {
    int64_t account, id, due_so_far;
};

/* How many pieces make a batch: what is about [database] batch_rows of due rows, fewer where as
   many took more than a second. begin: with the first batch. holds: whether the batch under way
   takes what is due up to here, `rows` of all. next: a batch ended there, the next begins. */
struct pace {
    int64_t most, rows, done, begun_ns;
};
struct pace pace_begin(const struct pass *pass);
bool pace_holds(const struct pace *pace, int64_t rows);
void pace_next(struct pace *pace, int64_t done);

/* Whether the database refused a row: a trigger raised, a constraint failed, a value does not fit.
 */
bool is_refusal(const struct err *err);

/* The accounts that the database refused, until the run's end. */
struct refusals {
    struct refusal {
        int64_t account;
        char sqlstate[6];
        char *reason;
        size_t rows; /* of it that were refused one by one */
    } * list;
    size_t n;
};
void refusals_done(struct refusals *refusals);

/* What is refused by now; what came since is forgotten, where a part or a batch is tried again. */
struct refusals_mark {
    size_t n, rows; /* of the last */
};
struct refusals_mark refusals_mark(const struct refusals *refusals);
void refusals_back(struct refusals *refusals, struct refusals_mark mark);

/* How the parts of a run are carried out. */
struct bisection {
    struct pass *pass;
    struct run *run;
    const struct guard *guard;
    struct refusals *refusals; /* NULL: what is refused fails the run */
    struct written *tried; /* what was written in the open transaction; NULL: none is open, a part
                              is a batch */
    bool audited_only;     /* leaves out steps that write no audit */
    const struct job_step *only; /* and all but this one; NULL: none */
};

enum { NOT_COUNTED = -1 };

/* Carries out a range of about `rows` due rows; where the database refuses something of it, in ever
   smaller parts, down to the accounts it refuses, which are kept in `refusals`. In the open
   transaction each part has a savepoint; where only the commit is refused, each is a batch. */
enum err_code run_part(const struct bisection *b, struct args *args, struct batch_key from,
                       struct batch_key to, int64_t rows, struct err *err) _must_check_;

/* The accounts behind `from` up to `to` in the open transaction, which will be rolled back: files
   taken in, answers kept, accounts set aside, looked at and changed. */
enum err_code run_try(const struct bisection *b, struct args *args, const struct asked *asked,
                      int64_t from, int64_t to, struct err *err) _must_check_;

/* A batch, which is the range in `args` too, until it stands: again after a deadlock or a lost
   connection. */
enum err_code run_batch(const struct bisection *b, struct args *args, struct batch_key from,
                        struct batch_key to, int64_t rows, struct err *err) _must_check_;

/* Counts and names the refused accounts in run->err. */
void run_count_refusals(struct run *run, const struct refusals *refusals);

/* Sets the refused accounts aside, counts and names them in run->err; takes back what earlier runs
   had set aside and this one did not. */
enum err_code run_settle_refusals(struct pass *pass, struct run *run,
                                  const struct refusals *refusals, struct err *err) _must_check_;

/* What is due, in pieces of about `rows`: sets run->due and run->due_changes, and gives the pieces'
   last keys. */
struct batch_keys {
    struct batch_key *keys;
    size_t n, size;
    int64_t changes; /* how much of what is due is a change, in all */
};
enum err_code run_cut(struct pass *pass, struct run *run, struct args *args, int64_t rows,
                      struct batch_keys *ret, struct err *err) _must_check_;

/* One step over the range in `args`, inside the open transaction: adds what it wrote. */
enum err_code run_step(struct pass *pass, const struct job_step *step, const struct args *args,
                       struct written *written, struct err *err) _must_check_;

/* All steps of the job. */
enum err_code run_steps(const struct bisection *b, const struct args *args, struct written *ret,
                        struct err *err) _must_check_;

/* ERR_STOPPED where what the job has to read for this as-of is gone, unless that is allowed: then
   run->incomplete says what is missing. In a transaction of its own. */
enum err_code run_check_gone(struct pass *pass, struct run *run, struct err *err) _must_check_;

/* Takes in the job's files, each in a transaction of its own. */
enum err_code run_input(struct pass *pass, struct run *run, struct err *err) _must_check_;

/* The same inside the open transaction, which will be rolled back. */
enum err_code run_input_try(struct pass *pass, struct run *run, struct err *err) _must_check_;

/* Opens inv->reader on the replica of the settings, where there is one, it has seen the run's
   changes, and a report job is to read it. */
enum err_code run_open_reader(struct pass *pass, struct err *err) _must_check_;

/* Reports of all runs that came that far, from one snapshot; publishes; ends the runs. */
void pass_report(struct pass *pass, char **ret_published);

/* One job's report, opened below `dir`. */
enum err_code run_report_open(struct pass *pass, struct run *run, const char *dir,
                              struct report **ret, struct err *err) _must_check_;

/* Streams a table's rows for the range in `args` into the report, which has begun the table. */
enum err_code run_report_rows(struct pass *pass, struct db *db, struct run *run,
                              struct report *report, const struct report_table *table,
                              struct args *args, struct err *err) _must_check_;

/* All tables of the job that its options want, each begun, streamed and ended. */
enum err_code run_report_tables(struct pass *pass, struct db *db, struct run *run,
                                struct report *report, struct args *args,
                                struct err *err) _must_check_;

/* The job's own figures on the Summary sheet. */
enum err_code run_report_figures(struct db *db, const struct run *run, struct report *report,
                                 const struct args *args, struct err *err) _must_check_;

/* How many rows the job leaves for later, on the Summary sheet: looked up again, in the report's
   own snapshot, so that a rerun says the same. */
enum err_code run_report_skipped(struct db *db, const struct run *run, struct report *report,
                                 const struct args *args, struct err *err) _must_check_;

/* Ends a run that is done, in the ledger as well. */
void run_finish(struct pass *pass, struct run *run);

/* Publishes what the runs made and records it; returns the folder. */
enum err_code pass_publish(struct pass *pass, char **ret_published, struct err *err) _must_check_;

/* Change jobs that commit go forward in time, unless somebody says otherwise: ERR_STOPPED. */
enum err_code run_check_backdate(struct pass *pass, const struct run *run,
                                 struct err *err) _must_check_;

/* Makes `run` go on where an unfinished one stopped. */
void run_resume(struct run *run, const struct unfinished *left);

/* A plan. begin, once the jobs are locked: what has been done of it, and its unfinished runs; a
   plan that was applied is ERR_STOPPED. check, before anything is changed: tries it all, rolls it
   back and compares; what has moved on is told to the observer. batches: the changes of a job, in
   place of do_batches; compare: a batch before its commit, the range set by batches. */
enum err_code run_plan_begin(struct pass *pass, struct err *err) _must_check_;
enum err_code run_plan_check(struct pass *pass, struct err *err) _must_check_;
enum err_code run_plan_batches(const struct bisection *b, struct args *args,
                               const struct batch_keys *keys, struct err *err) _must_check_;
enum err_code run_plan_compare(const struct bisection *b, struct args *args,
                               struct err *err) _must_check_;
enum err_code run_plan_remember(struct pass *pass, struct err *err) _must_check_;
/* Whether the plan being applied was made with this file. */
bool run_plan_has_file(const struct pass *pass, const struct job *job, const char *sha256);
void run_plan_end(struct pass *pass); /* frees; none is fine */

/* Whether a job may give to one account what a change job before it takes from another: then what
   tries both takes all accounts at once. */
enum err_code pass_entangled(struct pass *pass, bool *ret, struct err *err) _must_check_;

/* Calls `each` for one range of the pass' accounts after the other, behind `from`, up to `to`. */
typedef enum err_code (*range_fn)(void *context, int64_t from, int64_t to, struct err *err);
enum err_code pass_ranges(struct pass *pass, const char *phase, range_fn each, void *context,
                          struct err *err) _must_check_;

/* The dry run. */
enum err_code pass_preview(struct pass *pass, char **ret_published, struct err *err) _must_check_;

#endif
