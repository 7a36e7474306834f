/* downgrade-plans: paid plans that were not renewed lapse; scheduled seats and controls follow. */
#include "jobs.h"

static const struct column columns[] = {
    {"Account ID", "account_id", COL_ID, 12, false},
    {"Account", "account", COL_TEXT, 30, false},
    {"Subscription ID", "subscription_id", COL_ID, 16, false},
    {"From Plan", "from_plan", COL_TEXT, 12, false},
    {"To Plan", "to_plan", COL_TEXT, 12, false},
    {"Reason", "reason", COL_TEXT, 26, false},
    {"Effective At", "effective_at", COL_INSTANT, 20, false},
    {"Seats Used", "seats_used", COL_COUNT, 12, true},
    {"Over Limit", "over_limit", COL_COUNT, 12, true},
    {0},
};

static const struct report_table tables[] = {
    {.sheet = "Plan changes",
     .query = &sql_downgrade_plans_report,
     .columns = columns,
     .tally = "reason",
     .question = "Why did plans change?"},
    {0},
};

const struct job job_downgrade_plans = {
    .name = "downgrade-plans",
    .title = "Plan downgrades",
    .summary = "lapse paid plans that were not renewed; carry out scheduled seat changes",
    .rules =
        "A paid base subscription (Pro, Enterprise) whose period has ended without renewal lapses\n"
        "to Essentials once [rules] renewal_grace has passed; a past due one keeps its plan until\n"
        "then. A manual downgrade takes effect at the end of the paid period, to the plan it\n"
        "names, else to Essentials; by itself Enterprise never falls to Pro. While a trial is\n"
        "live the base's lapse waits for the trial's end, and the run says so. A scheduled\n"
        "change of seats is carried out when its instant has come. Nothing is deleted: licenses\n"
        "stay; domain capture, domain lock and SCIM are suspended while the plan in force has no\n"
        "Enterprise controls, and resume when it has. Usage above the new limits is reported.",
    .kind = JOB_CHANGE,
    .waits_for = {{"reconcile-billing", "apply_renewals=yes"}, {"end-trials", NULL}},
    .candidates = &sql_downgrade_plans_candidates,
    .skipped_because = "Waiting for a live trial to end",
    .refuse = &sql_downgrade_plans_refuse,
    .cut = &sql_downgrade_plans_cut,
    .set_aside = &sql_downgrade_plans_set_aside,
    .steps = {{.sql = &sql_downgrade_plans_seats, .explain = &sql_downgrade_plans_explain_seats},
              {.sql = &sql_downgrade_plans_lapse,
               .repeat = true,
               .explain = &sql_downgrade_plans_explain},
              {.sql = &sql_downgrade_plans_controls,
               .explain = &sql_downgrade_plans_explain_controls}},
    .tables = tables,
    .notes = {NOTE_PAST},
};
