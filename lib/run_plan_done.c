/* What has been done of a plan already: by an apply that was killed, or stopped. */
#define _GNU_SOURCE
#include "run_plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "terminal.h"

#include "ban.h"

bool *plan_done_of(const struct applying *applying, size_t job, size_t account)
{
    return &applying->done[job * applying->plan->n_accounts + account];
}

bool run_plan_has_file(const struct pass *pass, const struct job *job, const char *sha256)
{
    const struct plan *plan = pass->applying->plan;

    for (size_t i = 0; i < plan->n_jobs; i++)
        if (plan->jobs[i].job == job)
            return plan_files_have(&plan->jobs[i].files, sha256);
    return false;
}

static enum err_code take_applied(void *context, const struct db_row *row, struct err *err)
{
    char when[INSTANT_TEXT_SIZE];

    (void)context;
    err_set(err, ERR_STOPPED, "this plan was applied at %s already, by run %s",
            show_instant(db_text(row, 0), when), db_text(row, 1));
    err_hint(err, "a plan is applied once; what is due now is another: make a new one");
    return err->code;
}

static enum err_code take_undone(void *context, const struct db_row *row, struct err *err)
{
    (void)context;
    err_set(err, ERR_STOPPED,
            "this plan was begun, and run %" PRId64 " of it was undone by run %" PRId64,
            db_int(row, 0), db_int(row, 1));
    err_hint(err, "make a new plan of what is due now");
    return err->code;
}

static enum err_code take_run(void *context, const struct db_row *row, struct err *err)
{
    struct applying *applying = context;
    struct plan_run *grown =
        reallocarray(applying->runs, applying->n_runs + 1, sizeof *applying->runs);

    if (!grown)
        return err_nomem(err);
    applying->runs = grown;
    for (size_t i = 0; i < applying->plan->n_jobs; i++)
        if (str_eq(applying->plan->jobs[i].job->name, db_text(row, 1)))
            grown[applying->n_runs++] = (struct plan_run){
                .run_id = db_int(row, 0),
                .job = i,
                .all_done = str_eq(db_text(row, 2), "done") || str_eq(db_text(row, 2), "applied"),
            };
    return ERR_OK;
}

static enum err_code take_done(void *context, const struct db_row *row, _unused_ struct err *err)
{
    struct applying *applying = context;
    size_t account;

    for (size_t i = 0; i < applying->n_runs; i++)
        if (applying->runs[i].run_id == db_int(row, 0) &&
            plan_account(applying->plan, db_int(row, 1), &account)) {
            *plan_done_of(applying, applying->runs[i].job, account) = true;
            applying->n_done++;
        }
    return ERR_OK;
}

enum err_code plan_list_runs(const struct pass *pass, bool trying, struct strbuf *ret,
                             struct err *err)
{
    const struct applying *applying = pass->applying;

    sb_reset(ret);
    for (size_t i = 0; i < pass->n; i++) {
        bool listed = false;

        for (size_t k = 0; k < applying->n_runs; k++) {
            if (applying->runs[k].job != i)
                continue;
            sb_addf(ret, "%s%" PRId64, ret->len ? "," : "{", applying->runs[k].run_id);
            listed = listed || applying->runs[k].run_id == pass->runs[i].run_id;
        }
        if (trying)
            sb_addf(ret, "%s%" PRId64, ret->len ? "," : "{", -1 - (int64_t)i);
        else if (!listed && pass->runs[i].run_id)
            sb_addf(ret, "%s%" PRId64, ret->len ? "," : "{", pass->runs[i].run_id);
    }
    sb_adds(ret, ret->len ? "}" : "{}");
    return sb_text(ret) ? ERR_OK : err_nomem(err);
}

enum err_code plan_tell_drift(void *context, const struct plan_drift *what, struct err *err)
{
    struct pass *pass = context;
    const struct run_observer *observer = pass->inv->observer;

    pass->applying->n_rows++;
    return observer->drift ? observer->drift(observer->context, what, err) : ERR_OK;
}

/* A job that ended without some of its accounts has left them. */
static enum err_code find_left(struct pass *pass, size_t job, struct err *err)
{
    struct applying *applying = pass->applying;
    const struct plan *plan = applying->plan;
    enum err_code code = ERR_OK;

    for (size_t i = 0; code == ERR_OK && i < plan->jobs[job].n; i++) {
        int64_t account = plan->lines[plan->jobs[job].first + i].account;
        struct plan_drift what = {plan->jobs[job].job, account, NULL, NULL,
                                  "was left when this plan was applied before"};
        size_t at;

        if (!plan_account(plan, account, &at) || *plan_done_of(applying, job, at) ||
            applying->left[at])
            continue;
        applying->left[at] = true;
        applying->n_left++;
        code = plan_tell_drift(pass, &what, err);
    }
    return code;
}

static enum err_code load_done(struct pass *pass, struct err *err)
{
    struct applying *applying = pass->applying;
    _cleanup_sb_ struct strbuf ids = {0};
    struct args args = {0};
    enum err_code code;

    args_text(&args, "plan", applying->plan->sha256);
    code = db_run_alone(pass->inv->db, &sql_ledger_plan_applied, &args, take_applied, NULL, err);
    if (code == ERR_OK)
        code = db_run_alone(pass->inv->db, &sql_ledger_plan_runs, &args, take_run, applying, err);
    if (code != ERR_OK || applying->n_runs == 0)
        return code;
    code = plan_list_runs(pass, false, &ids, err);
    args_text(&args, "run_ids", sb_text(&ids));
    if (code == ERR_OK)
        code = db_run_alone(pass->inv->db, &sql_ledger_plan_undone, &args, take_undone, NULL, err);
    if (code == ERR_OK)
        code = db_run_alone(pass->inv->db, &sql_ledger_plan_done, &args, take_done, applying, err);
    return code;
}

/* An unfinished run of the job that is no plan's would never be gone on with behind a newer one. */
static enum err_code check_finished(struct pass *pass, const struct job *job, struct err *err)
{
    struct unfinished left;
    enum err_code code = ledger_unfinished(pass->inv->db, job->name, NULL, &left, err);

    if (code == ERR_OK && left.found) {
        code = err_set(err, ERR_STOPPED, "run %" PRId64 " of %s was left unfinished", left.run_id,
                       job->name);
        err_hint(err, "\"lapse run %s\" finishes it; then make the plan anew", job->name);
    }
    unfinished_done(&left);
    return code;
}

/* The job's run, where it is over, applied or unfinished. */
static enum err_code find_run(struct pass *pass, size_t job, struct err *err)
{
    struct applying *applying = pass->applying;
    struct run *run = &pass->runs[job];
    struct unfinished left;
    enum err_code code = check_finished(pass, run->job, err);

    if (code != ERR_OK)
        return code;
    code = ledger_unfinished(pass->inv->db, run->job->name, applying->plan->sha256, &left, err);

    if (code == ERR_OK && left.found) {
        run_resume(run, &left);
        run_tell(pass->inv, NEWS_NOTE,
                 "going on with run %" PRId64 " of %s, which was left "
                 "unfinished",
                 left.run_id, run->job->name);
    }
    for (size_t i = 0; code == ERR_OK && i < applying->n_runs; i++) {
        if (applying->runs[i].job != job || !applying->runs[i].all_done)
            continue;
        if (!left.found) {
            run->run_id = applying->runs[i].run_id;
            run->applied = run->ended = true;
            run->state = RUN_DONE;
        }
        code = find_left(pass, job, err);
        break;
    }
    unfinished_done(&left);
    return code;
}

enum err_code run_plan_begin(struct pass *pass, struct err *err)
{
    const struct plan *plan = pass->inv->request->plan;
    size_t n = plan->n_accounts ? plan->n_accounts : 1;
    struct applying *applying = calloc(1, sizeof *applying);
    enum err_code code = ERR_OK;

    if (!applying)
        return err_nomem(err);
    pass->applying = applying;
    applying->plan = plan;
    applying->left = calloc(n, sizeof *applying->left);
    applying->differs = calloc(n, sizeof *applying->differs);
    applying->done = calloc(n * (plan->n_jobs ? plan->n_jobs : 1), sizeof *applying->done);
    applying->refusals = calloc(pass->n ? pass->n : 1, sizeof *applying->refusals);
    if (!applying->left || !applying->differs || !applying->done || !applying->refusals)
        return err_nomem(err);
    for (size_t i = 0; i < pass->n; i++)
        if (pass->runs[i].state == RUN_FAILED) { /* its lock is taken */
            err_copy(err, &pass->runs[i].err);
            return err->code;
        }
    code = load_done(pass, err);
    for (size_t i = 0; code == ERR_OK && i < pass->n; i++)
        code = find_run(pass, i, err);
    return code;
}

void run_plan_end(struct pass *pass)
{
    struct applying *applying = TAKE_PTR(pass->applying);

    if (!applying)
        return;
    for (size_t i = 0; applying->refusals && i < pass->n; i++)
        refusals_done(&applying->refusals[i]);
    free(applying->refusals);
    free(applying->left);
    free(applying->differs);
    free(applying->done);
    free(applying->runs);
    sb_done(&applying->accounts);
    free(applying);
}
