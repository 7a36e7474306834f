/* Why something is due, or not: see explain.h. */
#define _GNU_SOURCE
#include "run_explain.h"

#include <stdlib.h>
#include <string.h>

#include "migrate.h"

#include "ban.h"

#define DAY INT64_C(86400)

static struct run *own_run(const struct explainer *x)
{
    return &x->pass.runs[x->pass.n - 1];
}

/* ---- a trial ---- */

static enum err_code take_refused(void *context, const struct db_row *row, struct err *err)
{
    struct explanation *out = context;

    if (!out->refused)
        out->refused = str_format("account %s: %s", db_text(row, 0), db_text(row, 1));
    return out->refused ? ERR_OK : err_nomem(err);
}

/* The range stays open, as where --account is given: for the range of one account the planner
   expects too little. */
static void trial_args(struct explainer *x, const struct run *run, struct args *args)
{
    pass_args(&x->pass, run, args);
    args_int(args, "run_id", -1 - (run - x->pass.runs));
    args_int(args, "batch_no", 1);
    args_text(args, "asked", x->request->entity_id);
    args_text(args, "at", x->pass.as_of_text);
}

/* A job as in a dry run; for the job itself each step's explanation comes before the step. A step
   that leaves no audit decides nothing that is told here. */
static enum err_code try_job(struct explainer *x, struct run *run, enum trial trial,
                             struct err *err)
{
    const struct job *job = run->job;
    bool own = run == own_run(x), now = x->pass.as_of.seconds == x->out->as_of.seconds;
    struct db *db = x->inv.db;
    struct args args = {0};
    struct written written = {0};
    struct refusals refusals = {0};
    struct bisection parts = {.pass = &x->pass,
                              .run = run,
                              .refusals = &refusals,
                              .tried = &written,
                              .audited_only = true};
    enum err_code code = ERR_OK;

    trial_args(x, run, &args);
    if (own)
        code = run_keep_answers(&x->pass, run, &args, &x->asked, err);
    if (code == ERR_OK && job->refuse && own)
        code = db_run(db, job->refuse, &args, take_refused, x->out, err);
    if (code == ERR_OK && job->set_aside)
        code = db_run(db, job->set_aside, &args, own && now ? explanation_take_aside : NULL, x->out,
                      err);
    for (const struct job_step *step = job->steps; code == ERR_OK && step->sql; step++) {
        x->step = step - job->steps;
        if (trial == TRIAL_WORDS && step->explain)
            code = db_run(db, step->explain, &args, explanation_take_condition, x, err);
        parts.only = step;
        if (code == ERR_OK)
            code = run_part(&parts, &args, (struct batch_key){INT64_MIN, INT64_MIN, 0},
                            (struct batch_key){KEY_MAX, KEY_MAX, 0}, NOT_COUNTED, err);
    }
    if (code == ERR_OK && own && now)
        code = explanation_take_refusals(x->out, &refusals, err);
    refusals_done(&refusals);
    if (code == ERR_OK && trial == TRIAL_WORDS)
        code = explanation_group(x->out, err);
    if (code == ERR_OK && own)
        code = db_run(db, job->written ? job->written : &sql_explain_written, &args,
                      explanation_take_written, x->out, err);
    return code;
}

enum err_code explain_try(struct explainer *x, int64_t seconds, enum trial trial, struct err *err)
{
    size_t first = trial == TRIAL_NIGHT ? 0 : x->pass.n - 1;
    struct args args = {0};
    enum err_code code = deadline_check(x->inv.deadline, err);

    for (size_t i = 0; i < x->out->n; i++)
        x->out->list[i].now = false;
    x->pass.as_of.seconds = seconds;
    instant_format(x->pass.as_of, x->pass.as_of_text);
    if (code == ERR_OK)
        code = db_begin(x->inv.db, DB_CHANGE, err);
    trial_args(x, own_run(x), &args);
    if (code == ERR_OK && trial == TRIAL_WORDS)
        code = db_run(x->inv.db, &sql_holds_release, &args, NULL, NULL, err);
    for (size_t i = first; code == ERR_OK && i < x->pass.n; i++)
        code = try_job(x, &x->pass.runs[i], trial, err);
    db_rollback(x->inv.db);
    return code;
}

/* ---- from the request ---- */

static bool waits(const struct explainer *x, const struct job *job, const struct job *other)
{
    for (size_t i = 0; i < JOB_WAITS && job->waits_for[i].job; i++)
        if (strcmp(job->waits_for[i].job, other->name) == 0 &&
            option_is(&x->pass, other, job->waits_for[i].when))
            return true;
    return false;
}

/* The jobs that it waits for, and those they wait for, in nightly order; then the job. What has to
   ask the DNS is left out: what will be in it, nobody knows. */
static enum err_code choose_runs(struct explainer *x, struct err *err)
{
    const struct registry *registry = x->request->registry;
    _cleanup_sb_ struct strbuf names = {0};
    const struct job *chosen[64];
    size_t n = 0;

    chosen[n++] = x->request->job;
    for (size_t i = registry->n_jobs; i-- > 0;) {
        const struct job *job = registry->jobs[i];
        bool wanted = false;

        for (size_t j = 0; j < n; j++)
            wanted |= waits(x, chosen[j], job);
        if (wanted && job->kind == JOB_CHANGE && !job->questions && n < COUNT(chosen))
            chosen[n++] = job;
    }
    x->pass.runs = calloc(n, sizeof *x->pass.runs);
    if (!x->pass.runs)
        return err_nomem(err);
    x->pass.n = n;
    for (size_t i = 0; i < n; i++)
        x->pass.runs[i].job = chosen[n - 1 - i];
    for (size_t i = 0; i + 1 < n; i++)
        sb_addf(&names, "%s%s", i ? ", " : "", x->pass.runs[i].job->name);
    if (n > 1 && (!sb_text(&names) || !(x->out->others = strdup(sb_text(&names)))))
        return err_nomem(err);
    return ERR_OK;
}

static enum err_code find_accounts(struct explainer *x, struct err *err)
{
    struct explanation *out = x->out;
    struct args args = {0};
    size_t asked = 1;
    enum err_code code;

    for (const char *at = x->request->accounts; *at; at++)
        asked += *at == ',';
    args_text(&args, "accounts", x->request->accounts);
    args_text(&args, "as_of", x->pass.as_of_text);
    code =
        db_run_alone(x->inv.db, &sql_explain_accounts, &args, explanation_take_account, out, err);
    if (code == ERR_OK && out->n_accounts == 0)
        code = err_set(err, ERR_NOINPUT, "there is no account %.*s",
                       (int)strlen(x->request->accounts) - 2, x->request->accounts + 1);
    if (code == ERR_OK && asked > 1) {
        _cleanup_err_ struct err which = {0};

        code = ledger_check_accounts(x->inv.db, x->request->accounts, "explain", &which);
        if (code == ERR_USAGE)
            code = err_set(err, ERR_NOINPUT, "%s", which.message);
        else if (code != ERR_OK)
            err_move(err, &which);
    }
    return code;
}

static enum err_code judge(struct explainer *x, struct err *err)
{
    const struct explain_request *request = x->request;
    struct explanation *out = x->out;
    struct args args = {0};
    enum err_code code;

    trial_args(x, own_run(x), &args);
    code = run_ask_range(&x->pass, own_run(x), &args, &x->asked, err);
    if (code == ERR_OK)
        code = explain_try(x, out->as_of.seconds, TRIAL_WORDS, err);
    if (code != ERR_OK)
        return code;
    explanation_forget_made(out);
    if (request->entity_id && out->n == 0) {
        code = err_set(err, ERR_NOINPUT, "account %lld has no \"%s\" that %s looks at",
                       (long long)out->accounts[0].account, request->entity_id, request->job->name);
        err_hint(err, "\"lapse explain %s %lld\" lists what there is", request->job->name,
                 (long long)out->accounts[0].account);
        return code;
    }
    code = explain_try(x, out->as_of.seconds, TRIAL_VERDICT, err);
    for (size_t i = 0; i < out->n; i++)
        out->list[i].due = out->list[i].now && !out->refused;
    if (code == ERR_OK && request->when && !out->refused)
        code = explain_when(x, err);
    if (code == ERR_OK)
        explanation_sort(out);
    return code;
}

enum err_code explain(const struct explain_request *request, const struct deadline *deadline,
                      struct explanation *ret, struct err *err)
{
    static const struct run_observer nobody = {0};
    struct run_request run_request = {.registry = request->registry,
                                      .conf = request->conf,
                                      .jobs = &request->job,
                                      .n_jobs = 1,
                                      .dry_run = true,
                                      .max_changes = -1};
    struct explainer x = {
        .request = request,
        .out = ret,
        .inv = {.request = &run_request, .observer = &nobody, .deadline = deadline},
    };
    enum err_code code = run_check_asking(&run_request, err);

    *ret = (struct explanation){0};
    x.pass = (struct pass){.inv = &x.inv, .accounts = request->accounts, .max_changes = -1};
    if (code == ERR_OK)
        code = db_open(&x.inv.db, conf_text(request->conf, "database", "conninfo"), deadline, err);
    if (code == ERR_OK)
        code = schema_check(x.inv.db, err);
    if (code == ERR_OK && request->as_of)
        ret->as_of = *request->as_of;
    else if (code == ERR_OK)
        code = ledger_clock(x.inv.db, &ret->as_of, err);
    if (code == ERR_OK) {
        int64_t ahead = ret->as_of.seconds + EXPLAIN_DAYS * DAY;

        ret->horizon.seconds = ahead < INSTANT_MAX ? ahead : INSTANT_MAX;
        x.pass.as_of = ret->as_of;
        instant_format(ret->as_of, x.pass.as_of_text);
        code = choose_runs(&x, err);
    }
    if (code == ERR_OK)
        code = find_accounts(&x, err);
    if (code == ERR_OK)
        code = judge(&x, err);
    asked_done(&x.asked);
    free(x.pass.runs);
    db_close(x.inv.db);
    return code;
}
