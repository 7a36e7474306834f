/* What the parts of a run share: telling, the values of statements, ending a run. */
#define _GNU_SOURCE
#include "run_internal.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ban.h"

void run_tell(const struct invocation *inv, enum run_news news, const char *format, ...)
{
    char *text;
    va_list args;

    if (!inv->observer->news)
        return;
    va_start(args, format);
    text = str_vformat(format, args);
    va_end(args);
    if (text)
        inv->observer->news(inv->observer->context, news, text);
    free(text);
}

void run_progress(const struct invocation *inv, const struct job *job, const char *phase,
                  uint64_t done, uint64_t total)
{
    if (inv->observer->progress)
        inv->observer->progress(inv->observer->context, job, phase, done, total);
}

bool has_options(const struct pass *pass, const struct job *job)
{
    if (pass->resuming)
        return false;
    for (size_t i = 0; i < pass->inv->request->n_options; i++) {
        const struct run_option *option = &pass->inv->request->options[i];

        if (option->job == job && !(option->setting->option & OPTION_ORDER))
            return true;
    }
    return false;
}

static const struct setting *own_setting(const struct job *job, const char *key)
{
    for (const struct setting *own = job->settings; own && own->key; own++)
        if (strcmp(own->key, key) == 0)
            return own;
    abort(); /* a program that asks for an option its job does not have */
}

const char *given_option(const struct pass *pass, const struct job *job, const char *key)
{
    const struct run_request *request = pass->inv->request;

    for (size_t i = 0; !pass->resuming && i < request->n_options; i++)
        if (request->options[i].job == job && strcmp(request->options[i].setting->key, key) == 0)
            return request->options[i].value;
    for (size_t i = 0; i < pass->n; i++)
        if (pass->runs[i].job == job && pass->runs[i].given)
            return json_string_value(json_object_get(pass->runs[i].given, key));
    return NULL;
}

const char *job_option(const struct pass *pass, const struct job *job, const char *key)
{
    const struct run_request *request = pass->inv->request;
    const char *given = given_option(pass, job, key);
    char section[64];

    if (given)
        return given;
    if (own_setting(job, key)->option & OPTION_ONLY)
        return own_setting(job, key)->fallback;
    job_section(job, section, sizeof section);
    return conf_text(request->conf, section, key);
}

void pass_args(const struct pass *pass, const struct run *run, struct args *args)
{
    const struct conf *conf = pass->inv->request->conf;

    job_args(conf, pass->as_of_text, run->job->name, pass->accounts, args);
    args_int(args, "run_id", run->run_id);
    args_int(args, "batch_no", 0);
    for (const struct setting *own = run->job->settings; own && own->key; own++)
        args_text(args, own->key, job_option(pass, run->job, own->key));
}

bool option_is(const struct pass *pass, const struct job *job, const char *when)
{
    const char *equals = when ? strchr(when, '=') : NULL;
    char key[64];

    if (!equals)
        return true;
    snprintf(key, sizeof key, "%.*s", (int)(equals - when), when);
    return str_eq(job_option(pass, job, key), equals + 1);
}

static bool skip_because(struct run *run, const struct run *other)
{
    err_set(&run->err, other->err.code, "not run, because %s failed", other->job->name);
    run->err.signal = other->err.signal;
    run->state = RUN_SKIPPED;
    return false;
}

bool run_may_go_on(struct pass *pass, struct run *run)
{
    if (run->state == RUN_FAILED || run->state == RUN_SKIPPED)
        return false;
    for (size_t j = 0; pass->applying && j < pass->n; j++)
        if (pass->runs[j].state == RUN_FAILED) /* of a plan nothing goes on without the rest */
            return skip_because(run, &pass->runs[j]);
    for (size_t i = 0; i < JOB_WAITS && run->job->waits_for[i].job; i++)
        for (size_t j = 0; j < pass->n; j++) {
            const struct job_wait *wait = &run->job->waits_for[i];
            const struct run *other = &pass->runs[j];

            if (strcmp(other->job->name, wait->job) != 0 ||
                (other->state != RUN_FAILED && other->state != RUN_SKIPPED) ||
                !option_is(pass, other->job, wait->when))
                continue;
            return skip_because(run, other);
        }
    return true;
}

static enum err_code take_gone(void *context, const struct db_row *row, struct err *err)
{
    char **reason = context;

    if (!*reason && !(*reason = strdup(db_text(row, 0))))
        return err_nomem(err);
    return ERR_OK;
}

enum err_code run_check_gone(struct pass *pass, struct run *run, struct err *err)
{
    _cleanup_free_ char *reason = NULL;
    struct args args = {0};
    enum err_code code;

    if (!run->job->gone)
        return ERR_OK;
    pass_args(pass, run, &args);
    code = db_run_alone(pass->inv->db, run->job->gone, &args, take_gone, &reason, err);
    if (code != ERR_OK || !reason)
        return code;
    if (pass->inv->request->allow_incomplete || pass->resuming) {
        free(run->incomplete);
        run->incomplete = TAKE_PTR(reason);
        run_tell(pass->inv, NEWS_NOTE, "%s: incomplete: %s", run->job->name, run->incomplete);
        return ERR_OK;
    }
    err_set(err, ERR_STOPPED, "%s", reason);
    err_hint(err, "add --allow-incomplete to have it all the same; the sheet Run then says so");
    return err->code;
}

/* Whether trying again is of no use before somebody has looked: such a run is not gone on with. */
static bool is_for_a_person(const struct run *run)
{
    return run->err.code == ERR_STOPPED ||
           (!run->changed && (run->err.code == ERR_DATA || run->err.code == ERR_NOINPUT));
}

void run_tell_failure(struct pass *pass, struct run *run)
{
    _cleanup_err_ struct err ignored = {0};
    struct ledger_end end = {.state = run->applied           ? "applied"
                                      : is_for_a_person(run) ? "stopped"
                                                             : "failed",
                             .status = err_status(&run->err),
                             .message = run->err.message,
                             .looked_at = run->looked_at};

    if ((run->state != RUN_FAILED && run->state != RUN_SKIPPED) || !run->run_id || run->ended)
        return;
    if (db_is_lost(pass->inv->db) || run->err.code == ERR_SIGNAL)
        return;
    run->ended = true;
    if (ledger_finish(pass->inv->db, run->run_id, run->attempt, &end, &ignored) != ERR_OK)
        run_tell(pass->inv, NEWS_NOTE, "the ledger could not be told how run %" PRId64 " ended",
                 run->run_id);
}

void run_fail(struct pass *pass, struct run *run)
{
    run->state = RUN_FAILED;
    if (!db_in_transaction(pass->inv->db))
        run_tell_failure(pass, run);
}

enum err_code take_range_end(void *context, const struct db_row *row, struct err *err)
{
    struct range_ends *ends = context;

    if (ends->n == ends->size) {
        size_t size = ends->size ? ends->size * 2 : 64;
        int64_t *grown = reallocarray(ends->last, size, sizeof *grown);

        if (!grown)
            return err_nomem(err);
        ends->last = grown;
        ends->size = size;
    }
    ends->last[ends->n++] = db_int(row, 0);
    return ERR_OK;
}
