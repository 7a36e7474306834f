/* Why something is due, or not: see explain.h. */
#define _GNU_SOURCE
#include "explain.h"

#include <stdlib.h>
#include <string.h>

#include "migrate.h"
#include "run_internal.h"

#include "ban.h"

/* How many instants are looked at of one entity, before the search between two of them; and where
   an account's are listed. */
enum { PROBES_MAX = 120, PROBES_LISTED = 40 };

/* Conditions of one step are fewer. */
#define PLACES INT64_C(1000)
#define DAY INT64_C(86400)

struct explainer {
    const struct explain_request *request;
    struct explanation *out;
    struct invocation inv;
    struct pass pass;   /* its runs: those the job waits for, in nightly order, then the job */
    struct asked asked; /* what the DNS said, once */
    size_t size;        /* of out->conditions */
    int64_t step;       /* whose explanation is taken */
};

static struct run *own_run(const struct explainer *x)
{
    return &x->pass.runs[x->pass.n - 1];
}

/* ---- what is told ---- */

static char *copy(const struct db_row *row, int column, bool *failed)
{
    const char *text = db_text(row, column);
    char *copied = text ? strdup(text) : NULL;

    *failed |= text && !copied;
    return copied;
}

static enum err_code take_account(void *context, const struct db_row *row, struct err *err)
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

static enum err_code take_condition(void *context, const struct db_row *row, struct err *err)
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
static enum err_code group(struct explanation *out, struct err *err)
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
static enum err_code take_written(void *context, const struct db_row *row, _unused_ struct err *err)
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
static void forget_made(struct explanation *out)
{
    size_t n = 0;

    for (size_t i = 0; i < out->n; i++)
        if (!out->list[i].made)
            out->list[n++] = out->list[i];
    out->n = n;
}

/* ---- a trial ---- */

static enum err_code take_aside(void *context, const struct db_row *row, struct err *err)
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
static enum err_code take_refusals(const struct explanation *out, const struct refusals *refusals,
                                   struct err *err)
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

static enum err_code take_refused(void *context, const struct db_row *row, struct err *err)
{
    struct explanation *out = context;

    if (!out->refused)
        out->refused = str_format("account %s: %s", db_text(row, 0), db_text(row, 1));
    return out->refused ? ERR_OK : err_nomem(err);
}

/* The range stays open, as where --account is given: for the range of one account the planner
   expects too little. */
static void trial_args(struct explainer *x, const struct run *run, struct args *args)
{
    pass_args(&x->pass, run, args);
    args_int(args, "run_id", -1 - (run - x->pass.runs));
    args_int(args, "batch_no", 1);
    args_text(args, "asked", x->request->entity_id);
    args_text(args, "at", x->pass.as_of_text);
}

/* What a trial is for. */
enum trial {
    TRIAL_WORDS,   /* as of now: the conditions, holds or not */
    TRIAL_VERDICT, /* what the job writes */
    TRIAL_NIGHT,   /* what it writes after the jobs it waits for */
};

/* A job as in a dry run; for the job itself each step's explanation comes before the step. A step
   that leaves no audit decides nothing that is told here. */
static enum err_code try_job(struct explainer *x, struct run *run, enum trial trial,
                             struct err *err)
{
    const struct job *job = run->job;
    bool own = run == own_run(x), now = x->pass.as_of.seconds == x->out->as_of.seconds;
    struct db *db = x->inv.db;
    struct args args = {0};
    struct written written = {0};
    struct refusals refusals = {0};
    struct bisection parts = {.pass = &x->pass,
                              .run = run,
                              .refusals = &refusals,
                              .tried = &written,
                              .audited_only = true};
    enum err_code code = ERR_OK;

    trial_args(x, run, &args);
    if (own)
        code = run_keep_answers(&x->pass, run, &args, &x->asked, err);
    if (code == ERR_OK && job->refuse && own)
        code = db_run(db, job->refuse, &args, take_refused, x->out, err);
    if (code == ERR_OK && job->set_aside)
        code = db_run(db, job->set_aside, &args, own && now ? take_aside : NULL, x->out, err);
    for (const struct job_step *step = job->steps; code == ERR_OK && step->sql; step++) {
        x->step = step - job->steps;
        if (trial == TRIAL_WORDS && step->explain)
            code = db_run(db, step->explain, &args, take_condition, x, err);
        parts.only = step;
        if (code == ERR_OK)
            code = run_part(&parts, &args, (struct batch_key){INT64_MIN, INT64_MIN, 0},
                            (struct batch_key){KEY_MAX, KEY_MAX, 0}, NOT_COUNTED, err);
    }
    if (code == ERR_OK && own && now)
        code = take_refusals(x->out, &refusals, err);
    refusals_done(&refusals);
    if (code == ERR_OK && trial == TRIAL_WORDS)
        code = group(x->out, err);
    if (code == ERR_OK && own)
        code = db_run(db, job->written ? job->written : &sql_explain_written, &args, take_written,
                      x->out, err);
    return code;
}

/* Sets `now` of each entity: whether the job would take it as of the instant. */
static enum err_code try_at(struct explainer *x, int64_t seconds, enum trial trial, struct err *err)
{
    size_t first = trial == TRIAL_NIGHT ? 0 : x->pass.n - 1;
    struct args args = {0};
    enum err_code code = deadline_check(x->inv.deadline, err);

    for (size_t i = 0; i < x->out->n; i++)
        x->out->list[i].now = false;
    x->pass.as_of.seconds = seconds;
    instant_format(x->pass.as_of, x->pass.as_of_text);
    if (code == ERR_OK)
        code = db_begin(x->inv.db, DB_CHANGE, err);
    trial_args(x, own_run(x), &args);
    if (code == ERR_OK && trial == TRIAL_WORDS)
        code = db_run(x->inv.db, &sql_holds_release, &args, NULL, NULL, err);
    for (size_t i = first; code == ERR_OK && i < x->pass.n; i++)
        code = try_job(x, &x->pass.runs[i], trial, err);
    db_rollback(x->inv.db);
    return code;
}

/* ---- when ---- */

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
        enum err_code code = try_at(x, middle, trial, err);

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
        code = try_at(x, high - 1, trial, err);
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
        code = try_at(x, low, trial, err);
        if (code == ERR_OK)
            code = settle(x, low - 1, low, trial, err);
    }
    for (size_t i = 0; code == ERR_OK && i < probes->n && !all_found(x->out); i++) {
        code = try_at(x, probes->list[i], trial, err);
        if (code == ERR_OK)
            code = settle(x, low, probes->list[i], trial, err);
        low = probes->list[i];
    }
    return code;
}

/* By the job alone; then, for what it would never take, after the jobs it waits for. */
static enum err_code find_when(struct explainer *x, struct err *err)
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

/* ---- from the request ---- */

static bool waits(const struct explainer *x, const struct job *job, const struct job *other)
{
    for (size_t i = 0; i < JOB_WAITS && job->waits_for[i].job; i++)
        if (strcmp(job->waits_for[i].job, other->name) == 0 &&
            option_is(&x->pass, other, job->waits_for[i].when))
            return true;
    return false;
}

/* The jobs that it waits for, and those they wait for, in nightly order; then the job. What has to
   ask the DNS is left out: what will be in it, nobody knows. */
static enum err_code choose_runs(struct explainer *x, struct err *err)
{
    const struct registry *registry = x->request->registry;
    _cleanup_sb_ struct strbuf names = {0};
    const struct job *chosen[64];
    size_t n = 0;

    chosen[n++] = x->request->job;
    for (size_t i = registry->n_jobs; i-- > 0;) {
        const struct job *job = registry->jobs[i];
        bool wanted = false;

        for (size_t j = 0; j < n; j++)
            wanted |= waits(x, chosen[j], job);
        if (wanted && job->kind == JOB_CHANGE && !job->questions && n < COUNT(chosen))
            chosen[n++] = job;
    }
    x->pass.runs = calloc(n, sizeof *x->pass.runs);
    if (!x->pass.runs)
        return err_nomem(err);
    x->pass.n = n;
    for (size_t i = 0; i < n; i++)
        x->pass.runs[i].job = chosen[n - 1 - i];
    for (size_t i = 0; i + 1 < n; i++)
        sb_addf(&names, "%s%s", i ? ", " : "", x->pass.runs[i].job->name);
    if (n > 1 && (!sb_text(&names) || !(x->out->others = strdup(sb_text(&names)))))
        return err_nomem(err);
    return ERR_OK;
}

static enum err_code find_accounts(struct explainer *x, struct err *err)
{
    struct explanation *out = x->out;
    struct args args = {0};
    size_t asked = 1;
    enum err_code code;

    for (const char *at = x->request->accounts; *at; at++)
        asked += *at == ',';
    args_text(&args, "accounts", x->request->accounts);
    args_text(&args, "as_of", x->pass.as_of_text);
    code = db_run_alone(x->inv.db, &sql_explain_accounts, &args, take_account, out, err);
    if (code == ERR_OK && out->n_accounts == 0)
        code = err_set(err, ERR_NOINPUT, "there is no account %.*s",
                       (int)strlen(x->request->accounts) - 2, x->request->accounts + 1);
    if (code == ERR_OK && asked > 1) {
        _cleanup_err_ struct err which = {0};

        code = ledger_check_accounts(x->inv.db, x->request->accounts, "explain", &which);
        if (code == ERR_USAGE)
            code = err_set(err, ERR_NOINPUT, "%s", which.message);
        else if (code != ERR_OK)
            err_move(err, &which);
    }
    return code;
}

static enum err_code judge(struct explainer *x, struct err *err)
{
    const struct explain_request *request = x->request;
    struct explanation *out = x->out;
    struct args args = {0};
    enum err_code code;

    trial_args(x, own_run(x), &args);
    code = run_ask_range(&x->pass, own_run(x), &args, &x->asked, err);
    if (code == ERR_OK)
        code = try_at(x, out->as_of.seconds, TRIAL_WORDS, err);
    if (code != ERR_OK)
        return code;
    forget_made(out);
    if (request->entity_id && out->n == 0) {
        code = err_set(err, ERR_NOINPUT, "account %lld has no \"%s\" that %s looks at",
                       (long long)out->accounts[0].account, request->entity_id, request->job->name);
        err_hint(err, "\"lapse explain %s %lld\" lists what there is", request->job->name,
                 (long long)out->accounts[0].account);
        return code;
    }
    code = try_at(x, out->as_of.seconds, TRIAL_VERDICT, err);
    for (size_t i = 0; i < out->n; i++)
        out->list[i].due = out->list[i].now && !out->refused;
    if (code == ERR_OK && request->when && !out->refused)
        code = find_when(x, err);
    if (code == ERR_OK && out->n > 0)
        qsort(out->list, out->n, sizeof *out->list, entities_in_order);
    return code;
}

enum err_code explain(const struct explain_request *request, const struct deadline *deadline,
                      struct explanation *ret, struct err *err)
{
    static const struct run_observer nobody = {0};
    struct run_request run_request = {.registry = request->registry,
                                      .conf = request->conf,
                                      .jobs = &request->job,
                                      .n_jobs = 1,
                                      .dry_run = true,
                                      .max_changes = -1};
    struct explainer x = {
        .request = request,
        .out = ret,
        .inv = {.request = &run_request, .observer = &nobody, .deadline = deadline},
    };
    enum err_code code = run_check_asking(&run_request, err);

    *ret = (struct explanation){0};
    x.pass = (struct pass){.inv = &x.inv, .accounts = request->accounts, .max_changes = -1};
    if (code == ERR_OK)
        code = db_open(&x.inv.db, conf_text(request->conf, "database", "conninfo"), deadline, err);
    if (code == ERR_OK)
        code = schema_check(x.inv.db, err);
    if (code == ERR_OK && request->as_of)
        ret->as_of = *request->as_of;
    else if (code == ERR_OK)
        code = ledger_clock(x.inv.db, &ret->as_of, err);
    if (code == ERR_OK) {
        int64_t ahead = ret->as_of.seconds + EXPLAIN_DAYS * DAY;

        ret->horizon.seconds = ahead < INSTANT_MAX ? ahead : INSTANT_MAX;
        x.pass.as_of = ret->as_of;
        instant_format(ret->as_of, x.pass.as_of_text);
        code = choose_runs(&x, err);
    }
    if (code == ERR_OK)
        code = find_accounts(&x, err);
    if (code == ERR_OK)
        code = judge(&x, err);
    asked_done(&x.asked);
    free(x.pass.runs);
    db_close(x.inv.db);
    return code;
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
