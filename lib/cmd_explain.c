/* lapse explain: why an entity is, or is not, due, and when it will be. */
#define _GNU_SOURCE
#include "cli.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "row_json.h"
#include "terminal.h"

#include "ban.h"

static const struct opt options[] = {
    {"as-of", 0, "WHEN",
     "judge by this instant: a date (its 00:00 UTC) or 2026-03-31T02:30:00Z; default: now", false},
    {0},
};

/* "501", "501/501002" or, to list several accounts, "501,502". */
static enum err_code parse_id(const char *text, char **ret_accounts, const char **ret_entity,
                              struct err *err)
{
    _cleanup_free_ char *accounts = strdup(text);
    char *slash;
    enum err_code code;

    if (!accounts)
        return err_nomem(err);
    slash = strchr(accounts, '/');
    if (slash) {
        *slash = '\0';
        *ret_entity = text + (slash - accounts) + 1;
    }
    code = accounts_parse(accounts, "explain", ret_accounts, err);
    if (code == ERR_OK && slash && (strchr(accounts, ',') || !**ret_entity)) {
        code = err_set(err, ERR_USAGE, "explain: \"%s\" is not ACCOUNT or ACCOUNT/ID", text);
        err_hint(err, "ID is as in the audit: 12 for an invitation, example.com for a domain");
    }
    return code;
}

/* ---- for programs ---- */

static json_t *instant_json(const char *text)
{
    char buffer[INSTANT_TEXT_SIZE];

    return text ? json_string(show_instant(text, buffer)) : json_null();
}

static json_t *entity_json(const struct explained *entity)
{
    const struct explained_condition *first = entity->conditions;
    char due_at[INSTANT_SIZE] = "";
    json_t *conditions = json_array(), *object;

    if (entity->will)
        instant_format(entity->due_at, due_at);
    for (size_t i = 0; conditions && i < entity->n; i++) {
        const struct explained_condition *c = &first[i];

        json_array_append_new(conditions,
                              json_pack("{s:s, s:s, s:b, s:s?, s:o}", "action", c->action,
                                        "condition", c->condition, "holds", c->holds, "figure",
                                        c->figure, "instant", instant_json(c->instant)));
    }
    object = json_pack("{s:I, s:s?, s:s, s:s, s:b, s:s?, s:b, s:b, s:s?, s:o, s:s?, s:o}",
                       "account_id", (json_int_t)first->account, "account", entity->account->name,
                       "entity", first->entity, "entity_id", first->entity_id, "due", entity->due,
                       "due_at", entity->will ? due_at : NULL, "after_others", entity->after_others,
                       "held", entity->account->held, "held_because", entity->account->held_because,
                       "held_until", instant_json(entity->account->held_until), "set_aside",
                       entity->account->set_aside, "conditions", conditions);
    return object;
}

static enum err_code print_json(const struct job *job, const struct explanation *explanation,
                                struct err *err)
{
    json_t *entities = json_array();
    char as_of[INSTANT_SIZE];

    for (size_t i = 0; entities && i < explanation->n; i++)
        if (json_array_append_new(entities, entity_json(&explanation->list[i])) != 0) {
            json_decref(entities);
            return err_nomem(err);
        }
    return json_line(json_pack("{s:s, s:s, s:s?, s:s?, s:o}", "job", job->name, "as_of",
                               instant_format(explanation->as_of, as_of), "refused",
                               explanation->refused, "waits_for", explanation->others, "entities",
                               entities),
                     err);
}

/* ---- for people ---- */

/* "was left", "will be on ...", "never": the second half of the headline. */
static void print_when(const struct explanation *explanation, const struct explained *entity)
{
    char due_at[INSTANT_SIZE];

    if (explanation->refused)
        puts("; the data make no sense, so the job decides nothing");
    else if (entity->will && entity->after_others)
        printf(";\nit will be on %s, once the jobs have run that this one waits for\n",
               instant_format(entity->due_at, due_at));
    else if (entity->will)
        printf(";\nit will be on %s\n", instant_format(entity->due_at, due_at));
    else
        printf(", nor in the %d days after, as the data stand\n", EXPLAIN_DAYS);
}

static void print_conditions(const struct explained *entity)
{
    static const struct text_column columns[] = {{"", false}, {"holds", false}, {"", false}};
    const char *action = "";

    for (size_t i = 0; i < entity->n;) {
        _cleanup_text_table_ struct text_table table;
        _cleanup_free_ char *figure = NULL;

        action = entity->conditions[i].action;
        text_table_begin(&table, columns, COUNT(columns));
        for (; i < entity->n && str_eq(entity->conditions[i].action, action); i++) {
            const struct explained_condition *c = &entity->conditions[i];
            char buffer[INSTANT_TEXT_SIZE] = "";

            free(figure);
            figure =
                str_format("%s%s%s", c->figure ? c->figure : "", c->figure && c->instant ? " " : "",
                           c->instant ? show_instant(c->instant, buffer) : "");
            text_table_cell(&table, c->condition);
            text_table_cell(&table, c->holds ? "yes" : "no");
            text_table_cell(&table, figure ? figure : "");
        }
        printf("\nto %s:\n", action);
        text_table_print(&table, stdout);
    }
}

static void print_account(const struct job *job, const struct explanation *explanation,
                          const struct explained_account *account)
{
    char until[INSTANT_TEXT_SIZE];
    const char *gap = "\n";

    if (account->held) {
        printf("%saccount %lld is held until %s: %s\n", gap, (long long)account->account,
               account->held_until ? show_instant(account->held_until, until) : "it is released",
               account->held_because ? account->held_because : "no reason was given");
        gap = "";
    }
    if (account->set_aside) {
        printf("%saccount %lld is set aside by this job until it is mended: %s\n", gap,
               (long long)account->account, account->set_aside);
        gap = "";
    }
    if (explanation->refused) {
        printf("%sthe job stops before it changes anything: %s\n", gap, explanation->refused);
        gap = "";
    }
    if (explanation->others)
        printf("%s%s waits for %s\n", gap, job->name, explanation->others);
}

static void print_one(const struct job *job, const struct explanation *explanation,
                      const struct explained *entity)
{
    char as_of[INSTANT_SIZE];

    printf("%s of account %lld (%s) is %sdue as of %s", entity->conditions->what,
           (long long)entity->conditions->account, entity->account->name, entity->due ? "" : "not ",
           instant_format(explanation->as_of, as_of));
    if (entity->due)
        putchar('\n');
    else
        print_when(explanation, entity);
    print_conditions(entity);
    print_account(job, explanation, entity->account);
}

/* Why it is not due: the first condition that does not hold, of the action that comes nearest. */
static const struct explained_condition *first_missing(const struct explained *entity)
{
    for (size_t i = 0; i < entity->n; i++)
        if (!entity->conditions[i].holds)
            return &entity->conditions[i];
    return NULL;
}

static void list_entity(struct text_table *table, const struct explained *entity, bool many)
{
    const struct explained_condition *missing = entity->due ? NULL : first_missing(entity);
    char account[NUMBER_SIZE], due_at[INSTANT_SIZE] = "";

    if (entity->will)
        instant_format(entity->due_at, due_at);
    snprintf(account, sizeof account, "%lld", (long long)entity->conditions->account);
    if (many)
        text_table_cell(table, account);
    text_table_cell(table, entity->conditions->entity_id);
    text_table_cell(table, entity->conditions->what);
    text_table_cell(table, entity->due ? "due" : entity->will ? due_at : NULL);
    if (entity->due)
        text_table_cell(table, "");
    else if (entity->account->held)
        text_table_cell(table, "the account is held");
    else if (entity->account->set_aside)
        text_table_cell(table, "the account is set aside");
    else if (entity->after_others)
        text_table_cell(table, "once the jobs have run that this one waits for");
    else
        text_table_cell(table, missing ? missing->condition : "");
}

static void print_list(const struct job *job, const struct explanation *explanation)
{
    static const struct text_column columns[] = {
        {"account", true},
        {"id", false},
        {"what", false},
        {"due", false},
        {"does not hold yet", false},
    };
    _cleanup_text_table_ struct text_table table;
    bool many = explanation->n_accounts > 1;
    char as_of[INSTANT_SIZE];
    size_t others = 0;

    instant_format(explanation->as_of, as_of);
    text_table_begin(&table, columns + !many, COUNT(columns) - !many);
    for (size_t i = 0; i < explanation->n; i++) {
        const struct explained *entity = &explanation->list[i];

        if (entity->due || entity->will)
            list_entity(&table, entity, many);
        others += !entity->due && !entity->will;
    }
    if (many)
        printf("%s as of %s: what is due of %zu accounts\n\n", job->name, as_of,
               explanation->n_accounts);
    else
        printf("%s as of %s: what is due, or will be, of account %lld (%s)\n\n", job->name, as_of,
               (long long)explanation->accounts->account, explanation->accounts->name);
    if (table.n_rows)
        text_table_print(&table, stdout);
    printf("%s%zu more looked at; \"lapse explain %s ACCOUNT/ID\" tells of one\n",
           table.n_rows ? "\n" : "", others, job->name);
    for (size_t i = 0; i < explanation->n_accounts; i++)
        if (!many || explanation->accounts[i].held || explanation->accounts[i].set_aside)
            print_account(job, explanation, &explanation->accounts[i]);
}

static enum err_code check_job(const struct job *job, struct err *err)
{
    for (size_t i = 0; i < JOB_STEPS && job->steps[i].sql; i++)
        if (job->steps[i].explain)
            return ERR_OK;
    err_set(err, ERR_USAGE, "explain: nothing is ever due by %s, which is a %s job", job->name,
            job_kind_name(job->kind));
    err_hint(err, "name a change job; \"lapse jobs\" lists them");
    return err->code;
}

static enum err_code run(struct cli *cli, struct err *err)
{
    _cleanup_explanation_ struct explanation explanation = {0};
    _cleanup_free_ char *accounts = NULL;
    struct explain_request request = {.registry = &cli->registry, .conf = cli->conf};
    const char *when = opt_text(&cli->opts, "as-of");
    struct instant as_of;
    enum err_code code = operands_between(cli, 2, 2, "a job and ACCOUNT or ACCOUNT/ID", err);

    if (code == ERR_OK)
        code = job_named(cli, cli->opts.operands[0], &request.job, err);
    if (code == ERR_OK)
        code = check_job(request.job, err);
    if (code == ERR_OK)
        code = parse_id(cli->opts.operands[1], &accounts, &request.entity_id, err);
    if (code == ERR_OK && when) {
        code = instant_parse(when, "--as-of", &as_of, err);
        request.as_of = &as_of;
    }
    if (code != ERR_OK)
        return code;
    request.accounts = accounts;
    request.when = !strchr(accounts, ',');
    code = explain(&request, &cli->deadline, &explanation, err);
    if (code == ERR_OK && cli->json)
        code = print_json(request.job, &explanation, err);
    else if (code == ERR_OK && !request.entity_id)
        print_list(request.job, &explanation);
    for (size_t i = 0; code == ERR_OK && !cli->json && request.entity_id && i < explanation.n; i++)
        print_one(request.job, &explanation, &explanation.list[i]);
    return code;
}

const struct command command_explain = {
    .name = "explain",
    .operands = "JOB ACCOUNT[/ID]",
    .summary = "why something is, or is not, due, and when it will be",
    .help =
        "Tells each condition of the job's rule for one entity, whether it holds, and when the\n"
        "job will take it. ID is as in the audit: 12 for an invitation or a subscription,\n"
        "example.com for a domain, ORGANIZATION/USER for a membership, the user for a capture.\n"
        "With the ACCOUNT alone, what is due and what will be next; of several accounts, 12,13,\n"
        "only what is due. The verdict is the job's: it is run for the account and rolled back.\n"
        "Nobody's later change is foreseen.",
    .options = options,
    .needs_conf = true,
    .run = run,
};
