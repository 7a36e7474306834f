/* lapse forecast: what the nightly runs will do until a day. */
#define _GNU_SOURCE
#include "cli.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "forecast.h"
#include "row_json.h"
#include "watcher.h"

#include "ban.h"

static const struct opt options[] = {
    {"until", 0, "DATE", "the last night; default: 30 days ahead", false},
    {"as-of", 0, "WHEN", "begin with this instant; default: now", false},
    {"out", 0, "DIR", "publish it as a report below DIR too", false},
    {0},
};

/* "1,234.50 EUR, 99 JPY", or "" */
static const char *show_at_stake(const struct forecast_amount *list, size_t n, struct strbuf *sb)
{
    sb_reset(sb);
    for (size_t i = 0; i < n; i++) {
        char amount[AMOUNT_SIZE];

        sb_addf(sb, "%s%s %s", i ? ", " : "", forecast_amount_text(&list[i], amount),
                list[i].currency);
    }
    return sb_text(sb);
}

static void add_line(struct text_table *table, const char *night, const struct forecast_part *part,
                     struct strbuf *sb)
{
    char number[NUMBER_SIZE];

    text_table_cell(table, night);
    text_table_cell(table, part->job->name);
    text_table_cell(table, show_count(part->rows, number));
    text_table_cell(table, show_at_stake(part->at_stake, part->n_at_stake, sb));
}

/* A job's sum over all nights. */
static enum err_code sum_of(const struct forecast *forecast, size_t job, struct forecast_part *ret,
                            struct err *err)
{
    enum err_code code = ERR_OK;

    *ret = (struct forecast_part){.job = forecast->parts[job].job};
    for (size_t night = 0; night < forecast->n_nights; night++) {
        const struct forecast_part *part = &forecast->parts[night * forecast->n_jobs + job];

        ret->rows += part->rows;
        for (size_t i = 0; code == ERR_OK && i < part->n_at_stake; i++)
            code = forecast_add(ret->at_stake, &ret->n_at_stake, &part->at_stake[i], err);
    }
    return code;
}

static enum err_code print_text(const struct forecast *forecast, struct err *err)
{
    static const struct text_column columns[] = {
        {"night", false}, {"job", false}, {"rows", true}, {"at stake, a period", false}};
    _cleanup_text_table_ struct text_table table;
    _cleanup_sb_ struct strbuf sb = {0};
    char night[INSTANT_SIZE];
    enum err_code code = ERR_OK;

    text_table_begin(&table, columns, COUNT(columns));
    for (size_t i = 0; i < forecast->n_nights * forecast->n_jobs; i++)
        if (forecast->parts[i].rows > 0)
            add_line(&table, instant_format(forecast->nights[i / forecast->n_jobs], night),
                     &forecast->parts[i], &sb);
    for (size_t job = 0; code == ERR_OK && forecast->parts->job && job < forecast->n_jobs; job++) {
        struct forecast_part sum;

        code = sum_of(forecast, job, &sum, err);
        if (code == ERR_OK)
            add_line(&table, "in all", &sum, &sb);
    }
    if (code == ERR_OK)
        text_table_print(&table, stdout);
    return code;
}

static enum err_code print_json(const struct forecast *forecast, struct err *err)
{
    enum err_code code = ERR_OK;

    for (size_t i = 0; code == ERR_OK && i < forecast->n_nights * forecast->n_jobs; i++) {
        const struct forecast_part *part = &forecast->parts[i];
        json_t *at_stake = json_object();
        char night[INSTANT_SIZE], amount[AMOUNT_SIZE];

        for (size_t j = 0; j < part->n_at_stake; j++)
            json_object_set_new(at_stake, part->at_stake[j].currency,
                                json_string(forecast_amount_text(&part->at_stake[j], amount)));
        instant_format(forecast->nights[i / forecast->n_jobs], night);
        if (part->job)
            code =
                json_line(json_pack("{s:s, s:s, s:I, s:o}", "as_of", night, "job", part->job->name,
                                    "rows", (json_int_t)part->rows, "at_stake", at_stake),
                          err);
        else
            json_decref(at_stake);
    }
    return code;
}

static enum err_code run(struct cli *cli, struct err *err)
{
    _cleanup_forecast_ struct forecast nights = {0};
    struct forecast_request request = {.registry = &cli->registry, .conf = cli->conf};
    const char *when = opt_text(&cli->opts, "as-of"), *last = opt_text(&cli->opts, "until");
    struct watcher watcher;
    struct run_observer observer = watcher_begin(&watcher, cli, true);
    _cleanup_free_ char *out = NULL, *folder = NULL;
    struct instant as_of, until;
    enum err_code code = operands_between(cli, 0, 0, "nothing", err);

    if (code == ERR_OK && when) {
        code = instant_parse(when, "--as-of", &as_of, err);
        request.as_of = &as_of;
    }
    if (code == ERR_OK && last) {
        code = instant_parse(last, "--until", &until, err);
        request.until = &until;
    }
    if (code == ERR_OK && opt_text(&cli->opts, "out"))
        code = absolute_path(opt_text(&cli->opts, "out"), &out, err);
    if (code == ERR_OK)
        code = forecast(&request, &observer, &cli->deadline, &nights, err);
    watcher_end(&watcher);
    if (code == ERR_OK && out)
        code = forecast_publish(&nights, cli->conf, out, &cli->deadline, &folder, err);
    if (code == ERR_OK)
        code = cli->json ? print_json(&nights, err) : print_text(&nights, err);
    if (code == ERR_OK && !cli->json && nights.set_aside)
        puts("\naccounts that break the model are set aside, and not foreseen");
    if (code == ERR_OK && !cli->json && folder)
        printf("\npublished in %s\n", folder);
    return code;
}

const struct command command_forecast = {
    .name = "forecast",
    .operands = "",
    .summary = "what the nightly runs will do until a day",
    .help =
        "Tries each night until the day, one after the other, and rolls them back: the first as\n"
        "of now, the others as of each 00:00 UTC. Per night and job the rows it would change,\n"
        "and what a period of the paid plans that lapse is worth (seats x unit amount, where\n"
        "the price is known). Domain verification, billing files and the purge are left out.\n"
        "Nobody's later change is foreseen: a plan that is renewed in time does not lapse.",
    .options = options,
    .needs_conf = true,
    .run = run,
};
