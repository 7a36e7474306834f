/* lapse history: runs, newest first. */
#define _GNU_SOURCE
#include "cli.h"

#include <jansson.h>
#include <string.h>

#include "db.h"
#include "migrate.h"
#include "terminal.h"

#include "ban.h"

static const struct opt options[] = {
    {"limit", 'n', "N", "at most N runs; default 20", false},
    {0},
};

static const char *const fields[] = {"run",     "job",      "as_of",   "trigger",   "state",
                                     "started", "finished", "seconds", "looked_at", "changed",
                                     "skipped", "files",    "status",  "message"};

static const struct text_column columns[] = {
    {"run", true},     {"job", false},     {"as of", false},  {"trigger", false},
    {"state", false},  {"started", false}, {"seconds", true}, {"looked at", true},
    {"changed", true}, {"files", true},    {"status", true},
};
static const int shown[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 11, 12};

struct lister {
    const struct cli *cli;
    struct text_table table;
};

/* Instants of the result print as ISO in UTC. */
static const char *shown_text(const struct db_row *row, int i,
                              char buffer[static INSTANT_TEXT_SIZE])
{
    bool instant = i == 2 || i == 5 || i == 6;

    return instant ? show_instant(db_text(row, i), buffer) : db_text(row, i);
}

static enum err_code take(void *context, const struct db_row *row, _unused_ struct err *err)
{
    struct lister *lister = context;
    char buffer[INSTANT_TEXT_SIZE];

    if (lister->cli->json) {
        json_t *line = json_object();

        for (size_t i = 0; i < COUNT(fields); i++) {
            const char *text = shown_text(row, (int)i, buffer);

            json_object_set_new(line, fields[i], text ? json_string(text) : json_null());
        }
        json_dumpf(line, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
        putchar('\n');
        json_decref(line);
        return ERR_OK;
    }
    for (size_t i = 0; i < COUNT(shown); i++)
        text_table_cell(&lister->table, shown_text(row, shown[i], buffer));
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
