/* purge: what is past its time goes; what tells of people, money or changes stays. */
#include "jobs.h"

static const struct setting settings[] = {
    {"job.purge", "history_retention", SETTING_DURATION, NULL, 86400, 3153600000, NULL,
     "How long runs without changes stay in the history; not set: for ever", OPTION_NONE},
    {0},
};

const struct job job_purge = {
    .name = "purge",
    .title = "Purge",
    .summary = "purge activity details, old history and old reports",
    .rules =
        "Details of activity (one row per person and day) older than 90 days are purged, in\n"
        "batches, after the reports are published; the one summary row per account and person\n"
        "never is, and takes over the last day that only the details knew. A report for a date\n"
        "before the last purge is then refused, unless --allow-incomplete is given.\n"
        "\n"
        "Off unless set: runs older than [job.purge] history_retention, but never one that\n"
        "changed something or took snapshots, whose reports are still there, or that is the last\n"
        "of its job; and sets of reports older than [reports] retention in the folder this run\n"
        "publishes in, but never one that holds a file the ledger does not know, and never the\n"
        "latest. With --account only details are purged; a held account keeps its own. Nothing\n"
        "of it is audited.",
    .kind = JOB_CLEANUP,
    .candidates = &sql_purge_candidates,
    .cut = &sql_purge_cut,
    .steps = {{.sql = &sql_purge_mark, .unaudited = true},
              {.sql = &sql_purge_details, .unaudited = true},
              {.sql = &sql_purge_history, .unaudited = true}},
    .settings = settings,
    .retires_reports = true,
};
