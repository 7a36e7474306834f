/* flag-inactive-organizations: organizations follow the plan that carried them. */
#include "jobs.h"

static const struct column columns[] = {
    {"Account ID", "account_id", COL_ID, 12, false},
    {"Account", "account", COL_TEXT, 30, false},
    {"Organization ID", "organization_id", COL_ID, 16, false},
    {"Organization", "organization", COL_TEXT, 30, false},
    {"Action", "action", COL_TEXT, 12, false},
    {"Reason", "reason", COL_TEXT, 18, false},
    {"Since", "since", COL_INSTANT, 20, false},
    {"Owner Email", "owner_email", COL_TEXT, 34, false},
    {"Members Affected", "members_affected", COL_COUNT, 17, true},
    {0},
};

static const struct report_table tables[] = {
    {.sheet = "Organizations",
     .query = &sql_flag_inactive_organizations_report,
     .columns = columns,
     .tally = "action",
     .question = "Which way did organizations go?"},
    {0},
};

const struct job job_flag_inactive_organizations = {
    .name = "flag-inactive-organizations",
    .title = "Inactive organizations",
    .summary = "make organizations inactive when their plan has ended, and active again",
    .rules =
        "When an Enterprise or trial subscription ends, the account's organizations become\n"
        "inactive: their data stay, one export is requested for the owner. They stay active, or\n"
        "come back, when the plan in force supports them (Pro, Enterprise, a live trial). When\n"
        "Pro ends they stay active. What ended last decides; at the same instant the trial comes\n"
        "before Enterprise, Enterprise before Pro. Organizations made later are not concerned,\n"
        "personal workspaces never lapse (unless [rules] personal_workspace_can_lapse), and an\n"
        "organization made inactive for another reason is never brought back.",
    .kind = JOB_CHANGE,
    .waits_for = {{"end-trials", NULL}, {"downgrade-plans", NULL}},
    .candidates = &sql_flag_inactive_organizations_candidates,
    .set_aside = &sql_flag_inactive_organizations_set_aside,
    .cut = &sql_flag_inactive_organizations_cut,
    .steps = {{.sql = &sql_flag_inactive_organizations_change,
               .explain = &sql_flag_inactive_organizations_explain}},
    .tables = tables,
    .notes = {NOTE_PAST},
};
