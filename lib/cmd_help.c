/* lapse help: the commands, one command, one job, the exit statuses. */
#define _GNU_SOURCE
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "terminal.h"
#include "util.h"

#include "ban.h"

/* The settings of the job's section, each with its default; of one that is an option too, which. */
static enum err_code help_settings(const struct cli *cli, const struct job *job, FILE *out,
                                   struct err *err)
{
    char section[SECTION_SIZE];
    bool headed = false;

    job_section(job, section, sizeof section);
    for (size_t i = 0; i < cli->registry.n_settings; i++) {
        const struct setting *setting = &cli->registry.settings[i];
        _cleanup_sb_ struct strbuf about = {0};
        char option[OPTION_NAME_SIZE];

        if (!str_eq(setting->section, section))
            continue;
        if (!headed)
            fprintf(out, "\nsettings of [%s]\n", section);
        headed = true;
        job_option_name(setting, option);
        if (setting->option & OPTION_NONE)
            sb_addf(&about, "%s (", setting->help);
        else
            sb_addf(&about, "as --%s (", option);
        setting_describe(setting, &about);
        if (!setting->fallback)
            sb_adds(&about, "; not set by default)");
        else if (!*setting->fallback)
            sb_adds(&about, "; default: empty)");
        else
            sb_addf(&about, "; default: %s)", setting->fallback);
        if (!sb_text(&about))
            return err_nomem(err);
        fprintf(out, "  %-22s ", setting->key);
        print_wrapped(sb_text(&about), 25, out);
    }
    return ERR_OK;
}

static enum err_code help_job(const struct cli *cli, const struct job *job, FILE *out,
                              struct err *err)
{
    struct opt *options = job_option_table(job);

    if (!options)
        return err_nomem(err);
    fprintf(out, "%s: %s\n\n%s\n", job->name, job->summary, job->rules);
    if (job->waits_for[0].job) {
        fputs("\nwaits for  ", out);
        for (size_t i = 0; i < JOB_WAITS && job->waits_for[i].job; i++) {
            const struct job_wait *wait = &job->waits_for[i];

            fprintf(out, "%s%s%s%s%s", i ? ", " : "", wait->job, wait->when ? " (where " : "",
                    wait->when ? wait->when : "", wait->when ? ")" : "");
        }
        fputc('\n', out);
    }
    for (const struct report_table *table = job->tables; table && table->columns; table++) {
        fprintf(out, "\nreport     %s%s%s.csv%s%s%s\n", job->name, table->name ? "-" : "",
                table->name ? table->name : "", table->when ? " (" : "",
                table->when ? table->when : "", table->when ? ")" : "");
        for (const struct column *column = table->columns; column->header; column++)
            fprintf(out, "           %s\n", column->header);
    }
    if (options[0].name) {
        fprintf(out, "\noptions\n");
        opt_print(options, out);
    }
    free(options);
    return help_settings(cli, job, out, err);
}

/* The one list of exit statuses, as the README shows it. */
static void help_statuses(FILE *out)
{
    static const struct text_column columns[] = {{"status", true}, {"meaning", false}};
    _cleanup_text_table_ struct text_table table;
    const char *meaning;
    int status;

    text_table_begin(&table, columns, COUNT(columns));
    for (size_t i = 0; err_list(i, &status, &meaning); i++) {
        char number[NUMBER_SIZE];

        snprintf(number, sizeof number, "%d", status);
        text_table_cell(&table, number);
        text_table_cell(&table, meaning);
    }
    text_table_cell(&table, "128+n");
    text_table_cell(&table, "stopped by signal n");
    text_table_print(&table, out);
    fputs("\nWith several jobs: the status of the first, in order, that did not end with 0.\n",
          out);
}

static void help_all(FILE *out)
{
    fputs("lapse [-c FILE] [--set SECTION.KEY=VALUE]... [-v|-q] [--json] COMMAND ...\n\ncommands\n",
          out);
    for (size_t i = 0; command_nth(i); i++)
        fprintf(out, "  %-10s %s\n", command_nth(i)->name, command_nth(i)->summary);
    fputs("\noptions of every command\n", out);
    opt_print(global_options, out);
    fputs("\nmore: lapse help COMMAND, lapse help JOB, lapse help exit\n", out);
}

static enum err_code run(struct cli *cli, struct err *err)
{
    const char *word;
    const struct job *job;
    const struct command *command;
    enum err_code code = operands_between(cli, 0, 1, "a command or a job", err);

    if (code != ERR_OK)
        return code;
    if (cli->opts.n_operands == 0) {
        help_all(stdout);
        return ERR_OK;
    }
    word = cli->opts.operands[0];
    if ((command = command_find(word)) != NULL) {
        help_command(command, stdout);
        return ERR_OK;
    }
    if ((job = job_find(&cli->registry, word)) != NULL)
        return help_job(cli, job, stdout, err);
    if (strcmp(word, "exit") == 0) {
        help_statuses(stdout);
        return ERR_OK;
    }
    err_set(err, ERR_USAGE, "there is no command and no job \"%s\"", word);
    err_hint(err, "\"lapse help\" lists the commands, \"lapse jobs\" the jobs");
    return err->code;
}

const struct command command_help = {
    .name = "help",
    .operands = "[COMMAND|JOB|exit]",
    .summary = "explain a command, a job or the exit statuses",
    .help = "Explains a command or a job; \"lapse help exit\" lists the exit statuses.",
    .run = run,
};
