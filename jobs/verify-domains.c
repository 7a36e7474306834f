/* verify-domains: a domain is its account's once the DNS proves it. */
#include "jobs.h"

static const struct column columns[] = {
    {"Account ID", "account_id", COL_ID, 12, false},
    {"Account", "account", COL_TEXT, 30, false},
    {"Domain", "domain", COL_TEXT, 34, false},
    {"Method", "method", COL_TEXT, 12, false},
    {"Outcome", "outcome", COL_TEXT, 20, false},
    {"Verified At", "verified_at", COL_INSTANT, 20, false},
    {"Last Seen", "last_seen_at", COL_INSTANT, 20, false},
    {0},
};

static const struct report_table tables[] = {
    {.sheet = "Domains",
     .query = &sql_verify_domains_report,
     .columns = columns,
     .tally = "outcome",
     .question = "What became of the domains?"},
    {0},
};

const struct job job_verify_domains = {
    .name = "verify-domains",
    .title = "Domain verification",
    .summary = "verify domains by their TXT record, and tell whose record has gone",
    .rules =
        "A domain with the method unique_txt is verified when a TXT record of it holds its\n"
        "token: as it is written, with no letter or digit directly before or behind it. One\n"
        "with the method root is verified as soon as its root domain is verified in the same\n"
        "account. What is verified stays verified: where the record has gone, or no server\n"
        "answers, the report says so, with the day it was last seen. Capture or lock that is\n"
        "on for an unverified domain is reported. The DNS is asked in every run, at most [rules]\n"
        "dns_parallel questions at once, each within [dns] timeout; no answer outlives its run.\n"
        "Outcomes: verified (on this date), still_verified, record_gone (verified, and the\n"
        "answer lacks the token), not_found, nxdomain, servfail, timeout, root_not_verified,\n"
        "capture_unverified, lock_unverified.",
    .kind = JOB_CHANGE,
    .questions = &sql_verify_domains_questions,
    .answers = &sql_verify_domains_answers,
    .candidates = &sql_verify_domains_candidates,
    .cut = &sql_verify_domains_cut,
    .steps = {{.sql = &sql_verify_domains_verify, .explain = &sql_verify_domains_explain},
              {.sql = &sql_verify_domains_seen, .unaudited = true}},
    .tables = tables,
    .notes = {"The DNS is asked when the job runs, whatever the as-of: it keeps no past. A domain "
              "of an account on hold is listed with what the DNS says and left as it is: its "
              "outcome may be verified without a date."},
};
