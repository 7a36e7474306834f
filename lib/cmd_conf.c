/* lapse conf: each setting, its value and where it came from. */
#define _GNU_SOURCE
#include "cli.h"

#include <jansson.h>
#include <string.h>

#include "terminal.h"

#include "ban.h"

static const struct opt options[] = {
    {"sample", 0, NULL, "print a commented file of all settings, to start from", false},
    {"table", 0, NULL, "print the settings as a Markdown table, as the README shows them", false},
    {0},
};

static const char *source_name(enum setting_source source)
{
    switch (source) {
    case FROM_FILE:
        return "file";
    case FROM_ENVIRONMENT:
        return "environment";
    case FROM_COMMAND_LINE:
        return "--set";
    default:
        return "default";
    }
}

/* The settings that are the same for every job: the table has them once. */
static bool is_common(const struct setting *setting)
{
    if (setting->help == every_setting.help)
        return true;
    for (size_t i = 0; i < GUARD_SETTINGS; i++)
        if (setting->help == guard_settings[i].help)
            return true;
    return false;
}

static void markdown_row(const char *section, const struct setting *setting)
{
    const char *tick = setting->fallback && *setting->fallback ? "`" : "";
    _cleanup_sb_ struct strbuf takes = {0};

    setting_describe(setting, &takes);
    printf("| `%s` | `%s` | %s | %s%s%s | %s |\n", section, setting->key, sb_text(&takes), tick,
           setting->fallback ? setting->fallback : "not set", tick, setting->help);
}

static void markdown(const struct cli *cli)
{
    const struct registry *registry = &cli->registry;

    puts("| section | key | takes | default | what it is for |\n|---|---|---|---|---|");
    for (size_t i = 0; i < registry->n_settings; i++)
        if (!is_common(&registry->settings[i]))
            markdown_row(registry->settings[i].section, &registry->settings[i]);
    markdown_row("job.NAME", &every_setting);
    for (size_t i = 0; i < GUARD_SETTINGS; i++)
        markdown_row("job.NAME", &guard_settings[i]);
}

static void json_line(const struct setting *setting, const char *value, enum setting_source source)
{
    json_t *line = json_pack("{s:s, s:s, s:s?, s:s}", "section", setting->section, "key",
                             setting->key, "value", value, "source", source_name(source));

    json_dumpf(line, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(line);
}

static enum err_code list(struct cli *cli)
{
    static const struct text_column columns[] = {
        {"section", false}, {"key", false}, {"value", false}, {"from", false}};
    _cleanup_text_table_ struct text_table table;
    const struct setting *setting;
    const char *value;
    enum setting_source source;

    text_table_begin(&table, columns, COUNT(columns));
    for (size_t i = 0; conf_each(cli->conf, i, &setting, &value, &source); i++) {
        if (cli->json) {
            json_line(setting, value, source);
            continue;
        }
        text_table_cell(&table, setting->section);
        text_table_cell(&table, setting->key);
        text_table_cell(&table, value);
        text_table_cell(&table, source_name(source));
    }
    if (cli->json)
        return ERR_OK;
    printf("file: %s\n\n", conf_file(cli->conf) ? conf_file(cli->conf) : "none");
    text_table_print(&table, stdout);
    return ERR_OK;
}

static enum err_code run(struct cli *cli, struct err *err)
{
    enum err_code code = operands_between(cli, 0, 0, "nothing", err);

    if (code != ERR_OK)
        return code;
    if (opt_flag(&cli->opts, "sample")) {
        conf_sample(cli->registry.settings, cli->registry.n_settings, stdout);
        return ERR_OK;
    }
    if (opt_flag(&cli->opts, "table")) {
        markdown(cli);
        return ERR_OK;
    }
    code = cli_load_conf(cli, err);
    return code == ERR_OK ? list(cli) : code;
}

const struct command command_conf = {
    .name = "conf",
    .operands = "",
    .summary = "show the settings, and where each came from",
    .help = "Prints every setting with its value and its source: default, file, environment\n"
            "(LAPSE_SECTION_KEY) or --set, in that order of growing precedence.",
    .options = options,
    .run = run,
};
