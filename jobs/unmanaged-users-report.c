/* unmanaged-users-report: people of an account's verified domains who hold no license there. */
#include "jobs.h"

static const struct column columns[] = {
    {"Account ID", "account_id", COL_ID, 12, false},
    {"Account", "account", COL_TEXT, 30, false},
    {"Domain", "domain", COL_TEXT, 28, false},
    {"Email", "email", COL_TEXT, 34, false},
    {"Name", "name", COL_TEXT, 26, false},
    {"Signed Up", "signed_up_at", COL_INSTANT, 20, false},
    {0},
};

static const struct report_table tables[] = {
    {.sheet = "Unmanaged users",
     .query = &sql_unmanaged_users_report_report,
     .columns = columns,
     .tally = "domain",
     .question = "Which domains have people whom nobody manages?",
     .split = "file"},
    {0},
};

const struct job job_unmanaged_users_report = {
    .name = "unmanaged-users-report",
    .title = "Unmanaged users",
    .summary = "list people of verified domains without a license there",
    .rules =
        "For each account and each of its verified domains, capture on or not: the people whose\n"
        "address is in exactly that domain, who have signed up, are not deleted, and hold no live\n"
        "license in that account: those from before capture, and those whose license was revoked.\n"
        "Whom capture takes, or who waits for a seat, is in the report of capture-domain-users\n"
        "instead. Each domain has a CSV of its own too, unmanaged-users-report-DOMAIN.csv; where\n"
        "several accounts have it verified, unmanaged-users-report-DOMAIN-ACCOUNT.csv.",
    .kind = JOB_REPORT,
    .candidates = &sql_unmanaged_users_report_candidates,
    .tables = tables,
    .notes = {NOTE_PAST},
};
