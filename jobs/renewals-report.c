/* renewals-report: which paid plans come up for renewal, and what they are worth. */
#include "jobs.h"

static const struct column columns[] = {
    {"Account ID", "account_id", COL_ID, 12, false},
    {"Account", "account", COL_TEXT, 30, false},
    {"Plan", "plan", COL_TEXT, 12, false},
    {"Channel", "channel", COL_TEXT, 12, false},
    {"Seats", "seats", COL_COUNT, 9, false},
    {"Used", "used", COL_COUNT, 9, false},
    {"Period End", "period_end", COL_INSTANT, 20, false},
    {"Days To End", "days_to_end", COL_COUNT, 13, false},
    {"Status", "status", COL_TEXT, 10, false},
    {"Open Invoice", "open_invoice", COL_TEXT, 22, false},
    {0},
};

/* As time goes. */
static const char *const bands[] = {"overdue", "within 30 days", "31 to 60 days", "61 to 90 days",
                                    NULL};

static const struct report_table tables[] = {
    {.sheet = "Renewals",
     .query = &sql_renewals_report_report,
     .columns = columns,
     .tally = "band",
     .tally_order = bands,
     .question = "When do paid plans come up for renewal?"},
    {0},
};

static const struct setting settings[] = {
    {"job.renewals-report", "ahead", SETTING_CHOICE, "90", 0, 0, "30|60|90",
     "How many days of 24 h ahead a period's end is listed", 0},
    {0},
};

const struct job job_renewals_report = {
    .name = "renewals-report",
    .title = "Renewals ahead",
    .summary = "list paid plans whose period ends soon, and what is at stake",
    .rules =
        "Every paid base subscription that is live as of the as-of and whose period ends within\n"
        "90 days of 24 h (--ahead 30 or 60); overdue where the period is over already. Plans\n"
        "without an end never come up. Used counts who holds a seat. Days To End are whole UTC\n"
        "days between the two dates, while the bands (30, 60, 90 days) go by the instants. Open\n"
        "Invoice is the account's oldest that was not paid by the as-of, of periods that have\n"
        "begun. The Summary adds up, per band and currency, what the next period is worth:\n"
        "seats x the price of one, else what the newest period of that plan was billed; those\n"
        "without a known price, and those cancelled at their end, are counted apart.",
    .kind = JOB_REPORT,
    .candidates = &sql_renewals_report_candidates,
    .tables = tables,
    .figures = &sql_renewals_report_figures,
    .notes = {NOTE_PAST},
    .settings = settings,
};
