/* When something will be due: the job is tried as of later instants, first those in the data, then
   between the last that is too early and the first that is not, down to the second. */
#define _GNU_SOURCE
#include "run_explain.h"

#include <stdlib.h>
#include <string.h>

#include "ban.h"

/* How many instants are looked at of one entity, before the search between two of them; and where
   an account's are listed. */
enum { PROBES_MAX = 120, PROBES_LISTED = 40 };

/* The whole second of an instant as PostgreSQL prints it; false for one that is none (infinity). */
static bool seconds_of(const char *text, int64_t *ret)
{
    _cleanup_err_ struct err ignored = {0};
    struct instant instant;
    char whole[INSTANT_SIZE];

    if (!text || strlen(text) < 19 || text[4] != '-')
        return false;
    snprintf(whole, sizeof whole, "%.10sT%.8sZ", text, text + 11);
    if (instant_parse(whole, "", &instant, &ignored) != ERR_OK)
        return false;
    *ret = instant.seconds;
    return true;
}

struct probes {
    int64_t *list;
    size_t n;
};

/* The first whole second that is not before the instant; of one entity the next one too, where it
   must have passed. */
static void add_probe(const struct explainer *x, struct probes *probes, const char *text)
{
    bool one = x->request->entity_id;
    int64_t seconds;

    if (!seconds_of(text, &seconds))
        return;
    seconds += text[19] == '.';
    for (int64_t at = seconds; at <= seconds + one; at++)
        if (at > x->out->as_of.seconds && at < x->out->horizon.seconds)
            probes->list[probes->n++] = at;
}

static int seconds_in_order(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

/* Every instant in the data of what is not due, in order and once; the nearest, where they are too
   many. For one entity the horizon is the last. */
static enum err_code collect_probes(const struct explainer *x, struct probes *ret, struct err *err)
{
    const struct explanation *out = x->out;
    size_t n = 0, max = x->request->entity_id ? PROBES_MAX : PROBES_LISTED;

    ret->list = calloc(2 * (out->n_conditions + out->n_accounts) + 1, sizeof *ret->list);
    if (!ret->list)
        return err_nomem(err);
    for (size_t i = 0; i < out->n; i++)
        for (size_t j = 0; !out->list[i].due && j < out->list[i].n; j++)
            add_probe(x, ret, out->list[i].conditions[j].instant);
    for (size_t i = 0; i < out->n_accounts; i++)
        add_probe(x, ret, out->accounts[i].held_until);
    qsort(ret->list, ret->n, sizeof *ret->list, seconds_in_order);
    for (size_t i = 0; i < ret->n && n < max; i++)
        if (n == 0 || ret->list[i] != ret->list[n - 1])
            ret->list[n++] = ret->list[i];
    if (x->request->entity_id)
        ret->list[n++] = out->horizon.seconds;
    ret->n = n;
    return ERR_OK;
}

static bool all_found(const struct explanation *out)
{
    for (size_t i = 0; i < out->n; i++)
        if (!out->list[i].due && !out->list[i].will)
            return false;
    return true;
}

static void found(struct explained *entity, int64_t seconds, enum trial trial)
{
    entity->will = true;
    entity->due_at.seconds = seconds;
    entity->after_others = trial == TRIAL_NIGHT;
}

/* The first second at which the entity is due, when it is not at `low` and is at `high`. */
static enum err_code bisect(struct explainer *x, struct explained *entity, int64_t low,
                            int64_t high, enum trial trial, struct err *err)
{
    while (low + 1 < high) {
        int64_t middle = low + (high - low) / 2;
        enum err_code code = explain_try(x, middle, trial, err);

        if (code != ERR_OK)
            return code;
        *(entity->now ? &high : &low) = middle;
    }
    found(entity, high, trial);
    return ERR_OK;
}

/* What has become due between two instants, the second of which was just tried: mostly at that
   very second, so the one before is tried once for all. */
static enum err_code settle(struct explainer *x, int64_t low, int64_t high, enum trial trial,
                            struct err *err)
{
    _cleanup_free_ bool *fresh = calloc(x->out->n, sizeof *fresh);
    enum err_code code = fresh ? ERR_OK : err_nomem(err);
    bool any = false;

    for (size_t i = 0; fresh && i < x->out->n; i++) {
        const struct explained *entity = &x->out->list[i];

        any |= fresh[i] = entity->now && !entity->due && !entity->will;
    }
    if (code == ERR_OK && any && low + 1 < high)
        code = explain_try(x, high - 1, trial, err);
    for (size_t i = 0; code == ERR_OK && any && i < x->out->n; i++)
        if (fresh[i] && (!x->out->list[i].now || low + 1 >= high)) {
            found(&x->out->list[i], high, trial);
            fresh[i] = false;
        }
    for (size_t i = 0; code == ERR_OK && any && i < x->out->n; i++)
        if (fresh[i])
            code = bisect(x, &x->out->list[i], low, high - 1, trial, err);
    return code;
}

static enum err_code search(struct explainer *x, const struct probes *probes, enum trial trial,
                            struct err *err)
{
    int64_t low = x->out->as_of.seconds;
    enum err_code code = ERR_OK;

    if (trial == TRIAL_NIGHT && !all_found(x->out)) {
        code = explain_try(x, low, trial, err);
        if (code == ERR_OK)
            code = settle(x, low - 1, low, trial, err);
    }
    for (size_t i = 0; code == ERR_OK && i < probes->n && !all_found(x->out); i++) {
        code = explain_try(x, probes->list[i], trial, err);
        if (code == ERR_OK)
            code = settle(x, low, probes->list[i], trial, err);
        low = probes->list[i];
    }
    return code;
}

enum err_code explain_when(struct explainer *x, struct err *err)
{
    struct probes probes = {0};
    enum err_code code = collect_probes(x, &probes, err);

    if (code == ERR_OK)
        code = search(x, &probes, TRIAL_VERDICT, err);
    if (code == ERR_OK && x->pass.n > 1)
        code = search(x, &probes, TRIAL_NIGHT, err);
    free(probes.list);
    return code;
}
