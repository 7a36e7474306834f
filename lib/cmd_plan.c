/* lapse plan: writes what a run would change, for a person to read and for apply to carry out. */
#define _GNU_SOURCE
#include "cli.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"
#include "row_json.h"
#include "run.h"
#include "watcher.h"

#include "ban.h"

static const struct opt options[] = {
    {"as-of", 0, "WHEN",
     "judge by this instant: a date (its 00:00 UTC) or 2026-03-31T02:30:00Z; default: now", false},
    {"output", 'o', "FILE", "write the plan into this file, in place of what is there", false},
    {0},
};

/* How many changes a job makes for one reason. */
struct reason {
    const struct job *job;
    char *text;
    int64_t changes;
};

struct planner {
    struct watcher watcher; /* first: what observes the run is handed to it */
    struct run_observer watched;
    struct plan_draft draft;
    struct reason *reasons;
    size_t n_reasons;
    struct instant as_of;
    bool finished;
};

static enum err_code count_reason(struct planner *planner, const struct job *job, const char *text,
                                  struct err *err)
{
    struct reason *grown;

    for (size_t i = planner->n_reasons; i > 0; i--)
        if (planner->reasons[i - 1].job == job && str_eq(planner->reasons[i - 1].text, text)) {
            planner->reasons[i - 1].changes++;
            return ERR_OK;
        }
    grown = reallocarray(planner->reasons, planner->n_reasons + 1, sizeof *grown);
    if (!grown)
        return err_nomem(err);
    planner->reasons = grown;
    grown[planner->n_reasons] = (struct reason){job, strdup(text), 1};
    if (!grown[planner->n_reasons].text)
        return err_nomem(err);
    planner->n_reasons++;
    return ERR_OK;
}

static enum err_code on_planned(void *context, const struct job *job, int64_t account,
                                const char *reason, const char *line, struct err *err)
{
    struct planner *planner = context;
    enum err_code code = count_reason(planner, job, reason, err);

    return code == ERR_OK ? plan_draft_add(&planner->draft, job, account, line, err) : code;
}

static enum err_code on_taken(void *context, const struct job *job, const char *sha256,
                              struct err *err)
{
    struct planner *planner = context;

    return plan_draft_take(&planner->draft, job, sha256, err);
}

static void on_finished(void *context, const struct run *runs, size_t n,
                        const struct instant *as_of, const char *published)
{
    struct planner *planner = context;

    planner->finished = true;
    planner->as_of = *as_of;
    for (size_t i = 0; i < n; i++)
        memcpy(planner->draft.jobs[i].settings, runs[i].settings, sizeof runs[i].settings);
    planner->watched.finished(context, runs, n, as_of, published);
}

static enum err_code choose_jobs(const struct cli *cli, const struct job **jobs, size_t *ret_n,
                                 struct err *err)
{
    const struct job *job;
    bool wanted[64] = {0};

    if (cli->opts.n_operands == 0) {
        err_set(err, ERR_USAGE, "plan: which job?");
        err_hint(err, "name one or more; \"lapse jobs\" lists them");
        return err->code;
    }
    for (size_t i = 0; i < cli->opts.n_operands; i++) {
        if (job_named(cli, cli->opts.operands[i], &job, err) != ERR_OK)
            return err->code;
        if (job->kind != JOB_CHANGE) {
            err_set(err, ERR_USAGE, "plan: %s changes nothing that a plan could hold", job->name);
            err_hint(err, "plans are of change jobs; \"lapse jobs\" tells them");
            return err->code;
        }
        for (size_t k = 0; k < cli->registry.n_jobs; k++)
            wanted[k] = wanted[k] || cli->registry.jobs[k] == job;
    }
    for (size_t k = 0; k < cli->registry.n_jobs; k++)
        if (wanted[k])
            jobs[(*ret_n)++] = cli->registry.jobs[k];
    return ERR_OK;
}

static enum err_code show_json(const struct planner *planner, const char *path, const char *sha256,
                               size_t changes, struct err *err)
{
    enum err_code code = ERR_OK;

    for (size_t i = 0; code == ERR_OK && i < planner->n_reasons; i++) {
        const struct reason *reason = &planner->reasons[i];

        code = json_line(json_pack("{s:s, s:s, s:I}", "job", reason->job->name, "reason",
                                   reason->text, "changes", (json_int_t)reason->changes),
                         err);
    }
    if (code == ERR_OK)
        code = json_line(json_pack("{s:s, s:s, s:I}", "plan", path, "sha256", sha256, "changes",
                                   (json_int_t)changes),
                         err);
    return code;
}

static void show_text(const struct planner *planner, const char *path, size_t changes)
{
    static const struct text_column columns[] = {
        {"job", false}, {"reason", false}, {"changes", true}};
    _cleanup_text_table_ struct text_table table;
    char number[NUMBER_SIZE];

    text_table_begin(&table, columns, COUNT(columns));
    for (size_t k = 0; k < planner->draft.n_jobs; k++)
        for (size_t i = 0; i < planner->n_reasons; i++) {
            const struct reason *reason = &planner->reasons[i];

            if (reason->job != planner->draft.jobs[k].job)
                continue;
            text_table_cell(&table, reason->job->name);
            text_table_cell(&table, reason->text);
            text_table_cell(&table, show_count(reason->changes, number));
        }
    putchar('\n');
    if (planner->n_reasons)
        text_table_print(&table, stdout);
    printf("%s%s changes planned in %s\n", planner->n_reasons ? "\n" : "",
           show_count((int64_t)changes, number), path);
}

static enum err_code write_plan(const struct cli *cli, struct planner *planner, const char *path,
                                struct err *err)
{
    char sha256[65];
    size_t changes = 0;
    enum err_code code = plan_draft_write(&planner->draft, planner->as_of, path, sha256, err);

    for (size_t i = 0; i < planner->draft.n_jobs; i++)
        changes += planner->draft.jobs[i].changes;
    if (code == ERR_OK && cli->json)
        code = show_json(planner, path, sha256, changes, err);
    else if (code == ERR_OK)
        show_text(planner, path, changes);
    return code;
}

/* A plan is written where every job was tried, also where that set accounts aside. */
static enum err_code make_plan(struct cli *cli, struct run_request *request, const char *path,
                               struct err *err)
{
    struct planner planner = {0};
    struct run_observer observer;
    _cleanup_err_ struct err unwritten = {0};
    enum err_code code = plan_draft_begin(&planner.draft, request->jobs, request->n_jobs, err);

    planner.watched = observer = watcher_begin(&planner.watcher, cli, true);
    observer.planned = on_planned;
    observer.taken = on_taken;
    observer.finished = on_finished;
    if (code == ERR_OK)
        code = run_invoke(request, &observer, &cli->deadline, err);
    watcher_end(&planner.watcher);
    if (planner.finished && (code == ERR_OK || code == ERR_SETASIDE) &&
        write_plan(cli, &planner, path, &unwritten) != ERR_OK) {
        err_move(err, &unwritten);
        cli->told = false;
        code = err->code;
    }
    plan_draft_done(&planner.draft);
    for (size_t i = 0; i < planner.n_reasons; i++)
        free(planner.reasons[i].text);
    free(planner.reasons);
    return code;
}

static enum err_code run(struct cli *cli, struct err *err)
{
    const struct job *jobs[64];
    struct instant as_of;
    struct run_request request = {.registry = &cli->registry,
                                  .conf = cli->conf,
                                  .jobs = jobs,
                                  .dry_run = true,
                                  .max_changes = -1};
    const char *when = opt_text(&cli->opts, "as-of"), *path = opt_text(&cli->opts, "output");
    enum err_code code = choose_jobs(cli, jobs, &request.n_jobs, err);

    if (code == ERR_OK && !path) {
        code = err_set(err, ERR_USAGE, "plan: where to?");
        err_hint(err, "name the file: -o plan.jsonl");
    }
    if (code == ERR_OK && when) {
        code = instant_parse(when, "--as-of", &as_of, err);
        request.as_of = &as_of;
    }
    if (code == ERR_OK)
        code = plan_check_target(path, err);
    return code == ERR_OK ? make_plan(cli, &request, path, err) : code;
}

const struct command command_plan = {
    .name = "plan",
    .operands = "JOB... -o FILE",
    .summary = "write down what a run would change",
    .help =
        "Writes every change that a run of the named change jobs would make, as before and after,\n"
        "into a file for people to read, compare and approve, and for \"lapse apply\" to carry\n"
        "out. Nothing is changed. The file is of JSON lines: a header, then a line per change, by\n"
        "job, account and instant. Ids that the database would give are not in it, so that two\n"
        "plans of the same data and as-of differ in nothing. The as-of may be a past one, but a\n"
        "plan from before a job's last run, or of an instant to come, cannot be applied.",
    .options = options,
    .needs_conf = true,
    .run = run,
};
