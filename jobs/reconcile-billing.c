/* reconcile-billing: the payment provider's lines against the subscriptions here. */
#include "jobs.h"

#define SECTION "job.reconcile-billing"

static const struct column columns[] = {
    {"Account ID", "account_id", COL_ID, 12, false},
    {"Account", "account", COL_TEXT, 30, false},
    {"Invoice", "invoice", COL_TEXT, 24, false},
    {"Finding", "finding", COL_TEXT, 18, false},
    {"Field", "field", COL_TEXT, 14, false},
    {"Here", "here", COL_TEXT, 28, false},
    {"There", "there", COL_TEXT, 28, false},
    {"Amount", "amount", COL_AMOUNT, 14, false},
    {"Currency", "currency", COL_TEXT, 9, false},
    {"Period Start", "period_start", COL_INSTANT, 20, false},
    {"Period End", "period_end", COL_INSTANT, 20, false},
    {0},
};

static const struct report_table tables[] = {
    {.sheet = "Billing",
     .query = &sql_reconcile_billing_report,
     .columns = columns,
     .tally = "finding",
     .question = "Where do billing and subscriptions differ?"},
    {0},
};

/* In the order of the COPY; a currency comes before the amount that is counted in it. */
static const struct input_column lines[] = {
    {.field = "invoice_number", .type = INPUT_TEXT, .key = true},
    {.field = "line_number",
     .type = INPUT_INT,
     .may_be_absent = true,
     .key = true,
     .max = INT32_MAX},
    {.field = "customer_ref", .type = INPUT_TEXT},
    {.field = "plan", .type = INPUT_WORD, .may_be_empty = true, .words = "plans"},
    {.field = "seats",
     .type = INPUT_INT,
     .may_be_absent = true,
     .may_be_empty = true,
     .max = INT32_MAX},
    {.field = "period_start", .type = INPUT_INSTANT},
    {.field = "period_end", .type = INPUT_INSTANT, .since = "period_start"},
    {.field = "currency", .type = INPUT_CURRENCY},
    {.field = "amount", .type = INPUT_AMOUNT},
    {.field = "status", .type = INPUT_WORD, .words = "statuses", .ours = "paid|open|void"},
    {.field = "paid_at", .type = INPUT_INSTANT, .may_be_absent = true, .may_be_empty = true},
    {0},
};

static const struct job_input input = {
    .columns = lines,
    .tolerance = "max_bad_lines",
    .alike = &sql_reconcile_billing_alike,
    .known = &sql_reconcile_billing_known,
    .mine = &sql_reconcile_billing_mine,
    .stage = {&sql_reconcile_billing_stage_lines, &sql_reconcile_billing_stage_customers},
    .copy = &sql_reconcile_billing_copy,
    .judge = {&sql_reconcile_billing_judge_numbers, &sql_reconcile_billing_judge_plans,
              &sql_reconcile_billing_judge_twice, &sql_reconcile_billing_judge_differing},
    .bad = &sql_reconcile_billing_bad,
    .load = {&sql_reconcile_billing_load_bad, &sql_reconcile_billing_analyze_lines,
             &sql_reconcile_billing_find_customers, &sql_reconcile_billing_analyze_customers,
             &sql_reconcile_billing_load_lines, &sql_reconcile_billing_load_unmatched,
             &sql_reconcile_billing_load_file, &sql_reconcile_billing_unstage},
    .changes_when = "apply_renewals=yes",
};

/* The heading of a column. */
#define COLUMN(field, what)                                                          \
    {                                                                                \
        SECTION, "column_" field, SETTING_TEXT, field, 0, 0, NULL, what, OPTION_NONE \
    }

static const struct setting settings[] = {
    {SECTION, "input", SETTING_TEXT, NULL, 0, 0, NULL,
     "The payment provider's exports (CSV): a pattern such as /srv/billing/*.csv; each file that "
     "fits is imported once. As an option one file, imported now",
     OPTION_ORDER | OPTION_FILE},
    {SECTION, "force", SETTING_BOOL, "no", 0, 0, NULL,
     "Import a file again that was imported already", OPTION_ORDER | OPTION_ONLY},
    {SECTION, "apply_renewals", SETTING_BOOL, "no", 0, 0, NULL,
     "Whether a subscription that a paid line proves renewed gets its new period's end",
     OPTION_ORDER},
    {SECTION, "separator", SETTING_CHOICE, "comma", 0, 0, "comma|semicolon|tab",
     "What stands between the fields of a file", OPTION_NONE},
    {SECTION, "zone", SETTING_TEXT, NULL, 0, 0, NULL,
     "The zone of instants that name none, UTC or such as +02:00; a date alone is then its 00:00. "
     "Without it such an instant is a bad line",
     OPTION_NONE},
    {SECTION, "amounts", SETTING_CHOICE, "major", 0, 0, "major|minor",
     "Whether amounts are written in the currency's major unit (10.50) or minor unit (1050)",
     OPTION_NONE},
    {SECTION, "plans", SETTING_TEXT, NULL, 0, 0, NULL,
     "What the provider's plans are called here, such as price_1Pro=pro,price_1Ent=enterprise; one "
     "that stands for nothing (price_setup=) is no plan, and its lines are not compared. Not set: "
     "the file has our own codes",
     OPTION_NONE},
    {SECTION, "statuses", SETTING_TEXT, "paid=paid,open=open,void=void", 0, 0, NULL,
     "What the provider's statuses mean: paid, open or void", OPTION_NONE},
    COLUMN("invoice_number", "The heading of the invoice's number"),
    COLUMN("line_number", "The heading of the line's number within its invoice; empty where there "
                          "is none: lines are then numbered as they stand"),
    COLUMN("customer_ref", "The heading of what finds the customer: a subscription's external "
                           "reference here, else an account's"),
    COLUMN("plan", "The heading of the plan"),
    COLUMN("seats", "The heading of the number of seats; empty where there is none"),
    COLUMN("period_start", "The heading of the instant the paid period starts"),
    COLUMN("period_end", "The heading of the instant it ends"),
    COLUMN("amount", "The heading of the line's amount"),
    COLUMN("currency", "The heading of its currency"),
    COLUMN("status", "The heading of the status"),
    COLUMN("paid_at", "The heading of the instant it was paid; empty where there is none"),
    {0},
};

const struct job job_reconcile_billing = {
    .name = "reconcile-billing",
    .title = "Billing",
    .summary = "import the payment provider's lines, compare them with the subscriptions",
    .rules =
        "Imports the payment provider's exports and compares, per account and period, plan,\n"
        "seats, period, amount (seats x unit_amount, where it is known), currency and status. A\n"
        "line's customer is the account of a subscription with its reference, else the account\n"
        "with it; lines of a customer nobody knows are listed without an account. Differences\n"
        "are listed both ways, each once, with what either side says; the Summary adds their\n"
        "amounts up per finding and currency. A file is imported once,\n"
        "whole or not at all: beyond [rules] max_bad_lines a bad line refuses it; one line of an\n"
        "invoice in a later file replaces the earlier. Nothing is changed by the comparison.\n"
        "With apply_renewals a live paid subscription whose plan a paid line carries on, without\n"
        "a gap and not cancelled, gets that line's period end and is active.",
    .kind = JOB_CHANGE,
    .input = &input,
    .candidates = &sql_reconcile_billing_candidates,
    .cut = &sql_reconcile_billing_cut,
    .set_aside = &sql_reconcile_billing_set_aside,
    .steps = {{.sql = &sql_reconcile_billing_renew,
               .repeat = true,
               .explain = &sql_reconcile_billing_explain}},
    .tables = tables,
    .reports_state = true,
    .unforeseen = true,
    .figures = &sql_reconcile_billing_figures,
    .notes = {NOTE_PAST,
              "The lines are those of all files imported so far, whatever the as-of. While none is "
              "known, nothing is compared and the report is empty."},
    .settings = settings,
};
