/* What the nightly runs will do, as the data stand: each night tried after the other.
 *
 *     forecast(&request, &observer, &deadline, &nights, &err)
 *     forecast_done(&nights)
 *
 * The first night is as of the as-of, the others as of each 00:00 UTC after it, up to the last day.
 * Per range of accounts all nights run in one transaction, in nightly order, so that a night sees
 * what the ones before it did; then it is rolled back. What asks the DNS is left out, and clean-up
 * jobs are: neither can be foreseen. No guard stops it. Memory goes by nights and jobs alone. */
#ifndef LAPSE_FORECAST_H
#define LAPSE_FORECAST_H

#include "conf.h"
#include "deadline.h"
#include "instant.h"
#include "run.h"

enum { FORECAST_NIGHTS_MAX = 400, FORECAST_CURRENCIES = 16 };

/* Money of one currency, in its minor unit. */
struct forecast_amount {
    char currency[8];
    int decimals;
    int64_t amount;
};

/* What one job does in one night. */
struct forecast_part {
    const struct job *job;
    int64_t rows;                                         /* of the audit */
    struct forecast_amount at_stake[FORECAST_CURRENCIES]; /* of paid bases that lapse */
    size_t n_at_stake;
};

struct forecast {
    struct instant as_of, *nights;
    size_t n_nights;
    struct forecast_part *parts; /* of each night, in nightly order: n_jobs of them */
    size_t n_jobs;
    int64_t set_aside; /* accounts that jobs set aside in some night, each time counted */
};

struct forecast_request {
    const struct registry *registry;
    const struct conf *conf;
    const struct instant *as_of; /* NULL: the database's clock */
    const struct instant *until; /* its day is the last; NULL: 30 days ahead */
};

/* ERR_USAGE: `until` is before the as-of, or more than 400 nights ahead. */
enum err_code forecast(const struct forecast_request *request, const struct run_observer *observer,
                       const struct deadline *deadline, struct forecast *ret,
                       struct err *err) _must_check_;
void forecast_done(struct forecast *forecast);
#define _cleanup_forecast_ _cleanup_(forecast_done)

/* Publishes the forecast below `out`, in the set of its as-of's date; `*ret_folder` is the
 * caller's. */
enum err_code forecast_publish(const struct forecast *forecast, const struct conf *conf,
                               const char *out, const struct deadline *deadline, char **ret_folder,
                               struct err *err) _must_check_;

/* Adds an amount to a list of at most FORECAST_CURRENCIES; what does not fit is ERR_INTERNAL. */
enum err_code forecast_add(struct forecast_amount *list, size_t *n,
                           const struct forecast_amount *amount, struct err *err) _must_check_;

/* "1234.50" */
enum { AMOUNT_SIZE = 40 };
const char *forecast_amount_text(const struct forecast_amount *amount,
                                 char buffer[static AMOUNT_SIZE]);

#endif
