/* lapse show: everything the ledger knows of one run. */
#define _GNU_SOURCE
#include "cli.h"

#include <string.h>

#include "db.h"
#include "migrate.h"
#include "row_json.h"
#include "terminal.h"

#include "ban.h"

static const struct opt options[] = {
    {"changes", 0, NULL, "list every row the run changed, before and after", false},
    {0},
};

struct shower {
    const struct cli *cli;
    uint64_t rows;
    const char *what; /* of the JSON objects */
};

/* One object per row, which says what it is. */
static enum err_code print_json(const struct shower *shower, const struct db_row *row,
                                struct err *err)
{
    json_t *line = row_json(row);

    if (line)
        json_object_set_new(line, "what", json_string(shower->what));
    return json_line(line, err);
}

static enum err_code take_run(void *context, const struct db_row *row, struct err *err)
{
    struct shower *shower = context;

    shower->rows++;
    if (shower->cli->json)
        return print_json(shower, row, err);
    for (int i = 0; i < db_columns(row); i++) {
        char buffer[INSTANT_TEXT_SIZE];
        const char *text = show_instant(db_text(row, i), buffer);

        if (text)
            printf("%-16s %s\n", db_column_name(row, i), text);
    }
    return ERR_OK;
}

static enum err_code take_file(void *context, const struct db_row *row, struct err *err)
{
    struct shower *shower = context;

    if (shower->cli->json)
        return print_json(shower, row, err);
    printf("%-16s %s/%s, %s rows, %s bytes\n", shower->rows++ ? "" : "files", db_text(row, 0),
           db_text(row, 1), db_text(row, 2), db_text(row, 3));
    return ERR_OK;
}

static enum err_code take_change(void *context, const struct db_row *row, struct err *err)
{
    struct shower *shower = context;
    char buffer[INSTANT_TEXT_SIZE];

    if (shower->cli->json)
        return print_json(shower, row, err);
    if (!shower->rows++)
        putchar('\n');
    printf("account %s %s/%s, %s as of %s\n  before %s\n  after  %s\n", db_text(row, 0),
           db_text(row, 1), db_text(row, 2), db_text(row, 5), show_instant(db_text(row, 6), buffer),
           db_text(row, 3) ? db_text(row, 3) : "(new)", db_text(row, 4));
    return ERR_OK;
}

static enum err_code show(struct cli *cli, struct db *db, int64_t run_id, struct err *err)
{
    struct shower shower = {.cli = cli, .what = "run"};
    struct args args = {0};
    enum err_code code;

    args_int(&args, "run_id", run_id);
    code = db_run_alone(db, &sql_ledger_show, &args, take_run, &shower, err);
    if (code == ERR_OK && !shower.rows) {
        err_set(err, ERR_USAGE, "there is no run %s", cli->opts.operands[0]);
        err_hint(err, "\"lapse history\" lists the runs");
        return err->code;
    }
    shower = (struct shower){.cli = cli, .what = "file"};
    if (code == ERR_OK)
        code = db_run_alone(db, &sql_ledger_show_files, &args, take_file, &shower, err);
    shower = (struct shower){.cli = cli, .what = "change"};
    if (code == ERR_OK && opt_flag(&cli->opts, "changes"))
        code = db_run_alone(db, &sql_ledger_show_changes, &args, take_change, &shower, err);
    return code;
}

static enum err_code run(struct cli *cli, struct err *err)
{
    _cleanup_db_ struct db *db = NULL;
    int64_t run_id;
    enum err_code code = operands_between(cli, 1, 1, "the number of a run", err);

    if (code == ERR_OK && !parse_int64(cli->opts.operands[0], 1, INT64_MAX, &run_id)) {
        code = err_set(err, ERR_USAGE, "show: \"%s\" is not the number of a run",
                       cli->opts.operands[0]);
        err_hint(err, "\"lapse history\" lists the runs");
    }
    if (code == ERR_OK)
        code = db_open(&db, conf_text(cli->conf, "database", "conninfo"), &cli->deadline, err);
    if (code == ERR_OK)
        code = schema_check(db, err);
    return code == ERR_OK ? show(cli, db, run_id, err) : code;
}

const struct command command_show = {
    .name = "show",
    .operands = "RUN",
    .summary = "show one run: what it was asked, what it did",
    .help = "Prints what the ledger knows of a run and the files it published that no later run\n"
            "has replaced; with --changes every row it changed, before and after.",
    .options = options,
    .needs_conf = true,
    .run = run,
};
