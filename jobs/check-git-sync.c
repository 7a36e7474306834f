/* check-git-sync: more people with Git Sync than the plan allows are flagged. */
#include "jobs.h"

static const struct column columns[] = {
    {"Account ID", "account_id", COL_ID, 12, false},
    {"Account", "account", COL_TEXT, 30, false},
    {"Organization ID", "organization_id", COL_ID, 16, false},
    {"Organization", "organization", COL_TEXT, 30, false},
    {"Action", "action", COL_TEXT, 12, false},
    {"Members", "members", COL_COUNT, 10, true},
    {"Limit", "member_limit", COL_COUNT, 8, false},
    {"Since", "since", COL_INSTANT, 20, false},
    {0},
};

static const struct report_table tables[] = {
    {.sheet = "Git Sync",
     .query = &sql_check_git_sync_report,
     .columns = columns,
     .tally = "action",
     .question = "Who came over the limit, and who is back within it?"},
    {0},
};

const struct job job_check_git_sync = {
    .name = "check-git-sync",
    .title = "Git Sync limit",
    .summary = "flag organizations with more people than Git Sync allows on their plan",
    .rules =
        "On Essentials an organization may use Git Sync with at most 3 people. An active one\n"
        "with Git Sync on, allowed by its storage rules (its own, else the account's), and with\n"
        "more distinct people, direct and through teams, is flagged as of the run. The flag is\n"
        "cleared when no more than 3 remain, Git Sync is turned off or forbidden, or the plan\n"
        "lifts the limit. An inactive organization is not judged. Nobody is removed, and Git\n"
        "Sync is not switched off: the customer chooses.",
    .kind = JOB_CHANGE,
    .waits_for = {{"downgrade-plans", NULL},
                  {"flag-inactive-organizations", NULL},
                  {"reconcile-teams", NULL}},
    .candidates = &sql_check_git_sync_candidates,
    .refuse = &sql_check_git_sync_refuse,
    .set_aside = &sql_check_git_sync_set_aside,
    .cut = &sql_check_git_sync_cut,
    .steps = {{.sql = &sql_check_git_sync_change, .explain = &sql_check_git_sync_explain}},
    .tables = tables,
    .notes = {NOTE_PAST},
};
