/* reconcile-seats: who holds a seat, what was bought, and whether the two tie out. */
#include "jobs.h"

static const struct column summary[] = {
    {"Account ID", "account_id", COL_ID, 12, false},
    {"Account", "account", COL_TEXT, 30, false},
    {"Plan", "plan", COL_TEXT, 12, false},
    {"Purchased", "purchased", COL_COUNT, 11, false},
    {"Licenses", "licenses", COL_COUNT, 10, true},
    {"Invitations", "invitations", COL_COUNT, 12, true},
    {"Used", "used", COL_COUNT, 9, true},
    {"Free", "free", COL_COUNT, 9, false},
    {"Over", "over", COL_COUNT, 9, true},
    {"Utilisation", "utilisation", COL_DECIMAL1, 12, false},
    {"Without Access", "without_access", COL_COUNT, 15, true},
    {"Inactive", "inactive", COL_COUNT, 10, true},
    {0},
};

static const struct column detail[] = {
    {"Account ID", "account_id", COL_ID, 12, false},
    {"Account", "account", COL_TEXT, 30, false},
    {"Email", "email", COL_TEXT, 34, false},
    {"Seat Type", "seat_type", COL_TEXT, 11, false},
    {"Source", "source", COL_TEXT, 11, false},
    {"Since", "since", COL_INSTANT, 20, false},
    {"Expires", "expires", COL_INSTANT, 20, false},
    {"Organizations", "organizations", COL_TEXT, 40, false},
    {"Teams", "teams", COL_TEXT, 30, false},
    {"Last Active", "last_active", COL_DATE_NA, 12, false},
    {0},
};

static const struct column exceptions[] = {
    {"Account ID", "account_id", COL_ID, 12, false},
    {"Account", "account", COL_TEXT, 30, false},
    {"Email", "email", COL_TEXT, 34, false},
    {"Finding", "finding", COL_TEXT, 20, false},
    {"Source", "source", COL_TEXT, 22, false},
    {"Since", "since", COL_INSTANT, 20, false},
    {"Last Active", "last_active", COL_DATE_NA, 12, false},
    {"Suggested Action", "suggested_action", COL_TEXT, 60, false},
    {0},
};

/* From the fullest to the emptiest, then what has no measure. */
static const char *const filled[] = {"over",       "90 to 100 %", "50 to 90 %",
                                     "under 50 %", "unlimited",   NULL};

static const struct report_table tables[] = {
    {.sheet = "Accounts",
     .query = &sql_reconcile_seats_summary,
     .columns = summary,
     .slices = &sql_ledger_license_slices,
     .tally = "filled",
     .tally_order = filled,
     .question = "How full are our plans?"},
    {.name = "detail",
     .sheet = "Seats",
     .query = &sql_reconcile_seats_detail,
     .columns = detail,
     .slices = &sql_ledger_license_slices,
     .tally = "source",
     .question = "Where do seats come from?"},
    {.name = "exceptions",
     .sheet = "Exceptions",
     .query = &sql_reconcile_seats_exceptions,
     .columns = exceptions,
     .slices = &sql_ledger_license_slices,
     .tally = "finding",
     .question = "What is wrong with our seats?"},
    {0},
};

const struct job job_reconcile_seats = {
    .name = "reconcile-seats",
    .title = "Seats",
    .summary = "count who holds a seat, tie it out, and keep a snapshot of each day",
    .rules =
        "A seat is counted per account and person, by lower-cased e-mail: live licenses, and live\n"
        "invitations of people without a license there. Used is the two together; free is what\n"
        "was bought less what is used; over is what exceeds it, 0 where seats are unlimited. What\n"
        "was bought is said by the plan in force, 50 in a trial. Each run keeps one snapshot per\n"
        "account and UTC day, which a rerun rewrites where a figure differs.\n"
        "\n"
        "Exceptions: seat_without_access (whoever has left every organization and team still\n"
        "holds the seat; it is never revoked, unless [rules] release_unused_seats_after is set),\n"
        "captured_unassigned (captured, or from SCIM and not assigned yet: no waste),\n"
        "access_without_seat, duplicate (two licenses of one person), over_limit, and tie_out: a\n"
        "figure that does not add up. Used now is used at the snapshot before, plus who came\n"
        "(granted, invited, captured), less who went (revoked, expired, withdrawn); accepting an\n"
        "invitation is no change. Inactive counts licensed people whose last activity is more\n"
        "than 100 days ago. A dry run shows the seats as they are before it.",
    .kind = JOB_CHANGE,
    .waits_for = {{"reconcile-billing", "apply_renewals=yes"},
                  {"expire-invitations", NULL},
                  {"end-trials", NULL},
                  {"downgrade-plans", NULL},
                  {"flag-inactive-organizations", NULL},
                  {"reconcile-teams", NULL},
                  {"verify-domains", NULL},
                  {"capture-domain-users", NULL},
                  {"check-git-sync", NULL}},
    .candidates = &sql_reconcile_seats_candidates,
    .gone = &sql_purge_gone,
    .cut = &sql_reconcile_seats_cut,
    .steps = {{.sql = &sql_reconcile_seats_release, .explain = &sql_reconcile_seats_explain},
              {.sql = &sql_reconcile_seats_yield},
              {.sql = &sql_reconcile_seats_snapshots, .unaudited = true}},
    .tables = tables,
    .reports_state = true,
    .figures = &sql_reconcile_seats_figures,
    .notes = {NOTE_PAST},
};
