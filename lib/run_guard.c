/* The guard: a run that is too big stops before it changes anything. */
#define _GNU_SOURCE
#include "run_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "terminal.h"

#include "ban.h"

/* Percent and surge say nothing of a handful of rows. */
enum { FEW = 99, RUNS_FOR_SURGE = 5 };

/* An undo is no job of the night and has no section of its own: the defaults hold for it. */
static int64_t default_of(const char *key)
{
    int64_t value = 0;

    for (size_t i = 0; i < GUARD_SETTINGS; i++)
        if (strcmp(guard_settings[i].key, key) == 0 &&
            !parse_int64(guard_settings[i].fallback, 0, INT64_MAX, &value))
            abort(); /* a default that is no number */
    return value;
}

int64_t guard_setting(const struct pass *pass, const struct job *job, const char *key)
{
    const struct run_request *request = pass->inv->request;
    char section[SECTION_SIZE];

    if (!job_find(request->registry, job->name))
        return default_of(key);
    job_section(job, section, sizeof section);
    return conf_int(request->conf, section, key);
}

static void narrow(struct guard *guard, int64_t limit, const char *format, ...) _printf_(3, 4);
static void narrow(struct guard *guard, int64_t limit, const char *format, ...)
{
    va_list args;

    if (limit >= guard->limit)
        return;
    guard->limit = limit;
    va_start(args, format);
    vsnprintf(guard->name, sizeof guard->name, format, args);
    va_end(args);
}

static int64_t at_least_few(int64_t limit)
{
    return limit < FEW ? FEW : limit;
}

enum err_code guard_of(struct pass *pass, const struct run *run, struct guard *ret, struct err *err)
{
    const struct job *job = run->job;
    int64_t runs, median, candidates = run->of_all + run->done;
    int64_t max_changes, percent, surge;
    const char *first = "";
    enum err_code code;

    *ret = (struct guard){.limit = INT64_MAX};
    if (pass->max_changes >= 0) {
        narrow(ret, pass->max_changes, "--max-changes");
        return ERR_OK;
    }
    code = ledger_median(pass->inv->db, job->name, &runs, &median, err);
    if (code != ERR_OK)
        return code;
    max_changes = guard_setting(pass, job, "max_changes");
    percent = guard_setting(pass, job, "max_percent");
    surge = guard_setting(pass, job, "surge");
    if (runs == 0) {
        first = ", halved for the job's first run";
        max_changes /= 2;
    }
    narrow(ret, max_changes, "max_changes%s", first);
    if (percent < 100)
        narrow(ret, at_least_few(candidates * percent / (runs == 0 ? 200 : 100)),
               "max_percent %" PRId64 " of %" PRId64 "%s", percent, candidates, first);
    if (runs >= RUNS_FOR_SURGE)
        narrow(ret, at_least_few(surge * median), "surge %" PRId64 " times the usual %" PRId64,
               surge, median);
    return ERR_OK;
}

enum err_code guard_check(const struct pass *pass, const struct run *run, const struct guard *guard,
                          int64_t more, struct err *err)
{
    int64_t total = run->done + more;
    char due[NUMBER_SIZE], limit[NUMBER_SIZE], done[NUMBER_SIZE];

    if (total <= guard->limit)
        return ERR_OK;
    show_count(total, due);
    show_count(guard->limit, limit);
    if (run->done == 0)
        err_set(err, ERR_STOPPED,
                "%s rows are due, more than the %s that are allowed (%s); nothing was "
                "changed",
                due, limit, guard->name);
    else
        err_set(err, ERR_STOPPED,
                "%s rows would be changed, more than the %s that are allowed (%s); the "
                "%s that were changed stay",
                due, limit, guard->name, show_count(run->done, done));
    err_hint(
        err,
        "look with \"lapse run %s --as-of %s --dry-run\"; if it is meant: \"lapse run %s --as-of "
        "%s --max-changes %" PRId64 "\"",
        run->job->name, pass->as_of_text, run->job->name, pass->as_of_text, total);
    return err->code;
}
