/* end-trials: a trial ends 14 days after its start, and the account is back on its own plan. */
#include "jobs.h"

static const struct column columns[] = {
    {"Account ID", "account_id", COL_ID, 12, false},
    {"Account", "account", COL_TEXT, 30, false},
    {"Subscription ID", "subscription_id", COL_ID, 16, false},
    {"Started", "started", COL_INSTANT, 20, false},
    {"Ended At", "ended_at", COL_INSTANT, 20, false},
    {"To Plan", "to_plan", COL_TEXT, 12, false},
    {"Seats Used", "seats_used", COL_COUNT, 12, true},
    {"Seats Purchased", "seats_purchased", COL_COUNT, 16, false},
    {"Over Limit", "over_limit", COL_COUNT, 12, true},
    {0},
};

static const struct report_table tables[] = {
    {.sheet = "Trials",
     .query = &sql_end_trials_report,
     .columns = columns,
     .tally = "to_plan",
     .question = "Where do accounts go when their trial ends?"},
    {0},
};

const struct job job_end_trials = {
    .name = "end-trials",
    .title = "Ended trials",
    .summary = "end trials after 14 days; the account is back on its own plan",
    .rules =
        "A trial ends 14 x 24 hours after its start, by itself; it is never converted, stopped\n"
        "or prolonged. It has 50 seats. The account is then back on its base subscription. If\n"
        "that has itself lapsed meanwhile, its downgrade follows in the same transaction, at the\n"
        "later of the two instants. An activation code verified during the trial and not yet\n"
        "redeemed takes the place of the base when the trial ends: of several the one issued\n"
        "last; a code is used once.",
    .kind = JOB_CHANGE,
    .waits_for = {{"reconcile-billing", "apply_renewals=yes"}},
    .candidates = &sql_end_trials_candidates,
    .refuse = &sql_end_trials_refuse,
    .cut = &sql_end_trials_cut,
    .set_aside = &sql_end_trials_set_aside,
    .steps = {{.sql = &sql_end_trials_end, .explain = &sql_end_trials_explain},
              {.sql = &sql_end_trials_seats, .explain = &sql_end_trials_explain_seats},
              {.sql = &sql_end_trials_lapse,
               .repeat = true,
               .explain = &sql_end_trials_explain_lapse}},
    .tables = tables,
    .notes = {NOTE_PAST},
};
