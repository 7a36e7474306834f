/* What is told of an explanation, as it comes from the database: see run_explain.h. */
#define _GNU_SOURCE
#include "run_explain.h"

#include <stdlib.h>
#include <string.h>

#include "ban.h"

/* Conditions of one step are fewer. */
#define PLACES INT64_C(1000)

static char *copy(const struct db_row *row, int column, bool *failed)
{
    const char *text = db_text(row, column);
    char *copied = text ? strdup(text) : NULL;

    *failed |= text && !copied;
    return copied;
}

enum err_code explanation_take_account(void *context, const struct db_row *row, struct err *err)
{
    struct explanation *out = context;
    size_t n = out->n_accounts;
    struct explained_account *grown = reallocarray(out->accounts, n + 1, sizeof *grown);
    bool failed = !grown;

    if (failed)
        return err_nomem(err);
    out->accounts = grown;
    out->n_accounts++;
    grown[n] = (struct explained_account){.account = db_int(row, 0),
                                          .name = copy(row, 1, &failed),
                                          .held = str_eq(db_text(row, 2), "t"),
                                          .held_because = copy(row, 3, &failed),
                                          .held_until = copy(row, 4, &failed)};
    return failed ? err_nomem(err) : ERR_OK;
}

enum err_code explanation_take_condition(void *context, const struct db_row *row, struct err *err)
{
    struct explainer *x = context;
    struct explanation *out = x->out;
    bool failed = false;

    if (out->n_conditions == x->size) {
        size_t size = x->size ? x->size * 2 : 64;
        struct explained_condition *grown = reallocarray(out->conditions, size, sizeof *grown);

        if (!grown)
            return err_nomem(err);
        out->conditions = grown;
        x->size = size;
    }
    out->conditions[out->n_conditions] = (struct explained_condition){
        .account = db_int(row, 0),
        .entity = copy(row, 1, &failed),
        .entity_id = copy(row, 2, &failed),
        .what = copy(row, 3, &failed),
        .action = copy(row, 4, &failed),
        .condition = copy(row, 5, &failed),
        .holds = str_eq(db_text(row, 6), "t"),
        .figure = copy(row, 7, &failed),
        .instant = copy(row, 8, &failed),
        .place = x->step * PLACES + db_int(row, 9),
    };
    out->n_conditions++;
    return failed ? err_nomem(err) : ERR_OK;
}

static int by_key(const struct explained_condition *a, int64_t account, const char *entity,
                  const char *entity_id, size_t len)
{
    int order = (a->account > account) - (a->account < account);

    if (order == 0)
        order = strcmp(a->entity, entity);
    if (order == 0)
        order = strncmp(a->entity_id, entity_id, len);
    return order == 0 ? a->entity_id[len] != '\0' : order;
}

static int conditions_in_order(const void *left, const void *right)
{
    const struct explained_condition *a = left, *b = right;
    int64_t first = a->place / PLACES, second = b->place / PLACES;
    int order = by_key(a, b->account, b->entity, b->entity_id, strlen(b->entity_id));

    if (order == 0)
        order = (first > second) - (first < second);
    if (order == 0)
        order = strcmp(a->action, b->action);
    return order ? order : (a->place > b->place) - (a->place < b->place);
}

static bool is_number(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

/* Their conditions stand in the order of the keys; ids that are numbers go by their value. */
static int entities_in_order(const void *left, const void *right)
{
    const struct explained *first = left, *second = right;
    const struct explained_condition *a = first->conditions, *b = second->conditions;
    size_t len_a = strlen(a->entity_id), len_b = strlen(b->entity_id);

    if (a->account == b->account && strcmp(a->entity, b->entity) == 0 && len_a != len_b &&
        is_number(a->entity_id) && is_number(b->entity_id))
        return len_a < len_b ? -1 : 1;
    return by_key(a, b->account, b->entity, b->entity_id, len_b);
}

static const struct explained_account *account_of(const struct explanation *out, int64_t account)
{
    for (size_t i = 0; i < out->n_accounts; i++)
        if (out->accounts[i].account == account)
            return &out->accounts[i];
    return NULL;
}

/* The conditions of each entity together; the entities in the order of their keys. */
enum err_code explanation_group(struct explanation *out, struct err *err)
{
    const struct explained_condition *all = out->conditions;

    if (out->n_conditions == 0)
        return ERR_OK;
    qsort(out->conditions, out->n_conditions, sizeof *all, conditions_in_order);
    out->list = calloc(out->n_conditions, sizeof *out->list);
    if (!out->list)
        return err_nomem(err);
    for (size_t i = 0; i < out->n_conditions; i++) {
        const struct explained_condition *first = out->n ? out->list[out->n - 1].conditions : NULL;

        if (!first || by_key(first, all[i].account, all[i].entity, all[i].entity_id,
                             strlen(all[i].entity_id)) != 0)
            out->list[out->n++] = (struct explained){.conditions = &all[i],
                                                     .account = account_of(out, all[i].account)};
        out->list[out->n - 1].n++;
    }
    return ERR_OK;
}

static struct explained *find(const struct explanation *out, int64_t account, const char *entity,
                              const char *id, size_t len)
{
    size_t low = 0, high = out->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = by_key(out->list[middle].conditions, account, entity, id, len);

        if (order == 0)
            return &out->list[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* The entity that an audit row is of: its id is the row's, or the beginning of it up to a slash. */
enum err_code explanation_take_written(void *context, const struct db_row *row,
                                       _unused_ struct err *err)
{
    const struct explanation *out = context;
    const char *entity = db_text(row, 1), *id = db_text(row, 2), *slash;
    struct explained *found = find(out, db_int(row, 0), entity, id, strlen(id));

    if (found)
        found->made |= str_eq(db_text(row, 3), "t");
    for (slash = strrchr(id, '/'); !found && slash; slash = memrchr(id, '/', slash - id))
        found = find(out, db_int(row, 0), entity, id, slash - id);
    if (found)
        found->now = true;
    return ERR_OK;
}

/* What the job's own steps have made in the trial was not there to be explained. */
void explanation_forget_made(struct explanation *out)
{
    size_t n = 0;

    for (size_t i = 0; i < out->n; i++)
        if (!out->list[i].made)
            out->list[n++] = out->list[i];
    out->n = n;
}

void explanation_sort(struct explanation *out)
{
    if (out->n > 0)
        qsort(out->list, out->n, sizeof *out->list, entities_in_order);
}

enum err_code explanation_take_aside(void *context, const struct db_row *row, struct err *err)
{
    const struct explanation *out = context;

    for (size_t i = 0; i < out->n_accounts; i++) {
        struct explained_account *account = &out->accounts[i];

        if (account->account != db_int(row, 0) || account->set_aside)
            continue;
        account->set_aside = strdup(db_text(row, 1));
        if (!account->set_aside)
            return err_nomem(err);
    }
    return ERR_OK;
}

/* What the database refuses is set aside as well. */
enum err_code explanation_take_refusals(const struct explanation *out,
                                        const struct refusals *refusals, struct err *err)
{
    for (size_t i = 0; i < refusals->n; i++)
        for (size_t k = 0; k < out->n_accounts; k++) {
            const struct refusal *refusal = &refusals->list[i];
            struct explained_account *account = &out->accounts[k];

            if (account->account != refusal->account || account->set_aside)
                continue;
            account->set_aside = str_format("the database refuses it (SQLSTATE %s): %s",
                                            refusal->sqlstate, refusal->reason);
            if (!account->set_aside)
                return err_nomem(err);
        }
    return ERR_OK;
}

void explanation_done(struct explanation *explanation)
{
    for (size_t i = 0; i < explanation->n_conditions; i++) {
        struct explained_condition *c = &explanation->conditions[i];
        char *texts[] = {c->entity,    c->entity_id, c->what,   c->action,
                         c->condition, c->figure,    c->instant};

        for (size_t j = 0; j < COUNT(texts); j++)
            free(texts[j]);
    }
    for (size_t i = 0; i < explanation->n_accounts; i++) {
        struct explained_account *account = &explanation->accounts[i];
        char *texts[] = {account->name, account->held_because, account->held_until,
                         account->set_aside};

        for (size_t j = 0; j < COUNT(texts); j++)
            free(texts[j]);
    }
    free(explanation->conditions);
    free(explanation->accounts);
    free(explanation->list);
    free(explanation->refused);
    free(explanation->others);
    *explanation = (struct explanation){0};
}
