/* The nights to come, tried one after the other: see forecast.h. */
#define _GNU_SOURCE
#include "forecast.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "migrate.h"
#include "run_internal.h"

#include "ban.h"

enum { DAYS_AHEAD = 30 };

#define DAY INT64_C(86400)

struct forecaster {
    struct forecast *out;
    struct invocation inv;
    struct pass pass; /* a run for each job */
};

enum err_code forecast_add(struct forecast_amount *list, size_t *n,
                           const struct forecast_amount *amount, struct err *err)
{
    for (size_t i = 0; i < *n; i++)
        if (strcmp(list[i].currency, amount->currency) == 0) {
            list[i].amount += amount->amount;
            return ERR_OK;
        }
    if (*n == FORECAST_CURRENCIES)
        return err_set(err, ERR_INTERNAL, "more than %d currencies", FORECAST_CURRENCIES);
    list[(*n)++] = *amount;
    return ERR_OK;
}

const char *forecast_amount_text(const struct forecast_amount *amount,
                                 char buffer[static AMOUNT_SIZE])
{
    int64_t unit = 1;

    for (int i = 0; i < amount->decimals; i++)
        unit *= 10;
    if (amount->decimals == 0)
        snprintf(buffer, AMOUNT_SIZE, "%" PRId64, amount->amount);
    else
        snprintf(buffer, AMOUNT_SIZE, "%" PRId64 ".%0*" PRId64, amount->amount / unit,
                 amount->decimals, amount->amount % unit);
    return buffer;
}

static enum err_code take_amount(void *context, const struct db_row *row, struct err *err)
{
    struct forecast_part *part = context;
    struct forecast_amount amount = {.decimals = (int)db_int(row, 1), .amount = db_int(row, 2)};

    snprintf(amount.currency, sizeof amount.currency, "%s", db_text(row, 0));
    return forecast_add(part->at_stake, &part->n_at_stake, &amount, err);
}

/* One job in one night, under a number that no ledger gives. A step that leaves no audit (the
   snapshots) changes nothing for later nights. */
static enum err_code try_job(struct forecaster *f, size_t night, size_t i, int64_t from, int64_t to,
                             struct err *err)
{
    struct run *run = &f->pass.runs[i];
    struct forecast_part *part = &f->out->parts[night * f->out->n_jobs + i];
    struct written written = {0};
    struct refusals refusals = {0};
    const struct bisection parts = {.pass = &f->pass,
                                    .run = run,
                                    .refusals = &refusals,
                                    .tried = &written,
                                    .audited_only = true};
    struct args args = {0};
    enum err_code code;

    pass_args(&f->pass, run, &args);
    args_range(&args, from, KEY_MAX, to, KEY_MAX);
    args_int(&args, "run_id", -1 - (int64_t)(night * f->out->n_jobs + i));
    run->set_aside = 0;
    code = run_set_aside(&f->pass, run, &args, err);
    if (code == ERR_OK)
        code = run_part(&parts, &args, (struct batch_key){from, KEY_MAX, 0},
                        (struct batch_key){to, KEY_MAX, 0}, NOT_COUNTED, err);
    if (code == ERR_OK && written.changed > 0)
        code = db_run(f->inv.db, &sql_forecast_at_stake, &args, take_amount, part, err);
    part->job = run->job;
    part->rows += written.changed;
    f->out->set_aside += run->set_aside + (int64_t)refusals.n;
    refusals_done(&refusals);
    err_done(&run->err);
    return code;
}

static enum err_code try_range(void *context, int64_t from, int64_t to, struct err *err)
{
    struct forecaster *f = context;
    enum err_code code = db_begin(f->inv.db, DB_CHANGE, err);

    for (size_t night = 0; code == ERR_OK && night < f->out->n_nights; night++) {
        f->pass.as_of = f->out->nights[night];
        instant_format(f->pass.as_of, f->pass.as_of_text);
        code = deadline_check(f->inv.deadline, err);
        for (size_t i = 0; code == ERR_OK && i < f->pass.n; i++)
            code = try_job(f, night, i, from, to, err);
    }
    db_rollback(f->inv.db);
    return code;
}

static enum err_code choose_nights(struct forecaster *f, const struct instant *until,
                                   struct err *err)
{
    struct forecast *out = f->out;
    int64_t first = instant_day(out->as_of).seconds;
    int64_t last = until ? instant_day(*until).seconds : first + DAYS_AHEAD * DAY;
    char text[INSTANT_SIZE];

    if (last < first)
        return err_set(err, ERR_USAGE, "--until: the day is before %s",
                       instant_format(out->as_of, text));
    if (last - first >= FORECAST_NIGHTS_MAX * DAY)
        return err_set(err, ERR_USAGE, "--until: more than %d nights ahead", FORECAST_NIGHTS_MAX);
    out->n_nights = (size_t)((last - first) / DAY) + 1;
    out->nights = calloc(out->n_nights, sizeof *out->nights);
    out->parts = calloc(out->n_nights * out->n_jobs + 1, sizeof *out->parts);
    if (!out->nights || !out->parts)
        return err_nomem(err);
    out->nights[0] = out->as_of;
    for (size_t i = 1; i < out->n_nights; i++)
        out->nights[i].seconds = first + (int64_t)i * DAY;
    return ERR_OK;
}

/* The change jobs, but for those that ask the DNS, or wait for something to be put in. */
static enum err_code choose_jobs(struct forecaster *f, const struct registry *registry,
                                 struct err *err)
{
    f->pass.runs = calloc(registry->n_jobs, sizeof *f->pass.runs);
    if (!f->pass.runs)
        return err_nomem(err);
    for (size_t i = 0; i < registry->n_jobs; i++) {
        const struct job *job = registry->jobs[i];

        if (job->kind == JOB_CHANGE && !job->questions && !job->unforeseen)
            f->pass.runs[f->pass.n++].job = job;
    }
    f->out->n_jobs = f->pass.n;
    return ERR_OK;
}

enum err_code forecast(const struct forecast_request *request, const struct run_observer *observer,
                       const struct deadline *deadline, struct forecast *ret, struct err *err)
{
    struct run_request run_request = {
        .registry = request->registry, .conf = request->conf, .dry_run = true, .max_changes = -1};
    struct forecaster f = {
        .out = ret,
        .inv = {.request = &run_request, .observer = observer, .deadline = deadline},
    };
    enum err_code code;

    *ret = (struct forecast){0};
    f.pass = (struct pass){.inv = &f.inv, .max_changes = -1};
    code = db_open(&f.inv.db, conf_text(request->conf, "database", "conninfo"), deadline, err);
    if (code == ERR_OK)
        code = schema_check(f.inv.db, err);
    if (code == ERR_OK && request->as_of)
        ret->as_of = *request->as_of;
    else if (code == ERR_OK)
        code = ledger_clock(f.inv.db, &ret->as_of, err);
    if (code == ERR_OK)
        code = choose_jobs(&f, request->registry, err);
    if (code == ERR_OK)
        code = choose_nights(&f, request->until, err);
    if (code == ERR_OK)
        code = pass_ranges(&f.pass, "forecast", try_range, &f, err);
    for (size_t i = 0; i < f.pass.n; i++)
        err_done(&f.pass.runs[i].err);
    free(f.pass.runs);
    db_close(f.inv.db);
    return code;
}

void forecast_done(struct forecast *forecast)
{
    free(forecast->nights);
    free(forecast->parts);
    *forecast = (struct forecast){0};
}
