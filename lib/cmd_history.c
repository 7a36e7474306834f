/* lapse history: runs, newest first. */
#define _GNU_SOURCE
#include "cli.h"

#include <string.h>

#include "db.h"
#include "migrate.h"
#include "row_json.h"
#include "terminal.h"

#include "ban.h"

static const struct opt options[] = {
    {"limit", 'n', "N", "at most N runs; default 20", false},
    {0},
};

static const struct text_column columns[] = {
    {"run", true},    {"job", false},     {"as of", false},  {"trigger", false},
    {"state", false}, {"started", false}, {"seconds", true}, {"changed", true},
    {"files", true},  {"status", true},   {"undone", false},
};
static const char *const shown[] = {"run_id",  "job",     "as_of", "trigger", "state", "started_at",
                                    "seconds", "changed", "files", "status",  "undone"};

struct lister {
    const struct cli *cli;
    struct text_table table;
};

static enum err_code take(void *context, const struct db_row *row, struct err *err)
{
    struct lister *lister = context;

    if (lister->cli->json)
        return json_line(row_json(row), err);
    for (size_t i = 0; i < COUNT(shown); i++) {
        int column = db_column(row, shown[i]);
        char buffer[INSTANT_TEXT_SIZE];

        text_table_cell(&lister->table, show_instant(db_text(row, column), buffer));
    }
    return ERR_OK;
}

static enum err_code run(struct cli *cli, struct err *err)
{
    _cleanup_db_ struct db *db = NULL;
    struct lister lister = {.cli = cli};
    const char *limit = opt_text(&cli->opts, "limit");
    const struct job *job = NULL;
    struct args args = {0};
    int64_t n = 20;
    enum err_code code = operands_between(cli, 0, 1, "a job", err);

    if (code == ERR_OK && cli->opts.n_operands)
        code = job_named(cli, cli->opts.operands[0], &job, err);
    if (code == ERR_OK && limit && !parse_int64(limit, 1, 1000000, &n))
        code = err_set(err, ERR_USAGE, "--limit: \"%s\" is not a number from 1 to 1000000", limit);
    args_text(&args, "job", job ? job->name : NULL);
    args_int(&args, "limit", n);
    text_table_begin(&lister.table, columns, COUNT(columns));
    if (code == ERR_OK)
        code = db_open(&db, conf_text(cli->conf, "database", "conninfo"), &cli->deadline, err);
    if (code == ERR_OK)
        code = schema_check(db, err);
    if (code == ERR_OK)
        code = db_run_alone(db, &sql_ledger_history, &args, take, &lister, err);
    if (code == ERR_OK && !cli->json) {
        if (lister.table.n_rows)
            text_table_print(&lister.table, stdout);
        else
            puts("no run yet");
    }
    text_table_done(&lister.table);
    return code;
}

const struct command command_history = {
    .name = "history",
    .operands = "[JOB]",
    .summary = "list runs, newest first",
    .help = "Lists the runs of the ledger, newest first; of one job only where it is named.",
    .options = options,
    .needs_conf = true,
    .run = run,
};
