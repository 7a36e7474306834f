/* A forecast as a report: a row for each night, job and currency. See forecast.h. */
#define _GNU_SOURCE
#include "forecast.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "publish.h"

#include "ban.h"

enum { SETTINGS_MAX = 32 };

static const struct column columns[] = {
    {"Night", "night", COL_INSTANT, 20, false},      {"Job", "job", COL_TEXT, 30, false},
    {"Rows", "rows", COL_COUNT, 10, true},           {"Currency", "currency", COL_TEXT, 10, false},
    {"At Stake", "at_stake", COL_AMOUNT, 16, false}, {0},
};

static const struct report_table table = {.sheet = "Nights", .columns = columns};

static const char *const notes[] = {
    "Nobody's later change is foreseen: a plan that is renewed in time does not lapse.",
    "At stake is what a period of the paid plans that lapse is worth, seats x unit amount, where "
    "the price is known. Domain verification, billing files and the purge are left out."};

static struct cell text_cell(const char *text)
{
    return (struct cell){text, text ? strlen(text) : 0};
}

/* How many rows are changed stands in the first of the job's rows of the night. */
static enum err_code add_part(struct report *report, struct instant night,
                              const struct forecast_part *part, struct err *err)
{
    char at[INSTANT_SIZE], shown[32], rows[32], amount[AMOUNT_SIZE];
    size_t lines = part->n_at_stake ? part->n_at_stake : 1;
    enum err_code code = ERR_OK;

    instant_format(night, at);
    snprintf(shown, sizeof shown, "%.10s %.8s+00", at, at + 11);
    snprintf(rows, sizeof rows, "%" PRId64, part->rows);
    for (size_t i = 0; code == ERR_OK && i < lines; i++) {
        const struct forecast_amount *stake = part->n_at_stake ? &part->at_stake[i] : NULL;
        struct cell cells[] = {text_cell(shown), text_cell(part->job->name),
                               text_cell(i == 0 ? rows : NULL),
                               text_cell(stake ? stake->currency : NULL),
                               text_cell(stake ? forecast_amount_text(stake, amount) : NULL)};

        code = report_row(report, cells, NULL, NULL, err);
    }
    return code;
}

static enum err_code make_files(const struct forecast *forecast, const struct report_meta *meta,
                                unsigned formats, const char *dir, struct report_files *ret,
                                struct err *err)
{
    _cleanup_report_ struct report *report = NULL;
    enum err_code code = report_open(&report, meta, formats, dir, err);

    if (code == ERR_OK)
        code = report_begin(report, &table, err);
    for (size_t i = 0; code == ERR_OK && i < forecast->n_nights * forecast->n_jobs; i++)
        if (forecast->parts[i].rows > 0)
            code =
                add_part(report, forecast->nights[i / forecast->n_jobs], &forecast->parts[i], err);
    if (code == ERR_OK)
        code = report_end(report, err);
    return code == ERR_OK ? report_finish(TAKE_PTR(report), ret, err) : code;
}

/* What shaped the result, for the sheet `Run`. */
static size_t shaping_settings(const struct conf *conf, const char *until,
                               struct report_setting settings[static SETTINGS_MAX])
{
    const struct setting *setting;
    const char *value;
    enum setting_source source;
    size_t n = 0;

    settings[n++] = (struct report_setting){"last night", until};
    for (size_t i = 0; conf_each(conf, i, &setting, &value, &source); i++)
        if (strcmp(setting->section, "rules") == 0 && n < SETTINGS_MAX)
            settings[n++] = (struct report_setting){setting->key, value ? value : "not set"};
    return n;
}

enum err_code forecast_publish(const struct forecast *forecast, const struct conf *conf,
                               const char *out, const struct deadline *deadline, char **ret_folder,
                               struct err *err)
{
    _cleanup_staging_ struct staging *staging = NULL;
    struct report_files files = {0};
    struct report_setting settings[SETTINGS_MAX];
    char as_of[INSTANT_SIZE], date[DAY_SIZE], until[INSTANT_SIZE];
    struct report_meta meta = {.job = "forecast",
                               .title = "Nights to come",
                               .as_of = instant_format(forecast->as_of, as_of),
                               .version = LAPSE_VERSION,
                               .settings = settings,
                               .notes = notes,
                               .n_notes = COUNT(notes),
                               .bom = conf_bool(conf, "reports", "csv_bom")};
    struct publish_job job = {"forecast", 0, &files};
    struct publish_set set = {.date = instant_format_day(forecast->as_of, date),
                              .as_of = as_of,
                              .version = LAPSE_VERSION,
                              .jobs = &job,
                              .n_jobs = 1};
    struct published published = {0};
    unsigned formats;
    enum err_code code = staging_open(&staging, out, err);

    instant_format(forecast->nights[forecast->n_nights - 1], until);
    meta.n_settings = shaping_settings(conf, until, settings);
    if (!report_formats_parse(conf_text(conf, "reports", "formats"), &formats))
        formats = FORMAT_CSV;
    if (code == ERR_OK)
        code = make_files(forecast, &meta, formats, staging_path(staging), &files, err);
    if (code == ERR_OK)
        code = publish(TAKE_PTR(staging), &set, deadline, &published, err);
    if (published.path)
        *ret_folder = TAKE_PTR(published.path);
    published_done(&published);
    report_files_done(&files);
    return code;
}
