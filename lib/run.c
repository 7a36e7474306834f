/* The life of a run: see run.h. This file leads; its parts are named in run_internal.h. */
#define _GNU_SOURCE
#include "run_internal.h"
#include "migrate.h"

#include <inttypes.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ban.h"

/* SHA-256 over what shapes the job's result, so that two runs can be compared. */
static void settings_digest(const struct pass *pass, const struct job *job, char ret[65])
{
    _cleanup_sb_ struct strbuf text = {0};
    unsigned char digest[32] = {0};
    const struct setting *setting;
    const char *value;
    enum setting_source source;

    for (size_t i = 0; conf_each(pass->inv->request->conf, i, &setting, &value, &source); i++)
        if (strcmp(setting->section, "rules") == 0)
            sb_addf(&text, "%s=%s\n", setting->key, value ? value : "");
    for (const struct setting *own = job->settings; own && own->key; own++) {
        value = job_option(pass, job, own->key);
        sb_addf(&text, "%s.%s=%s\n", job->name, own->key, value ? value : "");
    }
    if (sb_text(&text))
        EVP_Digest(sb_text(&text), text.len, digest, NULL, EVP_sha256(), NULL);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

static const char *trigger(void)
{
    if (getenv("INVOCATION_ID"))
        return "systemd";
    return isatty(STDIN_FILENO) || isatty(STDERR_FILENO) ? "manual" : "cron";
}

/* The orders given to a job on the command line: {"apply_renewals": "yes"}; NULL for no memory. */
static json_t *orders_given(const struct run_request *request, const struct job *job)
{
    json_t *given = json_object();

    for (size_t i = 0; given && i < request->n_options; i++) {
        const struct run_option *option = &request->options[i];

        if (option->job == job && option->setting->option & OPTION_ORDER)
            json_object_set_new(given, option->setting->key, json_string(option->value));
    }
    return given;
}

/* What a run was asked for, so that whoever finishes it does the same. */
static char *options_json(const struct pass *pass, const struct job *job)
{
    json_t *options = json_pack("{s:s*, s:s*, s:i}", "accounts", pass->reported, "out",
                                pass->asked_out, "formats", (int)pass->formats);
    char *text;

    if (options && has_options(pass, job))
        json_object_set_new(options, "override", json_true());
    if (options && pass->inv->request->plan)
        json_object_set_new(options, "plan", json_string(pass->inv->request->plan->sha256));
    if (options && pass->max_changes >= 0)
        json_object_set_new(options, "max_changes", json_integer(pass->max_changes));
    if (options)
        json_object_set_new(options, "given", orders_given(pass->inv->request, job));
    text = options ? json_dumps(options, JSON_COMPACT) : NULL;
    json_decref(options);
    return text;
}

/* Puts the run into the ledger, or takes over the one that is there. */
static enum err_code enter_ledger(struct pass *pass, struct run *run, struct err *err)
{
    _cleanup_free_ char *options = NULL;
    char host[256] = "";
    struct ledger_entry entry = {.job = run->job->name,
                                 .as_of = pass->as_of_text,
                                 .trigger = trigger(),
                                 .settings_digest = run->settings,
                                 .version = LAPSE_VERSION,
                                 .host = host};

    gethostname(host, sizeof host - 1);
    options = options_json(pass, run->job);
    entry.options = options;
    if (!entry.options)
        return err_nomem(err);
    if (run->resumed)
        return ledger_take_over(pass->inv->db, &entry, run->run_id, &run->attempt, err);
    run->attempt = 1;
    return ledger_start(pass->inv->db, &entry, &run->run_id, err);
}

enum err_code run_check_backdate(struct pass *pass, const struct run *run, struct err *err)
{
    const struct run_request *request = pass->inv->request;
    struct instant last, now;
    char text[INSTANT_SIZE];
    bool found;
    enum err_code code;

    if (run->job->kind == JOB_REPORT || run->resumed || request->allow_backdate || !request->as_of)
        return ERR_OK;
    code = ledger_last_applied(pass->inv->db, run->job->name, &found, &last, err);
    if (code == ERR_OK && found && pass->as_of.seconds < last.seconds)
        code = err_set(err, ERR_STOPPED, "already done as of %s, which is after %s",
                       instant_format(last, text), pass->as_of_text);
    if (code == ERR_OK)
        code = ledger_clock(pass->inv->db, &now, err);
    if (code == ERR_OK && pass->as_of.seconds > now.seconds)
        code = err_set(err, ERR_STOPPED, "%s lies in the future", pass->as_of_text);
    if (code == ERR_STOPPED && request->plan)
        err_hint(err,
                 "a plan is applied once its as-of has come, and before a later run: make a new "
                 "one");
    else if (code == ERR_STOPPED)
        err_hint(err, "look with --dry-run first; if it is meant, add --allow-backdate");
    return code;
}

static void begin_run(struct pass *pass, struct run *run)
{
    _cleanup_err_ struct err err = {0};
    enum err_code code = deadline_check(pass->inv->deadline, &err);

    if (code == ERR_OK)
        code = run_check_backdate(pass, run, &err);
    if (code == ERR_OK)
        code = run_check_gone(pass, run, &err);
    if (code == ERR_OK)
        code = enter_ledger(pass, run, &err);
    if (code == ERR_OK) {
        bool applied = run->applied && run->job->kind == JOB_CHANGE;

        run->state = applied || run->job->kind == JOB_REPORT ? RUN_APPLIED : RUN_RUNNING;
        return;
    }
    err_move(&run->err, &err);
    run_fail(pass, run);
}

/* The first run, in order, that did not end well. */
static enum err_code first_error(const struct pass *pass, struct err *err)
{
    for (size_t i = 0; i < pass->n; i++) {
        const struct err *why = &pass->runs[i].err;

        if (why->code == ERR_OK)
            continue;
        err_copy(err, why);
        err_prefix(err, "%s", pass->runs[i].job->name);
        return why->code;
    }
    return ERR_OK;
}

static enum err_code open_staging(struct pass *pass, struct err *err)
{
    if (!pass->out)
        return ERR_OK;
    return staging_open(&pass->staging, pass->out, err);
}

/* Every run of the pass is in the ledger before the first one changes anything: where this process
   is killed, the next one finishes them all under this as-of, and no report of the date is missed.
 */
static void do_runs(struct pass *pass, char **ret_published)
{
    for (size_t i = 0; i < pass->n; i++)
        if (pass->runs[i].state != RUN_DONE && run_may_go_on(pass, &pass->runs[i]))
            begin_run(pass, &pass->runs[i]);
    for (size_t i = 0; i < pass->n; i++) {
        struct run *run = &pass->runs[i];
        int64_t begun = monotonic_ns();

        if (run->job->kind != JOB_CHANGE)
            continue;
        if (run_may_go_on(pass, run) && run->state == RUN_RUNNING)
            run_change(pass, run);
        run->nanoseconds = monotonic_ns() - begun;
    }
    pass_report(pass, ret_published);
    for (size_t i = 0; i < pass->n; i++) {
        struct run *run = &pass->runs[i];
        int64_t begun = monotonic_ns();

        if (run->job->kind != JOB_CLEANUP)
            continue;
        if (run_may_go_on(pass, run) && run->state == RUN_RUNNING)
            run_clean_up(pass, run);
        run->nanoseconds = monotonic_ns() - begun;
    }
}

static enum err_code do_pass(struct pass *pass, struct err *err)
{
    _cleanup_free_ char *published = NULL;
    const struct run_observer *observer = pass->inv->observer;
    enum err_code code;

    instant_format(pass->as_of, pass->as_of_text);
    instant_format_day(pass->as_of, pass->date);
    for (size_t i = 0; i < pass->n; i++)
        settings_digest(pass, pass->runs[i].job, pass->runs[i].settings);
    code = open_staging(pass, err);
    if (code == ERR_OK && pass->applying)
        code = run_plan_check(pass, err);
    if (code == ERR_OK) {
        if (pass->inv->request->dry_run)
            code = pass_preview(pass, &published, err);
        else
            do_runs(pass, &published);
    }
    if (code == ERR_OK && pass->applying)
        code = run_plan_remember(pass, err);
    if (code == ERR_OK && observer->finished)
        observer->finished(observer->context, pass->runs, pass->n, &pass->as_of, published);
    staging_discard(TAKE_PTR(pass->staging));
    return code == ERR_OK ? first_error(pass, err) : code;
}

static void pass_done(struct pass *pass)
{
    run_plan_end(pass);
    for (size_t i = 0; i < pass->n; i++) {
        err_done(&pass->runs[i].err);
        report_files_done(&pass->runs[i].made);
        free(pass->runs[i].meta);
        free(pass->runs[i].incomplete);
        json_decref(pass->runs[i].given);
    }
    free(pass->runs);
    pass->runs = NULL;
    pass->n = 0;
}

/* Where this pass publishes; NULL for nowhere. A result for some accounts only, and a dry run's, go
   only where somebody says. */
static enum err_code choose_out(struct pass *pass, struct err *err)
{
    const struct run_request *request = pass->inv->request;
    enum err_code code;

    pass->out = pass->asked_out;
    if (pass->out || pass->reported || request->dry_run)
        return ERR_OK;
    pass->out = conf_text(request->conf, "reports", "dir");
    if (pass->out || request->may_be_unpublished)
        return ERR_OK;
    code = err_set(err, ERR_CONFIG, "no folder to publish the reports in");
    err_hint(err, request->plan ? "set [reports] dir" : "set [reports] dir, or give --out DIR");
    return code;
}

/* One job's lock; who does not get it has failed before it began. */
static enum err_code lock_jobs(struct invocation *inv, struct pass *main_pass, struct err *err)
{
    enum err_code code = db_begin(inv->lock, DB_CHANGE, err);

    for (size_t i = 0; code == ERR_OK && i < main_pass->n; i++) {
        struct run *run = &main_pass->runs[i];

        code = ledger_lock(inv->lock, run->job->name, err);
        if (code == ERR_TEMP && !db_is_lost(inv->lock)) {
            err_move(&run->err, err);
            run->state = RUN_FAILED;
            code = ERR_OK;
        }
    }
    return code;
}

static enum err_code new_runs(struct pass *pass, const struct job *const *jobs, size_t n,
                              struct err *err)
{
    pass->runs = calloc(n ? n : 1, sizeof *pass->runs);
    if (!pass->runs)
        return err_nomem(err);
    pass->n = n;
    for (size_t i = 0; i < n; i++)
        pass->runs[i].job = jobs[i];
    return ERR_OK;
}

void run_resume(struct run *run, const struct unfinished *left)
{
    run->resumed = true;
    run->run_id = left->run_id;
    run->attempt = left->attempt;
    run->changed = left->changed;
    run->recorded = left->recorded;
    run->done = left->done;
    run->batches = left->batches;
    run->looked_at = left->looked_at;
    run->skipped = left->skipped;
    run->applied = left->applied;
    if (left->given)
        run->given = json_loads(left->given, 0, NULL);
}

/* Finishes every run left unfinished for the as-of, accounts and folder of `first`, as one pass. */
static enum err_code resume_group(struct invocation *inv, const struct pass *main_pass,
                                  struct unfinished *left, size_t first, struct err *err)
{
    struct pass pass = {.inv = inv,
                        .as_of = left[first].as_of,
                        .accounts = left[first].accounts,
                        .reported = left[first].accounts,
                        .asked_out = left[first].out,
                        .formats = left[first].formats,
                        .max_changes = main_pass->max_changes >= 0 ? main_pass->max_changes
                                                                   : left[first].max_changes,
                        .resuming = true};
    enum err_code code = choose_out(&pass, err);

    if (code == ERR_OK && !(pass.runs = calloc(main_pass->n, sizeof *pass.runs)))
        code = err_nomem(err);
    if (code != ERR_OK)
        return code;
    for (size_t i = first; i < main_pass->n; i++) {
        if (!left[i].found || left[i].as_of.seconds != pass.as_of.seconds ||
            !str_eq(left[i].accounts, pass.accounts) || !str_eq(left[i].out, pass.asked_out))
            continue;
        pass.runs[pass.n].job = main_pass->runs[i].job;
        run_resume(&pass.runs[pass.n++], &left[i]);
        left[i].found = false;
        run_tell(inv, NEWS_NOTE, "finishing run %" PRId64 " of %s, which was left unfinished",
                 left[i].run_id, main_pass->runs[i].job->name);
    }
    code = do_pass(&pass, err);
    for (size_t i = 0; i < pass.n; i++)
        for (size_t j = 0; j < main_pass->n; j++) {
            struct run *run = &main_pass->runs[j];

            if (run->job != pass.runs[i].job)
                continue;
            run->before = pass.runs[i].run_id;
            if (pass.runs[i].state == RUN_DONE)
                continue;
            err_set(&run->err, code == ERR_OK ? ERR_INTERNAL : code,
                    "not run, because the run left unfinished could not be finished");
            run->err.signal = err->signal;
            run->state = RUN_FAILED;
        }
    pass_done(&pass);
    return code;
}

/* Whether this command line gives a job the orders that an unfinished run of it was given, or none:
   then that run is gone on with as it was asked for. */
static bool same_orders(const struct run_request *request, const struct job *job,
                        const struct unfinished *left)
{
    json_t *now = orders_given(request, job);
    json_t *then = left->given ? json_loads(left->given, 0, NULL) : NULL;
    bool same = json_object_size(now) == 0 || (then && json_equal(now, then));

    json_decref(now);
    json_decref(then);
    return same;
}

/* With an as-of given, only a run left unfinished for just that one is gone on with. */
static void resume_in_place(struct pass *main_pass, struct run *run, const struct unfinished *left)
{
    if (left->found && left->as_of.seconds == main_pass->as_of.seconds &&
        str_eq(left->accounts, main_pass->accounts) && !has_options(main_pass, run->job) &&
        same_orders(main_pass->inv->request, run->job, left)) {
        run_resume(run, left);
        run_tell(main_pass->inv, NEWS_NOTE,
                 "going on with run %" PRId64 " of %s, which was left unfinished", left->run_id,
                 run->job->name);
    }
}

/* What earlier invocations left. Errors of the runs are told, and kept for the end. */
static enum err_code resume(struct invocation *inv, struct pass *main_pass, struct err *ret_first,
                            struct err *err)
{
    struct unfinished *left = calloc(main_pass->n ? main_pass->n : 1, sizeof *left);
    enum err_code code = left ? ERR_OK : err_nomem(err);

    for (size_t i = 0; code == ERR_OK && i < main_pass->n; i++) {
        struct run *run = &main_pass->runs[i];

        if (run->state == RUN_FAILED)
            continue;
        code = ledger_unfinished(inv->db, run->job->name, NULL, &left[i], err);
        if (code == ERR_OK && inv->request->as_of) {
            resume_in_place(main_pass, run, &left[i]);
            left[i].found = false;
        }
    }
    for (size_t i = 0; code == ERR_OK && i < main_pass->n; i++) {
        _cleanup_err_ struct err why = {0};

        if (!left[i].found || resume_group(inv, main_pass, left, i, &why) == ERR_OK)
            continue;
        if (ret_first->code == ERR_OK) {
            err_move(ret_first, &why);
        }
    }
    for (size_t i = 0; left && i < main_pass->n; i++)
        unfinished_done(&left[i]);
    free(left);
    return code;
}

static enum err_code invoke(struct invocation *inv, struct pass *main_pass, struct err *err)
{
    const struct run_request *request = inv->request;
    _cleanup_err_ struct err resumed = {0};
    enum err_code code = ledger_check_accounts(inv->db, request->accounts, "--account", err);

    if (code == ERR_OK)
        code = new_runs(main_pass, request->jobs, request->n_jobs, err);
    if (code == ERR_OK && !request->dry_run)
        code = lock_jobs(inv, main_pass, err);
    if (code == ERR_OK && request->as_of)
        main_pass->as_of = *request->as_of;
    else if (code == ERR_OK)
        code = ledger_clock(inv->db, &main_pass->as_of, err);
    if (code == ERR_OK && request->plan)
        code = run_plan_begin(main_pass, err);
    else if (code == ERR_OK && !request->dry_run)
        code = resume(inv, main_pass, &resumed, err);
    if (code == ERR_OK)
        code = deadline_check(inv->deadline, err);
    if (code == ERR_OK)
        code = do_pass(main_pass, err);
    if (resumed.code != ERR_OK) {
        err_move(err, &resumed);
        return err->code;
    }
    return code;
}

enum err_code run_invoke(const struct run_request *request, const struct run_observer *observer,
                         const struct deadline *deadline, struct err *err)
{
    const char *conninfo = conf_text(request->conf, "database", "conninfo");
    struct invocation inv = {.request = request, .observer = observer, .deadline = deadline};
    struct pass main_pass = {.inv = &inv,
                             .accounts = request->accounts,
                             .reported = request->accounts,
                             .asked_out = request->out,
                             .formats = request->formats,
                             .max_changes = request->max_changes};
    enum err_code code = choose_out(&main_pass, err);

    if (code == ERR_OK)
        code = run_check_asking(request, err);
    if (code == ERR_OK)
        code = db_open(&inv.db, conninfo, deadline, err);
    if (code == ERR_OK)
        code = schema_check(inv.db, err);
    if (code == ERR_OK)
        code = rights_check(inv.db, err);
    if (code == ERR_OK && !request->dry_run)
        code = db_open(&inv.lock, conninfo, deadline, err);
    if (code == ERR_OK)
        code = invoke(&inv, &main_pass, err);
    pass_done(&main_pass);
    db_close(inv.db);
    db_close(inv.lock);
    db_close(inv.reader);
    return code;
}
