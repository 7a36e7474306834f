/* lapse status: how each job stands, and which accounts wait for somebody. */
#define _GNU_SOURCE
#include "cli.h"

#include <string.h>

#include "db.h"
#include "migrate.h"
#include "row_json.h"
#include "terminal.h"

#include "ban.h"

struct overview {
    const struct cli *cli;
    const struct job *job;
    struct text_table table;
    size_t late;
};

static const struct text_column job_columns[] = {
    {"job", false},   {"run", true},    {"as of", false},    {"ended", false},
    {"state", false}, {"status", true}, {"next due", false}, {"", false},
};

static const struct text_column aside_columns[] = {
    {"account", true}, {"name", false}, {"job", false}, {"since", false}, {"reason", false},
};

static bool is_true(const struct db_row *row, const char *name)
{
    return str_eq(db_text(row, db_column(row, name)), "t");
}

static void instant_cell(struct overview *overview, const struct db_row *row, const char *name)
{
    char buffer[INSTANT_TEXT_SIZE];

    text_table_cell(&overview->table, show_instant(db_text(row, db_column(row, name)), buffer));
}

static enum err_code job_json(const struct overview *overview, const struct db_row *row,
                              struct err *err)
{
    json_t *line = row_json(row);

    if (line)
        json_object_set_new(line, "job", json_string(overview->job->name));
    return json_line(line, err);
}

static enum err_code take_job(void *context, const struct db_row *row, struct err *err)
{
    struct overview *overview = context;
    int64_t missed = db_int(row, db_column(row, "missed"));
    char remark[64] = "";

    overview->late += is_true(row, "late");
    if (overview->cli->json)
        return job_json(overview, row, err);
    if (is_true(row, "late") && missed > 0)
        snprintf(remark, sizeof remark, "late, %lld missed", (long long)missed);
    else if (is_true(row, "late"))
        snprintf(remark, sizeof remark, "late");
    text_table_cell(&overview->table, overview->job->name);
    text_table_cell(&overview->table, db_text(row, db_column(row, "run_id")));
    instant_cell(overview, row, "as_of");
    instant_cell(overview, row, "finished_at");
    text_table_cell(&overview->table, db_text(row, db_column(row, "state")));
    text_table_cell(&overview->table, db_text(row, db_column(row, "status")));
    instant_cell(overview, row, "next_due");
    text_table_cell(&overview->table, remark);
    return ERR_OK;
}

static enum err_code list_jobs(struct overview *overview, struct db *db, struct err *err)
{
    const struct cli *cli = overview->cli;
    enum err_code code = ERR_OK;

    text_table_begin(&overview->table, job_columns, COUNT(job_columns));
    for (size_t i = 0; code == ERR_OK && i < cli->registry.n_jobs; i++) {
        struct args args = {0};
        char section[SECTION_SIZE];

        overview->job = cli->registry.jobs[i];
        job_section(overview->job, section, sizeof section);
        args_text(&args, "job", overview->job->name);
        args_text(&args, "every", conf_text(cli->conf, section, "every"));
        args_text(&args, "deadline", conf_text(cli->conf, "database", "deadline"));
        code = db_run_alone(db, &sql_ledger_status, &args, take_job, overview, err);
    }
    if (code == ERR_OK && !cli->json)
        text_table_print(&overview->table, stdout);
    text_table_done(&overview->table);
    return code;
}

static enum err_code take_aside(void *context, const struct db_row *row, struct err *err)
{
    static const char *const shown[] = {"account_id", "account", "job"};
    struct overview *overview = context;

    if (overview->cli->json)
        return json_line(row_json(row), err);
    for (size_t i = 0; i < COUNT(shown); i++)
        text_table_cell(&overview->table, db_text(row, db_column(row, shown[i])));
    instant_cell(overview, row, "since");
    text_table_cell(&overview->table, db_text(row, db_column(row, "reason")));
    return ERR_OK;
}

static enum err_code list_set_aside(struct overview *overview, struct db *db, struct err *err)
{
    enum err_code code;

    text_table_begin(&overview->table, aside_columns, COUNT(aside_columns));
    code = db_run_alone(db, &sql_ledger_quarantine, NULL, take_aside, overview, err);
    if (code == ERR_OK && !overview->cli->json && overview->table.n_rows) {
        puts("\naccounts that were set aside; every run tries them again\n");
        text_table_print(&overview->table, stdout);
    }
    text_table_done(&overview->table);
    return code;
}

static enum err_code run(struct cli *cli, struct err *err)
{
    _cleanup_db_ struct db *db = NULL;
    struct overview overview = {.cli = cli};
    enum err_code code = operands_between(cli, 0, 0, "nothing", err);

    if (code == ERR_OK)
        code = db_open(&db, conf_text(cli->conf, "database", "conninfo"), &cli->deadline, err);
    if (code == ERR_OK)
        code = schema_check(db, err);
    if (code == ERR_OK)
        code = list_jobs(&overview, db, err);
    if (code == ERR_OK)
        code = list_set_aside(&overview, db, err);
    if (code == ERR_OK && overview.late) {
        code = err_set(err, ERR_STOPPED, "%zu job%s late", overview.late,
                       overview.late == 1 ? " is" : "s are");
        err_hint(err, "look at the timer or crontab, then \"lapse run --all\"");
    }
    return code;
}

const struct command command_status = {
    .name = "status",
    .operands = "",
    .summary = "how each job stands, and which accounts were set aside",
    .help = "Each job with its last run and when it is due again ([job.NAME] every). One that is\n"
            "later than a run may take ([database] deadline) is late, and the status is then 80.\n"
            "A job that never ran is none. Below, the accounts that jobs have set aside, and why.",
    .needs_conf = true,
    .run = run,
};
