/* activity-report: who holds a license, and when they were last active. */
#include "jobs.h"

static const struct column extended[] = {
    {"Account ID", "account_id", COL_ID, 12, false},
    {"Account", "account", COL_TEXT, 30, false},
    {"Email", "email", COL_TEXT, 34, false},
    {"Name", "name", COL_TEXT, 26, false},
    {"Role", "role", COL_TEXT, 10, false},
    {"Status", "status", COL_TEXT, 10, false},
    {"Last Active", "last_active", COL_DATE_NA, 12, false},
    {"Last Active Source", "last_active_source", COL_TEXT, 19, false},
    {"Days Since Active", "days_since_active", COL_COUNT, 18, false},
    {"License Source", "license_source", COL_TEXT, 15, false},
    {"License Granted", "license_granted", COL_INSTANT, 20, false},
    {"Organizations", "organizations", COL_TEXT, 40, false},
    {"Teams", "teams", COL_TEXT, 30, false},
    {"Requests Created", "requests_created", COL_COUNT, 17, true},
    {"Requests Executed", "requests_executed", COL_COUNT, 18, true},
    {"Documents Created", "documents_created", COL_COUNT, 18, true},
    {0},
};

static const struct column documented[] = {
    {"Email", "email", COL_TEXT, 34, false},
    {"Last Active", "last_active", COL_DATE_NA, 12, false},
    {0},
};

/* From in use to never used. */
static const char *const statuses[] = {"Active", "Aging", "Inactive", "Never", NULL};

static const struct report_table tables[] = {
    {.sheet = "Activity",
     .query = &sql_activity_report_report,
     .columns = extended,
     .tally = "status",
     .tally_order = statuses,
     .question = "How many of our licenses are in use?",
     .slices = &sql_ledger_license_slices,
     .when = "profile=extended"},
    {.sheet = "Activity",
     .query = &sql_activity_report_report,
     .columns = documented,
     .tally = "status",
     .tally_order = statuses,
     .question = "How many of our licenses are in use?",
     .split = "account_id",
     .slices = &sql_ledger_license_slices,
     .when = "profile=documented"},
    {0},
};

static const struct setting settings[] = {
    {"job.activity-report", "profile", SETTING_CHOICE, "extended", 0, 0, "documented|extended",
     "documented has e-mail and last activity alone, and one more file per account; extended adds "
     "what the account's admins ask for",
     0},
    {"job.activity-report", "window", SETTING_CHOICE, "90", 0, 0, "7|30|90",
     "How many days the counts of requests and documents cover", 0},
    {0},
};

const struct job job_activity_report = {
    .name = "activity-report",
    .title = "User activity",
    .summary = "list every license with its holder's last activity",
    .rules =
        "One row for every live license, always. The date of the last activity shows up to an age\n"
        "of 90 whole UTC days; from 91 to 100 days nothing shows; from 101 days on, and where\n"
        "nobody was ever active, N/A. Where no opening is known, or the last one is before\n"
        "2025-05-20, the last login speaks ([rules] legacy_login_rule). For a past as-of nothing\n"
        "later shows. The counts cover the last 90 days; --window 7 or 30 narrows the counts, not\n"
        "the people. No column shows what the bands hide.",
    .kind = JOB_REPORT,
    .candidates = &sql_activity_report_candidates,
    .gone = &sql_purge_gone,
    .tables = tables,
    .notes = {NOTE_PAST},
    .settings = settings,
};
