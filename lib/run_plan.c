/* Carrying out a plan: the jobs' own steps, over the plan's accounts only, and nothing else than
   the plan's lines. Everything is tried first, rolled back, and compared; then each batch is
   compared again inside its transaction, since somebody may be faster. An account is left whole
   where any of its lines differs; a batch is always of whole accounts, so that after a kill the
   audit tells which accounts of which job are done. */
#define _GNU_SOURCE
#include "run_plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "terminal.h"

#include "ban.h"

enum { ACCOUNTS_PER_RANGE = 2000 };

/* The accounts behind `from` up to `to` that are not left, as an array literal. */
static enum err_code list_accounts(const struct applying *applying, int64_t from, int64_t to,
                                   struct strbuf *ret, struct err *err)
{
    const struct plan *plan = applying->plan;

    sb_reset(ret);
    sb_adds(ret, "{");
    for (size_t i = 0; i < plan->n_accounts && plan->accounts[i] <= to; i++)
        if (plan->accounts[i] > from && !applying->left[i])
            sb_addf(ret, "%s%" PRId64, ret->len > 1 ? "," : "", plan->accounts[i]);
    sb_adds(ret, "}");
    return sb_text(ret) ? ERR_OK : err_nomem(err);
}

/* ---- comparing ---- */

/* Lines as they are due now; their texts are owned. */
struct due {
    struct plan_line *list;
    size_t n, size;
};

static void due_done(struct due *due)
{
    for (size_t i = 0; i < due->n; i++)
        free(due->list[i].text);
    free(due->list);
    *due = (struct due){0};
}

#define _cleanup_due_ _cleanup_(due_done)

static enum err_code take_line(void *context, const struct db_row *row, struct err *err)
{
    struct due *due = context;
    char *text = strdup(db_text(row, 2));

    if (text && due->n == due->size) {
        size_t size = due->size ? due->size * 2 : 256;
        struct plan_line *grown = reallocarray(due->list, size, sizeof *grown);

        if (grown) {
            due->list = grown;
            due->size = size;
        }
    }
    if (!text || due->n == due->size) {
        free(text);
        return err_nomem(err);
    }
    due->list[due->n++] = (struct plan_line){db_int(row, 0), text};
    return ERR_OK;
}

static size_t span(const struct plan_line *lines, size_t from, size_t end, int64_t account)
{
    size_t n = 0;

    while (from + n < end && lines[from + n].account == account)
        n++;
    return n;
}

/* The lines of a job for the accounts behind `from` up to `to`, as planned and as due, account by
   account; marks those that differ. */
static enum err_code compare(struct pass *pass, size_t job, int64_t from, int64_t to,
                             const struct due *due, struct err *err)
{
    struct applying *applying = pass->applying;
    const struct plan *plan = applying->plan;
    const struct plan_job *of = &plan->jobs[job];
    size_t i = plan_lines_behind(plan, of, from), end = plan_lines_behind(plan, of, to), j = 0;
    enum err_code code = ERR_OK;

    while (code == ERR_OK && (i < end || j < due->n)) {
        int64_t account = j == due->n || (i < end && plan->lines[i].account < due->list[j].account)
                              ? plan->lines[i].account
                              : due->list[j].account;
        size_t planned = span(plan->lines, i, end, account),
               now = span(due->list, j, due->n, account);
        size_t at;
        bool same = true, known = plan_account(plan, account, &at);

        if (!known)
            return err_set(err, ERR_INTERNAL, "account %" PRId64 " is not part of the plan",
                           account);
        if (!applying->left[at])
            code = plan_compare(of->job, &plan->lines[i],
                                *plan_done_of(applying, job, at) ? 0 : planned, &due->list[j], now,
                                &same, plan_tell_drift, pass, err);
        applying->differs[at] = applying->differs[at] || !same;
        i += planned;
        j += now;
    }
    return code;
}

/* What differs is left from here on; how many accounts these are. */
static size_t leave_what_differs(struct applying *applying)
{
    size_t n = 0;

    for (size_t i = 0; i < applying->plan->n_accounts; i++)
        if (applying->differs[i]) {
            applying->left[i] = true;
            applying->differs[i] = false;
            n++;
        }
    applying->n_left += n;
    return n;
}

static enum err_code read_lines(struct pass *pass, const struct args *batch, bool trying,
                                struct due *ret, struct err *err)
{
    _cleanup_sb_ struct strbuf ids = {0};
    struct args args = *batch;
    enum err_code code = plan_list_runs(pass, trying, &ids, err);

    args_text(&args, "run_ids", sb_text(&ids));
    return code == ERR_OK
               ? db_run(pass->inv->db, &sql_ledger_plan_lines, &args, take_line, ret, err)
               : code;
}

/* ---- trying ---- */

/* Of the refused accounts behind the first `known`, those that cannot be done as planned. */
static enum err_code tell_refusals(struct pass *pass, size_t job, const struct refusals *refusals,
                                   size_t known, struct err *err)
{
    const struct applying *applying = pass->applying;
    enum err_code code = ERR_OK;

    for (size_t i = known; code == ERR_OK && i < refusals->n; i++) {
        const struct refusal *refusal = &refusals->list[i];
        _cleanup_free_ char *why = str_format("is refused by the database (SQLSTATE %s): %s",
                                              refusal->sqlstate, refusal->reason);
        struct plan_drift what = {pass->runs[job].job, refusal->account, NULL, NULL, why};
        size_t at;

        if (!why)
            return err_nomem(err);
        if (plan_account(applying->plan, refusal->account, &at) && applying->differs[at])
            code = plan_tell_drift(pass, &what, err);
    }
    return code;
}

/* One job over one range, inside the transaction that will be rolled back. */
static enum err_code try_job(struct pass *pass, size_t job, struct args *args,
                             const struct asked *asked, int64_t from, int64_t to, struct err *err)
{
    _cleanup_due_ struct due due = {0};
    struct run tried = {.job = pass->runs[job].job, .run_id = -1 - (int64_t)job};
    struct refusals *refusals = &pass->applying->refusals[job];
    size_t known = refusals->n;
    struct written written = {0};
    const struct bisection parts = {
        .pass = pass, .run = &tried, .refusals = refusals, .tried = &written};
    enum err_code code = run_try(&parts, args, asked, from, to, err);

    if (code == ERR_OK)
        code = read_lines(pass, args, true, &due, err);
    if (code == ERR_OK)
        code = compare(pass, job, from, to, &due, err);
    if (code == ERR_OK)
        code = tell_refusals(pass, job, refusals, known, err);
    err_done(&tried.err);
    return code;
}

static void try_args(const struct pass *pass, size_t job, const char *accounts, int64_t from,
                     int64_t to, struct args *args)
{
    pass_args(pass, &pass->runs[job], args);
    args_range(args, from, KEY_MAX, to, KEY_MAX);
    args_text(args, "accounts", accounts);
    args_int(args, "run_id", -1 - (int64_t)job);
}

/* The accounts behind `from` up to `to`; what has to be asked is asked before the transaction. */
static enum err_code try_range(struct pass *pass, int64_t from, int64_t to, struct err *err)
{
    _cleanup_sb_ struct strbuf accounts = {0};
    struct asked *asked = calloc(pass->n ? pass->n : 1, sizeof *asked);
    enum err_code code =
        asked ? list_accounts(pass->applying, from, to, &accounts, err) : err_nomem(err);

    for (size_t i = 0; code == ERR_OK && i < pass->n; i++) {
        struct args args = {0};

        try_args(pass, i, sb_text(&accounts), from, to, &args);
        code = run_ask_range(pass, &pass->runs[i], &args, &asked[i], err);
    }
    if (code == ERR_OK)
        code = db_begin(pass->inv->db, DB_CHANGE, err);
    for (size_t i = 0; code == ERR_OK && i < pass->n; i++) {
        struct args args = {0};

        try_args(pass, i, sb_text(&accounts), from, to, &args);
        code = try_job(pass, i, &args, &asked[i], from, to, err);
    }
    db_rollback(pass->inv->db);
    for (size_t i = 0; asked && i < pass->n; i++)
        asked_done(&asked[i]);
    free(asked);
    leave_what_differs(pass->applying);
    return code;
}

static enum err_code check_settings(const struct pass *pass, struct err *err)
{
    for (size_t i = 0; i < pass->n; i++) {
        if (str_eq(pass->runs[i].settings, pass->applying->plan->jobs[i].settings))
            continue;
        err_set(err, ERR_STOPPED, "the settings that shape %s are not those of the plan",
                pass->runs[i].job->name);
        err_hint(err,
                 "\"lapse conf\" shows the settings of [rules] and of the job; set them as they "
                 "were, or make a new plan");
        return err->code;
    }
    return ERR_OK;
}

static enum err_code has_moved_on(const struct applying *applying, struct err *err)
{
    char rows[NUMBER_SIZE], accounts[NUMBER_SIZE];

    err_set(err, ERR_STOPPED,
            "the data have moved on since the plan: %s rows in %s of its accounts differ; nothing "
            "%swas changed",
            show_count((int64_t)applying->n_rows, rows),
            show_count((int64_t)applying->n_left, accounts), applying->n_done ? "more " : "");
    err_hint(err, "make a new plan, or have all other accounts done with --skip-drifted");
    return err->code;
}

enum err_code run_plan_check(struct pass *pass, struct err *err)
{
    struct applying *applying = pass->applying;
    const struct plan *plan = applying->plan;
    size_t step = ACCOUNTS_PER_RANGE;
    int64_t from = INT64_MIN;
    bool at_once = false;
    enum err_code code = check_settings(pass, err);

    for (size_t i = 0; code == ERR_OK && i < pass->n; i++)
        if (pass->runs[i].state != RUN_DONE)
            code = run_check_backdate(pass, &pass->runs[i], err);
    if (code == ERR_OK)
        code = pass_entangled(pass, &at_once, err);
    if (at_once)
        step = plan->n_accounts;
    for (size_t i = 0; code == ERR_OK && i < plan->n_accounts; i += step) {
        size_t last = i + step < plan->n_accounts ? i + step : plan->n_accounts;

        run_progress(pass->inv, pass->runs[0].job, "comparing", i, plan->n_accounts);
        code = try_range(pass, from, plan->accounts[last - 1], err);
        from = plan->accounts[last - 1];
    }
    if (code == ERR_OK && applying->n_left > 0 && !pass->inv->request->skip_drifted)
        code = has_moved_on(applying, err);
    if (code == ERR_OK)
        code = list_accounts(applying, INT64_MIN, INT64_MAX, &applying->accounts, err);
    pass->accounts = sb_text(&applying->accounts);
    return code;
}

/* ---- changing ---- */

enum err_code run_plan_compare(const struct bisection *b, struct args *args, struct err *err)
{
    _cleanup_due_ struct due due = {0};
    struct pass *pass = b->pass;
    const struct run *run = b->run;
    struct applying *applying = pass->applying;
    size_t job = (size_t)(run - pass->runs);
    enum err_code code = read_lines(pass, args, false, &due, err);

    if (code == ERR_OK)
        code = compare(pass, job, applying->from, applying->to, &due, err);
    if (code == ERR_OK)
        code = tell_refusals(pass, job, b->refusals, applying->before.n, err);
    if (code != ERR_OK)
        return code;
    applying->moved = leave_what_differs(applying) > 0;
    if (!applying->moved)
        return ERR_OK;
    err_set(err, ERR_STOPPED,
            "the data moved on while the plan was carried out; the %" PRId64
            " rows that %s has changed stay",
            run->changed, run->job->name);
    err_hint(err, "\"lapse apply --skip-drifted\" goes on with all other accounts of the plan");
    return err->code;
}

/* A batch, without the accounts that turn out to have moved on where these are to be left. */
static enum err_code batch(const struct bisection *b, struct args *args, struct err *err)
{
    struct pass *pass = b->pass;
    struct applying *applying = pass->applying;

    applying->before = refusals_mark(b->refusals);
    for (;;) {
        _cleanup_sb_ struct strbuf accounts = {0};
        _cleanup_err_ struct err why = {0};
        enum err_code code = list_accounts(applying, applying->from, applying->to, &accounts, err);

        if (code != ERR_OK)
            return code;
        applying->moved = false;
        refusals_back(b->refusals, applying->before);
        args_text(args, "accounts", sb_text(&accounts));
        args_int(args, "batch_no", b->run->batches + 1);
        code = run_batch(b, args, (struct batch_key){applying->from, KEY_MAX, 0},
                         (struct batch_key){applying->to, KEY_MAX, 0}, NOT_COUNTED, &why);
        args_text(args, "accounts", pass->accounts);
        if (code == ERR_OK || !applying->moved || !pass->inv->request->skip_drifted) {
            err_move(err, &why);
            return code;
        }
    }
}

enum err_code run_plan_batches(const struct bisection *b, struct args *args,
                               const struct batch_keys *keys, struct err *err)
{
    struct pass *pass = b->pass;
    struct applying *applying = pass->applying;
    struct pace pace = pace_begin(pass);
    enum err_code code = ERR_OK;

    applying->from = INT64_MIN;
    /* Once more than there are keys: where nothing is due, the plan must have nothing either. */
    for (size_t i = 0; code == ERR_OK && i <= keys->n; i++) {
        applying->to = i == keys->n ? INT64_MAX : keys->keys[i].account;
        if (i < keys->n && (i == keys->n - 1 || keys->keys[i + 1].account == applying->to ||
                            pace_holds(&pace, keys->keys[i + 1].due_so_far)))
            continue;
        run_progress(pass->inv, b->run->job, "changing", i, keys->n);
        args_range(args, applying->from, KEY_MAX, applying->to, KEY_MAX);
        code = batch(b, args, err);
        if (i < keys->n)
            pace_next(&pace, keys->keys[i].due_so_far);
        applying->from = applying->to;
    }
    if (code == ERR_OK) /* who was left just now is left by the jobs behind as well */
        code = list_accounts(applying, INT64_MIN, INT64_MAX, &applying->accounts, err);
    pass->accounts = sb_text(&applying->accounts);
    return code;
}

/* ---- the end ---- */

enum err_code run_plan_remember(struct pass *pass, struct err *err)
{
    _cleanup_sb_ struct strbuf ids = {0};
    struct applying *applying = pass->applying;
    char rows[NUMBER_SIZE], accounts[NUMBER_SIZE];
    struct args args = {0};
    enum err_code code;

    for (size_t i = 0; i < pass->n; i++)
        if (pass->runs[i].state != RUN_DONE)
            return ERR_OK; /* the same command goes on with it */
    code = plan_list_runs(pass, false, &ids, err);
    args_text(&args, "plan", applying->plan->sha256);
    args_text(&args, "as_of", pass->as_of_text);
    args_text(&args, "run_ids", sb_text(&ids));
    if (code == ERR_OK)
        code = db_run_alone(pass->inv->db, &sql_ledger_plan_remember, &args, NULL, NULL, err);
    if (code == ERR_OK && applying->n_left)
        run_tell(pass->inv, NEWS_NOTE,
                 "left as they are: %s of the plan's accounts, where %s rows have moved on",
                 show_count((int64_t)applying->n_left, accounts),
                 show_count((int64_t)applying->n_rows, rows));
    return code;
}
