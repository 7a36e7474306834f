/* The dry run: everything a run would do, range of accounts by range of accounts, rolled back. */
#define _GNU_SOURCE
#include "run_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ban.h"

enum { ACCOUNTS_PER_RANGE = 2000 };

struct teller {
    struct pass *pass;
    struct run *run;
};

static enum err_code tell_change(void *context, const struct db_row *row, struct err *err)
{
    struct teller *teller = context;
    const struct run_observer *observer = teller->pass->inv->observer;
    struct run_change change = {
        .account = db_text(row, 0),
        .entity = db_text(row, 1),
        .entity_id = db_text(row, 2),
        .before = db_text(row, 3),
        .after = db_text(row, 4),
        .reason = db_text(row, 5),
        .effective_at = db_text(row, 6),
    };

    if (!observer->change)
        return ERR_OK;
    return observer->change(observer->context, teller->run->job, &change, err);
}

static enum err_code tell_planned(void *context, const struct db_row *row, struct err *err)
{
    struct teller *teller = context;
    const struct run_observer *observer = teller->pass->inv->observer;

    return observer->planned(observer->context, teller->run->job, db_int(row, 0), db_text(row, 1),
                             db_text(row, 2), err);
}

/* A report that grows range by range: one per change job. The runs of the date are the committed
   ones and, under numbers that no ledger gives (-1, -2, ...), the ones being tried. */
struct preview {
    struct pass *pass;
    bool one_range; /* all accounts at once: what a file holds is not cut by accounts */
    struct report **reports;
    struct asked *asked;       /* what the DNS said of the range; one per job */
    struct refusals *refusals; /* one per job */
    char *run_ids, *as_ofs;
};

static int64_t pretended_id(const struct preview *preview, const struct run *run)
{
    return -1 - (run - preview->pass->runs);
}

/* "{7,9}" and "{...,...}" with the pretended runs behind. */
static enum err_code with_pretended(struct preview *preview, struct err *err)
{
    _cleanup_sb_ struct strbuf ids = {0}, as_ofs = {0};
    enum err_code code = ledger_runs_of_date(preview->pass->inv->db, preview->pass->date,
                                             &preview->run_ids, &preview->as_ofs, err);

    if (code != ERR_OK)
        return code;
    sb_add(&ids, preview->run_ids, strlen(preview->run_ids) - 1);
    sb_add(&as_ofs, preview->as_ofs, strlen(preview->as_ofs) - 1);
    for (size_t i = 0; i < preview->pass->n; i++) {
        sb_addf(&ids, "%s%" PRId64, ids.len > 1 ? "," : "", -1 - (int64_t)i);
        sb_addf(&as_ofs, "%s%s", as_ofs.len > 1 ? "," : "", preview->pass->as_of_text);
    }
    sb_adds(&ids, "}");
    sb_adds(&as_ofs, "}");
    free(preview->run_ids);
    free(preview->as_ofs);
    preview->run_ids = ids.failed ? NULL : strdup(sb_text(&ids));
    preview->as_ofs = as_ofs.failed ? NULL : strdup(sb_text(&as_ofs));
    return preview->run_ids && preview->as_ofs ? ERR_OK : err_nomem(err);
}

/* Whether the job's report shows what it would change, and not how things stand before. */
static bool shows_changes(const struct job *job)
{
    return job->kind == JOB_CHANGE && !job->reports_state;
}

/* What the job has changed in the range, as the audit has it or as lines of a plan. */
static enum err_code tell_all(const struct preview *preview, struct teller *teller,
                              struct args *args, struct err *err)
{
    struct pass *pass = preview->pass;
    _cleanup_sb_ struct strbuf ids = {0};

    if (!pass->inv->observer->planned)
        return db_run(pass->inv->db, &sql_ledger_preview_changes, args, tell_change, teller, err);
    for (size_t i = 0; i < pass->n; i++)
        sb_addf(&ids, "%s%" PRId64, i ? "," : "{", pretended_id(preview, &pass->runs[i]));
    sb_adds(&ids, "}");
    if (!sb_text(&ids))
        return err_nomem(err);
    args_text(args, "run_ids", sb_text(&ids));
    return db_run(pass->inv->db, &sql_ledger_plan_lines, args, tell_planned, teller, err);
}

/* Whether the job takes files in, or changes something by what it took in earlier. */
static bool has_input(const struct pass *pass, const struct job *job)
{
    return job->input &&
           (job_option(pass, job, "input") ||
            (job->input->changes_when && option_is(pass, job, job->input->changes_when)));
}

/* Whether the job's report shows how things stand behind its steps, files taken in. */
static bool shows_after(const struct pass *pass, const struct job *job)
{
    return job->reports_state && has_input(pass, job);
}

enum err_code run_try(const struct bisection *b, struct args *args, const struct asked *asked,
                      int64_t from, int64_t to, struct err *err)
{
    enum err_code code;

    args_range(args, from, KEY_MAX, to, KEY_MAX);
    code = run_input_try(b->pass, b->run, err);
    if (code == ERR_OK)
        code = run_keep_answers(b->pass, b->run, args, asked, err);
    if (code == ERR_OK)
        code = run_set_aside(b->pass, b->run, args, err);
    if (code == ERR_OK)
        code = run_look(b->pass->inv->db, b->run, args, err);
    if (code == ERR_OK)
        code = run_part(b, args, (struct batch_key){from, KEY_MAX, 0},
                        (struct batch_key){to, KEY_MAX, 0}, NOT_COUNTED, err);
    return code;
}

/* One job over one range, told. */
static enum err_code try_job(struct preview *preview, struct run *run, int64_t from, int64_t to,
                             struct err *err)
{
    struct pass *pass = preview->pass;
    struct teller teller = {pass, run};
    struct args args = {0};
    struct written written = {0};
    const struct bisection parts = {.pass = pass,
                                    .run = run,
                                    .refusals = &preview->refusals[run - pass->runs],
                                    .tried = &written};
    int64_t begun = monotonic_ns();
    enum err_code code;

    pass_args(pass, run, &args);
    args_int(&args, "run_id", pretended_id(preview, run));
    code = run_try(&parts, &args, &preview->asked[run - pass->runs], from, to, err);
    if (code == ERR_OK)
        code = tell_all(preview, &teller, &args, err);
    run->changed += written.changed;
    run->recorded += written.recorded;
    run->nanoseconds += monotonic_ns() - begun;
    return code;
}

static enum err_code report_range(struct preview *preview, size_t i, int64_t from, int64_t to,
                                  struct err *err)
{
    struct pass *pass = preview->pass;
    struct run *run = &pass->runs[i];
    struct args args = {0};

    pass_args(pass, run, &args);
    args_range(&args, from, KEY_MAX, to, KEY_MAX);
    args_text(&args, "run_ids", preview->run_ids);
    args_text(&args, "as_ofs", preview->as_ofs);
    if (shows_after(pass, run->job)) {
        enum err_code code =
            run_report_tables(pass, pass->inv->db, run, preview->reports[i], &args, err);

        return code == ERR_OK
                   ? run_report_figures(pass->inv->db, run, preview->reports[i], &args, err)
                   : code;
    }
    return run_report_rows(pass, pass->inv->db, run, preview->reports[i], run->job->tables, &args,
                           err);
}

/* Before the range's transaction begins, which holds locks. */
static enum err_code ask_range(struct preview *preview, int64_t from, int64_t to, struct err *err)
{
    struct pass *pass = preview->pass;
    enum err_code code = ERR_OK;

    for (size_t i = 0; code == ERR_OK && i < pass->n; i++) {
        struct args args = {0};
        int64_t begun = monotonic_ns();

        if (pass->runs[i].job->kind != JOB_CHANGE)
            continue;
        pass_args(pass, &pass->runs[i], &args);
        args_range(&args, from, KEY_MAX, to, KEY_MAX);
        code = run_ask_range(pass, &pass->runs[i], &args, &preview->asked[i], err);
        pass->runs[i].nanoseconds += monotonic_ns() - begun;
    }
    return code;
}

static enum err_code try_range(void *context, int64_t from, int64_t to, struct err *err)
{
    struct preview *preview = context;
    struct pass *pass = preview->pass;
    enum err_code code = ask_range(preview, from, to, err);

    if (code == ERR_OK)
        code = db_begin(pass->inv->db, DB_CHANGE, err);
    for (size_t i = 0; code == ERR_OK && i < pass->n; i++)
        if (pass->runs[i].job->kind == JOB_CHANGE)
            code = try_job(preview, &pass->runs[i], from, to, err);
    if (code == ERR_OK && pass->staging && !preview->run_ids)
        code = with_pretended(preview, err);
    for (size_t i = 0; code == ERR_OK && i < pass->n; i++)
        if (preview->reports[i] &&
            (shows_changes(pass->runs[i].job) || shows_after(pass, pass->runs[i].job)))
            code = report_range(preview, i, from, to, err);
    db_rollback(pass->inv->db);
    for (size_t i = 0; i < pass->n; i++)
        asked_done(&preview->asked[i]);
    return code;
}

/* Before anything is tried: the reports of the report jobs, which read the state before, from one
   snapshot. */
static enum err_code look_first(struct preview *preview, struct err *err)
{
    struct pass *pass = preview->pass;
    struct db *db = pass->inv->db;
    enum err_code code = db_begin(db, DB_SNAPSHOT, err);

    for (size_t i = 0; code == ERR_OK && i < pass->n; i++) {
        struct run *run = &pass->runs[i];
        bool later = shows_changes(run->job) || shows_after(pass, run->job);
        struct report *report = later ? NULL : preview->reports[i];
        int64_t begun = monotonic_ns();
        struct args args = {0};

        pass_args(pass, run, &args);
        args_text(&args, "run_ids", preview->run_ids);
        args_text(&args, "as_ofs", preview->as_ofs);
        if (run->job->kind != JOB_CHANGE)
            code = run_look(db, run, &args, err);
        if (code == ERR_OK && report)
            code = run_report_tables(pass, db, run, report, &args, err);
        if (code == ERR_OK && report)
            code = run_report_figures(db, run, report, &args, err);
        run->nanoseconds += monotonic_ns() - begun;
    }
    db_rollback(pass->inv->db);
    return code;
}

/* A job whose report shows its changes has one table, which stays open from range to range. */
static enum err_code open_reports(struct preview *preview, struct err *err)
{
    struct pass *pass = preview->pass;
    enum err_code code = ERR_OK;

    for (size_t i = 0; pass->staging && code == ERR_OK && i < pass->n; i++) {
        struct run *run = &pass->runs[i];

        if (!run->job->tables)
            continue;
        code = run_report_open(pass, run, staging_path(pass->staging), &preview->reports[i], err);
        if (code == ERR_OK && shows_changes(run->job))
            code = report_begin(preview->reports[i], run->job->tables, err);
    }
    return code;
}

static enum err_code finish_reports(struct preview *preview, struct err *err)
{
    struct pass *pass = preview->pass;
    enum err_code code = ERR_OK;

    for (size_t i = 0; code == ERR_OK && i < pass->n; i++) {
        struct run *run = &pass->runs[i];

        if (preview->reports[i] && shows_changes(run->job))
            code = report_end(preview->reports[i], err);
        if (code == ERR_OK && preview->reports[i] && run->job->skipped_because)
            code = report_note_figure(preview->reports[i], run->job->skipped_because, run->skipped,
                                      err);
        if (code == ERR_OK && preview->reports[i])
            code = report_finish(TAKE_PTR(preview->reports[i]), &run->made, err);
        run->files = run->made.n;
        run->state = RUN_APPLIED;
    }
    return code;
}

static enum err_code see_row(void *context, const struct db_row *row, struct err *err)
{
    bool *seen = context;

    (void)row;
    (void)err;
    *seen = true;
    return ERR_OK;
}

enum err_code pass_entangled(struct pass *pass, bool *ret, struct err *err)
{
    bool changes = false;
    enum err_code code = ERR_OK;

    *ret = false;
    for (size_t i = 0; code == ERR_OK && !*ret && i < pass->n; i++) {
        const struct job *job = pass->runs[i].job;
        struct args args = {0};

        pass_args(pass, &pass->runs[i], &args);
        if (changes && job->entangled)
            code = db_run_alone(pass->inv->db, job->entangled, &args, see_row, ret, err);
        changes |= job->kind == JOB_CHANGE;
    }
    return code;
}

enum err_code pass_ranges(struct pass *pass, const char *phase, range_fn each, void *context,
                          struct err *err)
{
    struct range_ends ranges = {0};
    struct args args = {0};
    int64_t from = INT64_MIN;
    bool at_once;
    enum err_code code = pass_entangled(pass, &at_once, err);

    if (code == ERR_OK && at_once)
        return each(context, INT64_MIN, KEY_MAX, err);
    args_text(&args, "accounts", pass->accounts);
    args_int(&args, "accounts_per_range", ACCOUNTS_PER_RANGE);
    if (code == ERR_OK)
        code = db_run_alone(pass->inv->db, &sql_ledger_account_ranges, &args, take_range_end,
                            &ranges, err);
    for (size_t i = 0; code == ERR_OK && i < ranges.n; i++) {
        int64_t to = i == ranges.n - 1 ? KEY_MAX : ranges.last[i];

        run_progress(pass->inv, pass->runs[0].job, phase, i, ranges.n);
        code = each(context, from, to, err);
        from = to;
    }
    free(ranges.last);
    return code;
}

enum err_code pass_preview(struct pass *pass, char **ret_published, struct err *err)
{
    struct preview preview = {.pass = pass,
                              .reports = calloc(pass->n, sizeof(struct report *)),
                              .asked = calloc(pass->n, sizeof(struct asked)),
                              .refusals = calloc(pass->n, sizeof(struct refusals))};
    enum err_code code =
        preview.reports && preview.asked && preview.refusals ? ERR_OK : err_nomem(err);

    for (size_t i = 0; i < pass->n; i++)
        preview.one_range |= has_input(pass, pass->runs[i].job);
    for (size_t i = 0; code == ERR_OK && i < pass->n; i++)
        code = run_check_gone(pass, &pass->runs[i], err);
    if (code == ERR_OK)
        code = open_reports(&preview, err);
    if (code == ERR_OK)
        code = look_first(&preview, err);
    if (code == ERR_OK && preview.one_range)
        code = try_range(&preview, INT64_MIN, KEY_MAX, err);
    else if (code == ERR_OK)
        code = pass_ranges(pass, "trying", try_range, &preview, err);
    if (code == ERR_OK)
        code = finish_reports(&preview, err);
    for (size_t i = 0; code == ERR_OK && i < pass->n; i++)
        run_count_refusals(&pass->runs[i], &preview.refusals[i]);
    for (size_t i = 0; preview.reports && i < pass->n; i++)
        report_discard(preview.reports[i]);
    for (size_t i = 0; preview.refusals && i < pass->n; i++)
        refusals_done(&preview.refusals[i]);
    free(preview.refusals);
    free(preview.reports);
    free(preview.asked);
    free(preview.run_ids);
    free(preview.as_ofs);
    if (code == ERR_OK && pass->staging)
        code = pass_publish(pass, ret_published, err);
    for (size_t i = 0; code == ERR_OK && i < pass->n; i++)
        pass->runs[i].state = RUN_DONE;
    return code;
}
