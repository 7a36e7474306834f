/* plan-changes-report: a month's changes of plan and seats, for finance. */
#include "jobs.h"

static const struct column columns[] = {
    {"Account ID", "account_id", COL_ID, 12, false},
    {"Account", "account", COL_TEXT, 30, false},
    {"From Plan", "from_plan", COL_TEXT, 12, false},
    {"To Plan", "to_plan", COL_TEXT, 12, false},
    {"From Seats", "from_seats", COL_COUNT, 12, false},
    {"To Seats", "to_seats", COL_COUNT, 10, false},
    {"Reason", "reason", COL_TEXT, 26, false},
    {"Effective At", "effective_at", COL_INSTANT, 20, false},
    {"Processed At", "processed_at", COL_INSTANT, 20, false},
    {"Run", "run_id", COL_ID, 8, false},
    {0},
};

static const struct report_table tables[] = {
    {.sheet = "Plan changes",
     .query = &sql_plan_changes_report_report,
     .columns = columns,
     .tally = "reason",
     .question = "Why did plans and seats change?"},
    {0},
};

static const struct setting settings[] = {
    {"job.plan-changes-report", "month", SETTING_MONTH, NULL, 0, 0, NULL,
     "The UTC month to list; without it the last whole one before the as-of", OPTION_ONLY},
    {0},
};

const struct job job_plan_changes_report = {
    .name = "plan-changes-report",
    .title = "Plan changes of a month",
    .summary = "list a month's changes of plan and seats, by reason",
    .rules =
        "Every change of plan or seats of one UTC month: the one given with --month, else the\n"
        "last whole one before the as-of. A change that a job made belongs to the month of its\n"
        "run's as-of (Processed At), so that a month's totals are the sum of the daily reports\n"
        "of end-trials and downgrade-plans; one that the product made itself, without a run, to\n"
        "the month in which it took effect. Nothing after the as-of shows: a month that is not\n"
        "over yet has what there is.",
    .kind = JOB_REPORT,
    .candidates = &sql_plan_changes_report_candidates,
    .tables = tables,
    .figures = &sql_plan_changes_report_figures,
    .notes = {NOTE_PAST},
    .settings = settings,
};
