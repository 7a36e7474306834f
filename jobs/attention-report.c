/* attention-report: what an account's owners, or ours, should look at before it hurts. */
#include "jobs.h"

static const struct column columns[] = {
    {"Account ID", "account_id", COL_ID, 12, false},
    {"Account", "account", COL_TEXT, 30, false},
    {"Finding", "finding", COL_TEXT, 25, false},
    {"Detail", "detail", COL_TEXT, 52, false},
    {"Since", "since", COL_INSTANT, 20, false},
    {"Days Left", "days_left", COL_COUNT, 12, false},
    {0},
};

/* The worst first: what hurts now, what will within days, what can wait. */
static const char *const findings[] = {"no_owner",
                                       "set_aside",
                                       "scim_token_expired",
                                       "over_seats",
                                       "trial_ends",
                                       "scim_token_ends",
                                       "code_unused",
                                       "account_held",
                                       "storage_rule_conflict",
                                       "no_personal_workspace",
                                       "no_second_owner",
                                       "organization_not_opened",
                                       "invitation_ends",
                                       NULL};

static const struct report_table tables[] = {
    {.sheet = "Findings",
     .query = &sql_attention_report_report,
     .columns = columns,
     .tally = "finding",
     .tally_order = findings,
     .question = "What needs somebody's attention?"},
    {0},
};

const struct job job_attention_report = {
    .name = "attention-report",
    .title = "What needs attention",
    .summary = "list what somebody should look at: owners, tokens, seats, codes",
    .rules =
        "One row for each finding. Ends are judged by instants: within 5 days is 5 x 24 h.\n"
        "  account_held             an account that change jobs leave alone, and why\n"
        "  code_unused              an activation code, verified or not, that nobody redeemed\n"
        "                           and whose own period is not over\n"
        "  invitation_ends          a pending invitation that ends within 5 days\n"
        "  no_owner                 an account without an owner\n"
        "  no_personal_workspace    an account without its personal workspace\n"
        "  no_second_owner          an account with one owner and no co-owner\n"
        "  organization_not_opened  an active organization, older than 90 days, in which nobody\n"
        "                           with access was active for 90 whole UTC days (as in\n"
        "                           activity-report); Since is the last activity of them all.\n"
        "                           It is only told, never flagged\n"
        "  over_seats               an account with more people than seats\n"
        "  scim_token_ends          a SCIM token that ends within 20 days\n"
        "  scim_token_expired       one that has ended; what it would say counts no more. Neither\n"
        "                           is told while the connection is suspended\n"
        "  set_aside                an account that a job has set aside, and why\n"
        "  storage_rule_conflict    an organization's storage rule that allows what the account's\n"
        "                           own forbids\n"
        "  trial_ends               a live trial that ends within 3 days\n"
        "Since is when it began, where that is known; Days Left are whole days of 24 h until the\n"
        "end. No row tells an address or a code.",
    .kind = JOB_REPORT,
    .candidates = &sql_attention_report_candidates,
    .gone = &sql_purge_gone,
    .tables = tables,
    .notes = {NOTE_PAST},
};
