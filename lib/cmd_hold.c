/* lapse hold: accounts that change jobs leave alone. */
#define _GNU_SOURCE
#include "cli.h"

#include <stdlib.h>
#include <string.h>

#include "ledger.h"
#include "migrate.h"
#include "row_json.h"
#include "terminal.h"

#include "ban.h"

static const struct opt options[] = {
    {"reason", 0, "TEXT", "why, for whoever finds the hold later", false},
    {"until", 0, "WHEN", "when the hold ends by itself; default: when it is released", false},
    {"all", 0, NULL, "list ended and released holds too", false},
    {0},
};

/* What one call of the command works with. */
struct call {
    struct cli *cli;
    struct db *db;
    char *accounts; /* array literal; NULL: all */
    char at[INSTANT_SIZE], until[INSTANT_SIZE];
    struct args args;
    struct text_table table;
    size_t n;
};

static enum err_code count_row(void *context, const struct db_row *row, struct err *err)
{
    struct call *call = context;

    call->n++;
    return call->cli->json ? json_line(row_json(row), err) : ERR_OK;
}

static enum err_code add(struct call *call, struct err *err)
{
    const char *reason = opt_text(&call->cli->opts, "reason");
    enum err_code code;

    if (!reason) {
        err_set(err, ERR_USAGE, "hold add: --reason is missing");
        err_hint(err, "say why, for whoever finds the hold later: --reason \"disputed invoice\"");
        return err->code;
    }
    if (call->until[0] && strcmp(call->until, call->at) <= 0) {
        err_set(err, ERR_USAGE, "--until: %s is past already", call->until);
        err_hint(err, "give a date to come, or none for a hold that lasts until it is released");
        return err->code;
    }
    args_text(&call->args, "reason", reason);
    code = db_run_alone(call->db, &sql_holds_add, &call->args, count_row, call, err);
    if (code == ERR_OK && !call->cli->json)
        printf("%zu account%s held%s%s\n", call->n, call->n == 1 ? "" : "s",
               call->until[0] ? " until " : " until released", call->until);
    return code;
}

static enum err_code take_hold(void *context, const struct db_row *row, struct err *err)
{
    static const int instants[] = {3, 4};
    struct call *call = context;
    char buffer[INSTANT_TEXT_SIZE];

    call->n++;
    if (call->cli->json)
        return json_line(row_json(row), err);
    text_table_cell(&call->table, db_text(row, 0));
    text_table_cell(&call->table, db_text(row, 1));
    text_table_cell(&call->table, db_text(row, 6));
    for (size_t i = 0; i < COUNT(instants); i++)
        text_table_cell(&call->table, show_instant(db_text(row, instants[i]), buffer));
    text_table_cell(&call->table, db_text(row, 2));
    return ERR_OK;
}

static enum err_code list(struct call *call, struct err *err)
{
    static const struct text_column columns[] = {{"account", true}, {"name", false},
                                                 {"state", false},  {"since", false},
                                                 {"until", false},  {"reason", false}};
    enum err_code code;

    args_text(&call->args, "ended", opt_flag(&call->cli->opts, "all") ? "true" : "false");
    text_table_begin(&call->table, columns, COUNT(columns));
    code = db_run_alone(call->db, &sql_holds_list, &call->args, take_hold, call, err);
    if (code == ERR_OK && !call->cli->json) {
        if (call->n)
            text_table_print(&call->table, stdout);
        else
            puts("no account is held");
    }
    text_table_done(&call->table);
    return code;
}

static enum err_code release(struct call *call, struct err *err)
{
    enum err_code code =
        db_run_alone(call->db, &sql_holds_release, &call->args, count_row, call, err);

    if (code == ERR_OK && call->n == 0) {
        code = err_set(err, ERR_NOINPUT, "hold release: account %s is not held",
                       call->cli->opts.operands[1]);
        err_hint(err, "\"lapse hold list\" shows the holds there are");
    } else if (code == ERR_OK && !call->cli->json) {
        printf("%zu hold%s released\n", call->n, call->n == 1 ? "" : "s");
    }
    return code;
}

static const struct verb {
    const char *name;
    size_t min, max; /* operands behind it */
    bool takes_reason, takes_all;
    enum err_code (*run)(struct call *call, struct err *err);
} verbs[] = {
    {"add", 1, 1, true, false, add},
    {"list", 0, 1, false, true, list},
    {"release", 1, 1, false, false, release},
};

static enum err_code choose_verb(const struct cli *cli, const struct verb **ret, struct err *err)
{
    const char *word = cli->opts.n_operands ? cli->opts.operands[0] : "";

    *ret = NULL;
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (strcmp(word, verbs[i].name) == 0)
            *ret = &verbs[i];
    if (!*ret) {
        if (*word)
            err_set(err, ERR_USAGE, "hold: \"%s\" is not add, list or release", word);
        else
            err_set(err, ERR_USAGE, "hold: add, list or release?");
        err_hint(err, "run \"lapse help hold\"");
        return err->code;
    }
    if ((!(*ret)->takes_reason &&
         (opt_text(&cli->opts, "reason") || opt_text(&cli->opts, "until"))) ||
        (!(*ret)->takes_all && opt_flag(&cli->opts, "all")))
        return err_set(err, ERR_USAGE, "hold %s: an option does not belong to it", word);
    return operands_between(cli, 1 + (*ret)->min, 1 + (*ret)->max, "an account", err);
}

static enum err_code prepare(struct call *call, struct err *err)
{
    const struct cli *cli = call->cli;
    const char *until = opt_text(&cli->opts, "until");
    struct instant at = {0}, end = {0};
    enum err_code code = ERR_OK;

    if (cli->opts.n_operands > 1)
        code = accounts_parse(cli->opts.operands[1], "hold", &call->accounts, err);
    if (code == ERR_OK && until)
        code = instant_parse(until, "--until", &end, err);
    if (code == ERR_OK && until)
        instant_format(end, call->until);
    if (code == ERR_OK)
        code =
            db_open(&call->db, conf_text(cli->conf, "database", "conninfo"), &cli->deadline, err);
    if (code == ERR_OK)
        code = schema_check(call->db, err);
    if (code == ERR_OK)
        code = ledger_check_accounts(call->db, call->accounts, "hold", err);
    if (code == ERR_OK)
        code = ledger_clock(call->db, &at, err);
    if (code == ERR_OK)
        instant_format(at, call->at);
    args_text(&call->args, "accounts", call->accounts);
    args_text(&call->args, "at", call->at);
    args_text(&call->args, "until", call->until[0] ? call->until : NULL);
    return code;
}

static enum err_code run(struct cli *cli, struct err *err)
{
    struct call call = {.cli = cli};
    const struct verb *verb;
    enum err_code code = choose_verb(cli, &verb, err);

    if (code == ERR_OK)
        code = prepare(&call, err);
    if (code == ERR_OK)
        code = verb->run(&call, err);
    db_close(call.db);
    free(call.accounts);
    return code;
}

const struct command command_hold = {
    .name = "hold",
    .operands = "add ACCOUNT | list [ACCOUNT] | release ACCOUNT",
    .summary = "have change jobs leave accounts alone",
    .help =
        "A held account is left alone by every change job; reports list it as ever. A hold ends\n"
        "by itself at --until, or when it is released. Several accounts: 12,13.",
    .options = options,
    .needs_conf = true,
    .run = run,
};
