/* lapse apply: carries out a plan, or says what has moved on since. */
#define _GNU_SOURCE
#include "cli.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"
#include "row_json.h"
#include "run.h"
#include "watcher.h"

#include "ban.h"

static const struct opt options[] = {
    {"skip-drifted", 0, NULL, "leave the accounts that have moved on, and do all others", false},
    {0},
};

struct applier {
    struct watcher watcher; /* first: what observes the run is handed to it */
    const struct cli *cli;
    struct text_table table;
    size_t n;
};

static enum err_code on_drift(void *context, const struct plan_drift *drift, struct err *err)
{
    struct applier *applier = context;
    char account[NUMBER_SIZE];

    applier->n++;
    if (applier->cli->json)
        return json_line(json_pack("{s:s, s:s, s:I, s:s*, s:s*, s:s}", "what", "drift", "job",
                                   drift->job->name, "account_id", (json_int_t)drift->account,
                                   "entity", drift->entity, "entity_id", drift->entity_id, "drift",
                                   drift->what),
                         err);
    snprintf(account, sizeof account, "%" PRId64, drift->account);
    text_table_cell(&applier->table, drift->job->name);
    text_table_cell(&applier->table, account);
    text_table_cell(&applier->table, drift->entity);
    text_table_cell(&applier->table,
                    drift->entity && !drift->entity_id ? "(new)" : drift->entity_id);
    text_table_cell(&applier->table, drift->what);
    return ERR_OK;
}

static enum err_code apply(struct cli *cli, const struct plan *plan, struct err *err)
{
    static const struct text_column columns[] = {
        {"job", false}, {"account", true}, {"entity", false}, {"id", false}, {"drift", false}};
    const struct job *jobs[64];
    struct applier applier = {.cli = cli};
    struct run_observer observer = watcher_begin(&applier.watcher, cli, false);
    struct run_request request = {.registry = &cli->registry,
                                  .conf = cli->conf,
                                  .jobs = jobs,
                                  .n_jobs = plan->n_jobs,
                                  .as_of = &plan->as_of,
                                  .max_changes = -1,
                                  .plan = plan,
                                  .skip_drifted = opt_flag(&cli->opts, "skip-drifted")};
    enum err_code code;

    for (size_t i = 0; i < plan->n_jobs && i < COUNT(jobs); i++)
        jobs[i] = plan->jobs[i].job;
    observer.drift = on_drift;
    text_table_begin(&applier.table, columns, COUNT(columns));
    code = run_invoke(&request, &observer, &cli->deadline, err);
    watcher_end(&applier.watcher);
    if (applier.n && !cli->json) {
        printf("\nmoved on since the plan:\n\n");
        text_table_print(&applier.table, stdout);
    }
    text_table_done(&applier.table);
    return code;
}

static enum err_code run(struct cli *cli, struct err *err)
{
    struct plan plan = {0};
    enum err_code code = operands_between(cli, 1, 1, "a plan", err);

    if (code == ERR_OK)
        code = plan_read(&plan, &cli->registry, cli->opts.operands[0], err);
    if (code == ERR_OK)
        code = apply(cli, &plan, err);
    plan_done(&plan);
    return code;
}

const struct command command_apply = {
    .name = "apply",
    .operands = "FILE",
    .summary = "carry out a plan, or refuse because the data have moved on",
    .help =
        "Makes exactly the changes of a plan, as of its as-of, and publishes their reports. First\n"
        "all is tried and compared: where a row is not as it was, is not due any more, or more is\n"
        "due in an account of the plan, nothing is changed and the rows are listed (80). With\n"
        "--skip-drifted their accounts are left whole and all others done. What is due in other\n"
        "accounts waits for the next run. Of files that a job takes in, those that the plan was\n"
        "made with are, and no others. Who changes data meanwhile wins: the batch is given up,\n"
        "and what stood before it stays.\n"
        "Refused (80) are also: a file that is not as it was written, other settings of the\n"
        "rules, an as-of that is to come or lies before the job's last run, a plan applied\n"
        "already, or undone in part, and one of a job whose last run was left unfinished.\n"
        "A plan that was broken off is gone on with by the same command; other runs leave it\n"
        "alone. The guards do not count here, since somebody has looked at the plan; holds do. A\n"
        "job's period does not move: the next night runs as ever.",
    .options = options,
    .needs_conf = true,
    .run = run,
};
