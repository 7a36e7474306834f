/* undo: puts back what a run changed, where nobody has changed it since. Not a job of the night:
   the command `lapse undo RUN` runs it. */
#include "jobs.h"

static const struct column columns[] = {
    {"Account ID", "account_id", COL_ID, 12, false},
    {"Account", "account", COL_TEXT, 30, false},
    {"Entity", "entity", COL_TEXT, 22, false},
    {"Entity ID", "entity_id", COL_TEXT, 30, false},
    {"Outcome", "outcome", COL_TEXT, 10, false},
    {"Note", "note", COL_TEXT, 40, false},
    {0},
};

static const struct report_table tables[] = {
    {.sheet = "Undone",
     .query = &sql_undo_report,
     .columns = columns,
     .tally = "outcome",
     .question = "What became of the run's changes?"},
    {0},
};

static const struct setting settings[] = {
    {"job.undo", "undo_run", SETTING_INT, NULL, 1, INT64_MAX, NULL, "The run to undo",
     OPTION_ORDER | OPTION_ONLY},
    {"job.undo", "no_hold", SETTING_BOOL, "no", 0, 0, NULL,
     "Do not hold the accounts, so that the next night may do it again",
     OPTION_ORDER | OPTION_ONLY},
    {0},
};

const struct job job_undo = {
    .name = "undo",
    .title = "Undone changes",
    .summary = "put back what a run changed",
    .rules =
        "What a run changed is put back from the audit, where nobody has changed it since. Rows\n"
        "that the run inserted are ended, not deleted, and a change of plan gets a row that\n"
        "reverses it. Each account is then held for [rules] undo_hold.",
    .kind = JOB_CHANGE,
    .candidates = &sql_undo_candidates,
    .cut = &sql_undo_cut,
    .steps = {{.sql = &sql_undo_put_back}, {.sql = &sql_undo_hold, .unaudited = true}},
    .tables = tables,
    .reports_state = true,
    .settings = settings,
};
