/* lapse run: runs jobs now, and says what became of them. */
#define _GNU_SOURCE
#include "cli.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "watcher.h"

#include "ban.h"

static const struct opt options[] = {
    {"all", 0, NULL, "every job, in the order of a nightly run", false},
    {"as-of", 0, "WHEN",
     "judge by this instant: a date (its 00:00 UTC) or 2026-03-31T02:30:00Z; default: now", false},
    {"dry-run", 0, NULL, "show what would change, and change nothing", false},
    {"account", 0, "ID[,ID]", "these accounts only; reports are written only with --out", false},
    {"out", 0, "DIR", "publish below DIR instead of [reports] dir", false},
    {"format", 0, "csv,xlsx", "write these formats instead of [reports] formats", false},
    {"max-changes", 0, "N", "let each job change up to N due rows, whatever its guard says", false},
    {"allow-backdate", 0, NULL,
     "let change jobs run as of a date they have passed, or that is to come", false},
    {"allow-incomplete", 0, NULL,
     "let reports of a past date be made though what they read has been purged", false},
    {0},
};

static bool is_wanted(const struct cli *cli, const struct job *job)
{
    if (opt_flag(&cli->opts, "all"))
        return true;
    for (size_t i = 0; i < cli->opts.n_operands; i++)
        if (strcmp(cli->opts.operands[i], job->name) == 0)
            return true;
    return false;
}

static enum err_code choose_jobs(const struct cli *cli, const struct job **jobs, size_t *ret_n,
                                 struct err *err)
{
    const struct job *job;
    bool all = opt_flag(&cli->opts, "all");

    if (all && cli->opts.n_operands)
        return err_set(err, ERR_USAGE, "run: --all and \"%s\" exclude each other",
                       cli->opts.operands[0]);
    if (!all && !cli->opts.n_operands) {
        err_set(err, ERR_USAGE, "run: which job?");
        err_hint(err, "name one or more, or --all; \"lapse jobs\" lists them");
        return err->code;
    }
    for (size_t i = 0; i < cli->opts.n_operands; i++)
        if (job_named(cli, cli->opts.operands[i], &job, err) != ERR_OK)
            return err->code;
    for (size_t i = 0; i < cli->registry.n_jobs; i++)
        if (is_wanted(cli, cli->registry.jobs[i]))
            jobs[(*ret_n)++] = cli->registry.jobs[i];
    return ERR_OK;
}

/* The options that belong to jobs: judged like their settings, refused without their job. The path
   of the one that is a file goes to `file`. */
static enum err_code choose_options(const struct cli *cli, struct run_option *given, size_t *ret_n,
                                    char **file, struct err *err)
{
    for (size_t i = 0; i < cli->registry.n_jobs; i++) {
        const struct job *job = cli->registry.jobs[i];

        for (const struct setting *own = job->settings; own && own->key; own++) {
            char name[OPTION_NAME_SIZE], place[64];
            const char *value;

            job_option_name(own, name);
            value = opt_text(&cli->opts, name);
            if (own->type == SETTING_BOOL && opt_flag(&cli->opts, name))
                value = "yes";
            if (!value || own->option & OPTION_NONE)
                continue;
            snprintf(place, sizeof place, "--%s", name);
            if (!is_wanted(cli, job)) {
                err_set(err, ERR_USAGE, "%s belongs to %s, which is not to be run", place,
                        job->name);
                return err->code;
            }
            if (setting_judge(own, value, place, ERR_USAGE, err) != ERR_OK)
                return err->code;
            if (own->option & OPTION_FILE) {
                if (absolute_path(value, file, err) != ERR_OK)
                    return err->code;
                given[(*ret_n)++] = (struct run_option){job, own, *file};
                continue;
            }
            job_section(job, place, sizeof place);
            if (!(own->option & OPTION_ONLY) &&
                str_eq(value, conf_text(cli->conf, place, own->key)))
                continue; /* what the settings say anyway */
            given[(*ret_n)++] = (struct run_option){job, own, value};
        }
    }
    return ERR_OK;
}

static enum err_code run(struct cli *cli, struct err *err)
{
    const struct job *jobs[64];
    struct run_option given[64];
    _cleanup_free_ char *accounts = NULL, *out = NULL, *file = NULL;
    struct instant as_of;
    struct run_request request = {.registry = &cli->registry,
                                  .conf = cli->conf,
                                  .jobs = jobs,
                                  .options = given,
                                  .dry_run = opt_flag(&cli->opts, "dry-run"),
                                  .max_changes = -1,
                                  .allow_backdate = opt_flag(&cli->opts, "allow-backdate"),
                                  .allow_incomplete = opt_flag(&cli->opts, "allow-incomplete")};
    struct watcher watcher;
    struct run_observer observer = watcher_begin(&watcher, cli, request.dry_run);
    const char *when = opt_text(&cli->opts, "as-of"), *format = opt_text(&cli->opts, "format");
    const char *max_changes = opt_text(&cli->opts, "max-changes");
    enum err_code code = choose_jobs(cli, jobs, &request.n_jobs, err);

    if (code == ERR_OK)
        code = choose_options(cli, given, &request.n_options, &file, err);
    if (code == ERR_OK && when) {
        code = instant_parse(when, "--as-of", &as_of, err);
        request.as_of = &as_of;
    }
    if (code == ERR_OK && max_changes &&
        !parse_int64(max_changes, 0, INT64_MAX, &request.max_changes)) {
        code =
            err_set(err, ERR_USAGE, "--max-changes: \"%s\" is not a number of rows", max_changes);
        err_hint(err, "write the digits alone: --max-changes 20000");
    }
    if (code == ERR_OK && opt_text(&cli->opts, "account"))
        code = accounts_parse(opt_text(&cli->opts, "account"), "--account", &accounts, err);
    request.accounts = accounts;
    if (code == ERR_OK && opt_text(&cli->opts, "out"))
        code = absolute_path(opt_text(&cli->opts, "out"), &out, err);
    request.out = out;
    if (code == ERR_OK && format && !report_formats_parse(format, &request.formats)) {
        code = err_set(err, ERR_USAGE, "--format: \"%s\" is not csv, xlsx or both", format);
        err_hint(err, "for instance --format csv,xlsx");
    }
    if (code == ERR_OK)
        code = run_invoke(&request, &observer, &cli->deadline, err);
    watcher_end(&watcher);
    return code;
}

const struct command command_run = {
    .name = "run",
    .operands = "JOB... | --all",
    .summary = "run jobs now",
    .help = "Runs the named jobs, or all of them, in the order of a nightly run, and publishes\n"
            "their reports. What an earlier run left unfinished is finished first, unless --as-of\n"
            "names another date. A job that fails stops only the jobs that wait for it.",
    .options = options,
    .job_options = true,
    .needs_conf = true,
    .run = run,
};
