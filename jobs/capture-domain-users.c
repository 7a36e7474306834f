/* capture-domain-users: who signs up in a captured domain gets a license, while seats last. */
#include "jobs.h"

static const struct column columns[] = {
    {"Account ID", "account_id", COL_ID, 12, false},
    {"Account", "account", COL_TEXT, 30, false},
    {"Domain", "domain", COL_TEXT, 28, false},
    {"Email", "email", COL_TEXT, 34, false},
    {"Signed Up", "signed_up_at", COL_INSTANT, 20, false},
    {"Outcome", "outcome", COL_TEXT, 16, false},
    {0},
};

static const struct report_table tables[] = {
    {.sheet = "Captured users",
     .query = &sql_capture_domain_users_report,
     .columns = columns,
     .tally = "outcome",
     .question = "Who was captured, and who waits for a seat?"},
    {0},
};

const struct job job_capture_domain_users = {
    .name = "capture-domain-users",
    .title = "Domain capture",
    .summary = "license who signs up in a captured domain, while seats last",
    .rules =
        "A user who signed up at or after capture was enabled on a verified domain, with an\n"
        "address in exactly that domain (a subdomain is another one), gets a license in that\n"
        "account and is a member of it, while seats last. Not someone who ever held a license\n"
        "there, or is deleted; earlier sign-ups only under [rules] capture_existing. Free seats\n"
        "go to who signed up first; someone with a live invitation holds a seat already. Who\n"
        "finds no seat is listed as blocked_no_seat and tried again by every run. A seat that\n"
        "reconcile-seats releases as unused is free only after the as-of of that run. Of two\n"
        "captures of one domain the earlier has it, then the lower account. Capture acts only\n"
        "under a plan with Enterprise controls, and not while it is suspended.",
    .kind = JOB_CHANGE,
    .waits_for = {{"expire-invitations", NULL},
                  {"downgrade-plans", NULL},
                  {"reconcile-teams", NULL},
                  {"verify-domains", NULL}},
    .candidates = &sql_capture_domain_users_candidates,
    .skipped_because = "No seat left",
    .refuse = &sql_capture_domain_users_refuse,
    .entangled = &sql_capture_domain_users_entangled,
    .cut = &sql_capture_domain_users_cut,
    .set_aside = &sql_capture_domain_users_set_aside,
    .steps = {{.sql = &sql_capture_domain_users_change,
               .explain = &sql_capture_domain_users_explain},
              {.sql = &sql_capture_domain_users_yield}},
    .written = &sql_capture_domain_users_written,
    .tables = tables,
    .notes = {NOTE_PAST},
};
