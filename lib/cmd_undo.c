/* lapse undo: puts back what a run changed. */
#define _GNU_SOURCE
#include "cli.h"

#include <inttypes.h>
#include <string.h>

#include "db.h"
#include "migrate.h"
#include "row_json.h"
#include "watcher.h"

#include "ban.h"

static const struct opt options[] = {
    {"dry-run", 0, NULL, "show what would be put back, and change nothing", false},
    {"no-hold", 0, NULL, "do not hold the accounts: the next night may do it again", false},
    {0},
};

/* The run to undo, as the ledger knows it. */
struct target {
    int64_t run_id, changes;
    char job[64];
    bool found, running;
};

static enum err_code take_target(void *context, const struct db_row *row, _unused_ struct err *err)
{
    struct target *target = context;

    target->found = true;
    snprintf(target->job, sizeof target->job, "%s", db_text(row, 1));
    target->running = str_eq(db_text(row, 2), "running");
    target->changes = db_int(row, 3);
    return ERR_OK;
}

/* ERR_NOINPUT where there is no such run, ERR_TEMP where it is still under way. */
static enum err_code find_target(struct db *db, struct target *target, struct err *err)
{
    struct args args = {0};
    enum err_code code;

    args_int(&args, "undo_run", target->run_id);
    code = db_run_alone(db, &sql_undo_run, &args, take_target, target, err);
    if (code == ERR_OK && !target->found) {
        code = err_set(err, ERR_NOINPUT, "there is no run %" PRId64, target->run_id);
        err_hint(err, "\"lapse history\" lists the runs there are");
    } else if (code == ERR_OK && target->running) {
        code = err_set(err, ERR_TEMP, "run %" PRId64 " of %s has not ended", target->run_id,
                       target->job);
        err_hint(err, "wait for its end; one that was killed: \"lapse run %s\" finishes it first",
                 target->job);
    }
    return code;
}

struct left {
    const struct cli *cli;
    struct text_table table;
    size_t n;
};

static enum err_code take_left(void *context, const struct db_row *row, struct err *err)
{
    struct left *left = context;

    left->n++;
    if (left->cli->json) {
        json_t *line = row_json(row);

        if (line)
            json_object_set_new(line, "what", json_string("left"));
        return json_line(line, err);
    }
    for (int i = 0; i < db_columns(row); i++)
        text_table_cell(&left->table, db_text(row, i));
    return ERR_OK;
}

/* What somebody has changed since stays as it is; whoever undoes should know. */
static enum err_code list_left(const struct cli *cli, struct db *db, const struct target *target,
                               struct err *err)
{
    static const struct text_column columns[] = {
        {"account", true}, {"entity", false}, {"id", false}};
    struct left left = {.cli = cli};
    struct args args = {0};
    enum err_code code;

    args_int(&args, "undo_run", target->run_id);
    text_table_begin(&left.table, columns, COUNT(columns));
    code = db_run_alone(db, &sql_undo_left, &args, take_left, &left, err);
    if (code == ERR_OK && !cli->json && left.n) {
        printf("\nleft as they are, because they were changed since: %zu\n\n", left.n);
        text_table_print(&left.table, stdout);
    }
    text_table_done(&left.table);
    return code;
}

static const struct setting *own_setting(const struct job *job, const char *key)
{
    const struct setting *own = job->settings;

    while (strcmp(own->key, key) != 0)
        own++;
    return own;
}

static enum err_code undo(struct cli *cli, const struct target *target, struct err *err)
{
    const struct job *job = cli->registry.undo;
    char number[NUMBER_SIZE];
    struct run_option given[] = {
        {job, own_setting(job, "undo_run"), number},
        {job, own_setting(job, "no_hold"), opt_flag(&cli->opts, "no-hold") ? "yes" : "no"},
    };
    struct run_request request = {.registry = &cli->registry,
                                  .conf = cli->conf,
                                  .jobs = &job,
                                  .n_jobs = 1,
                                  .options = given,
                                  .n_options = COUNT(given),
                                  .dry_run = opt_flag(&cli->opts, "dry-run"),
                                  .may_be_unpublished = true,
                                  .max_changes = INT64_MAX};
    struct watcher watcher;
    struct run_observer observer = watcher_begin(&watcher, cli, request.dry_run);
    enum err_code code;

    snprintf(number, sizeof number, "%" PRId64, target->run_id);
    code = run_invoke(&request, &observer, &cli->deadline, err);
    watcher_end(&watcher);
    return code;
}

static enum err_code run(struct cli *cli, struct err *err)
{
    _cleanup_db_ struct db *db = NULL;
    struct target target = {0};
    enum err_code code = operands_between(cli, 1, 1, "a run", err);

    if (code == ERR_OK && !parse_int64(cli->opts.operands[0], 1, INT64_MAX, &target.run_id)) {
        code = err_set(err, ERR_USAGE, "undo: \"%s\" is not the number of a run",
                       cli->opts.operands[0]);
        err_hint(err, "\"lapse history\" lists the runs there are");
    }
    if (code == ERR_OK)
        code = db_open(&db, conf_text(cli->conf, "database", "conninfo"), &cli->deadline, err);
    if (code == ERR_OK)
        code = schema_check(db, err);
    if (code == ERR_OK)
        code = find_target(db, &target, err);
    if (code == ERR_OK && target.changes == 0) {
        printf("run %" PRId64 " of %s changed nothing\n", target.run_id, target.job);
        return ERR_OK;
    }
    if (code == ERR_OK)
        code = undo(cli, &target, err);
    if (code == ERR_OK && !opt_flag(&cli->opts, "dry-run"))
        code = list_left(cli, db, &target, err);
    return code;
}

const struct command command_undo = {
    .name = "undo",
    .operands = "RUN",
    .summary = "put back what a run changed",
    .help =
        "Puts back, from the audit, every row that the run changed and nobody has changed since,\n"
        "as a run of its own. Rows that were changed since are left and listed; where that is an\n"
        "account's subscription or code, all of its plan is left. Rows that the run inserted are\n"
        "ended, not deleted; a change of plan gets a row that reverses it. Each account is held\n"
        "for [rules] undo_hold, so that the next night does not do it again. An undo can itself\n"
        "be undone. Its report is published where [reports] dir is set.",
    .options = options,
    .needs_conf = true,
    .run = run,
};
