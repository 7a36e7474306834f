/* What the parts of a run share: run.c leads, run_change.c changes, run_report.c reports and
   publishes, run_input.c takes in files, run_reader.c finds the replica, run_cleanup.c removes what
   is past its time, run_preview.c tries it all without keeping it; all stand on run_pass.c. */
#ifndef LAPSE_RUN_INTERNAL_H
#define LAPSE_RUN_INTERNAL_H

#include "db.h"
#include "ledger.h"
#include "publish.h"
#include "run.h"

struct invocation {
    const struct run_request *request;
    const struct run_observer *observer;
    const struct deadline *deadline;
    struct db *db;     /* does the work */
    struct db *lock;   /* holds the locks in an open transaction; NULL in a dry run */
    struct db *reader; /* the replica that report jobs read, or NULL */
};

/* One as-of: the runs asked for, or those that an earlier invocation left unfinished. */
struct pass {
    struct invocation *inv;
    struct instant as_of;
    char as_of_text[INSTANT_SIZE], date[DAY_SIZE];
    const char *accounts;  /* array literal, or NULL for all */
    const char *asked_out; /* --out, or NULL */
    unsigned formats;      /* --format, or 0: the settings' */
    bool resuming;         /* what an earlier invocation left: no option of this one counts */
    const char *out;       /* folder to publish in, or NULL: nothing is published */
    struct staging *staging;
    struct run *runs;
    size_t n;
};

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

/* What is due: sets run->due, and gives the batches' last keys. */
struct batch_key {
    int64_t account, id, due_so_far;
};
struct batch_keys {
    struct batch_key *keys;
    size_t n, size;
};
enum err_code run_cut(struct pass *pass, struct run *run, const struct args *args,
                      struct batch_keys *ret, struct err *err) _must_check_;

/* The job's steps over the range in `args`, inside the open transaction. */
enum err_code run_steps(struct pass *pass, const struct run *run, struct args *args,
                        struct written *ret, struct err *err) _must_check_;

/* ERR_STOPPED where what the job has to read for this as-of is gone, unless that is allowed: then
   run->incomplete says what is missing. In a transaction of its own. */
enum err_code run_check_gone(struct pass *pass, struct run *run, struct err *err) _must_check_;

/* Removes the sets of reports that are past [reports] retention. */
enum err_code run_retire_reports(struct pass *pass, struct run *run, struct err *err) _must_check_;

/* Takes in the job's files, each in a transaction of its own. */
enum err_code run_input(struct pass *pass, struct run *run, struct err *err) _must_check_;

/* The same inside the open transaction, which will be rolled back. */
enum err_code run_input_try(struct pass *pass, struct run *run, struct err *err) _must_check_;

/* A new connection in place of a lost one; the locks must still be ours. */
enum err_code run_reconnect(struct pass *pass, struct err *err) _must_check_;

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

/* The dry run. */
enum err_code pass_preview(struct pass *pass, char **ret_published, struct err *err) _must_check_;

#endif
