/* lapse run: runs jobs now, and says what became of them. */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "row_json.h"
#include "run.h"
#include "terminal.h"

#include "ban.h"

static const struct opt options[] = {
    {"all", 0, NULL, "every job, in the order of a nightly run", false},
    {"as-of", 0, "WHEN",
     "judge by this instant: a date (its 00:00 UTC) or 2026-03-31T02:30:00Z; default: now", false},
    {"dry-run", 0, NULL, "show what would change, and change nothing", false},
    {"account", 0, "ID[,ID]", "these accounts only; reports are written only with --out", false},
    {"out", 0, "DIR", "publish below DIR instead of [reports] dir", false},
    {"format", 0, "csv,xlsx", "write these formats instead of [reports] formats", false},
    {"allow-backdate", 0, NULL,
     "let change jobs run as of a date they have passed, or that is to come", false},
    {"allow-incomplete", 0, NULL,
     "let reports of a past date be made though what they read has been purged", false},
    {0},
};

struct watcher {
    struct cli *cli;
    struct progress_bar bar;
    bool dry_run;
    uint64_t changes;
};

static void on_progress(void *context, const struct job *job, const char *phase, uint64_t done,
                        uint64_t total)
{
    struct watcher *watcher = context;
    char what[64];

    snprintf(what, sizeof what, "%s: %s", job->name, phase);
    progress_bar_draw(&watcher->bar, what, done, total);
}

static void on_news(void *context, enum run_news news, const char *text)
{
    struct watcher *watcher = context;

    if (news == NEWS_DETAIL && !watcher->cli->verbose)
        return;
    progress_bar_clear(&watcher->bar);
    cli_note(watcher->cli, text);
}

/* A value of an image, as a person reads it: jsonb writes UTC as +00:00. */
static void show_value(FILE *out, const json_t *value)
{
    const char *text = json_string_value(value);
    size_t len = text ? strlen(text) : 0;

    if (!value || json_is_null(value)) {
        fputs("-", out);
    } else if (len > 6 && text[10 < len ? 10 : 0] == 'T' && strcmp(text + len - 6, "+00:00") == 0) {
        fprintf(out, "%.*sZ", (int)len - 6, text);
    } else if (text) {
        fputs(text, out);
    } else {
        char *dumped = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

        fputs(dumped ? dumped : "?", out);
        free(dumped);
    }
}

/* What of a new row needs no saying: it stands in the line already, or in every line alike. */
static bool goes_without_saying(const char *key)
{
    return strcmp(key, "account_id") == 0 || strcmp(key, "run_id") == 0 ||
           strcmp(key, "processed_at") == 0 || strcmp(key, "reason") == 0;
}

static void show_images(FILE *out, const json_t *before, json_t *after)
{
    const char *key, *gap = "";
    json_t *value;

    json_object_foreach(after, key, value)
    {
        if (!before && (json_is_null(value) || goes_without_saying(key)))
            continue;
        fprintf(out, "%s%s ", gap, key);
        if (before) {
            show_value(out, json_object_get(before, key));
            fputs(" -> ", out);
        }
        show_value(out, value);
        gap = ", ";
    }
}

static json_t *parse_image(const char *text)
{
    return text ? json_loads(text, 0, NULL) : NULL;
}

static enum err_code change_json(const struct job *job, const struct run_change *change,
                                 struct err *err)
{
    char effective[INSTANT_TEXT_SIZE];
    json_t *line =
        json_pack("{s:s, s:o, s:s, s:s*, s:o*, s:o*, s:s, s:s}", "job", job->name, "account_id",
                  json_integer(strtoll(change->account, NULL, 10)), "entity", change->entity,
                  "entity_id", change->before ? change->entity_id : NULL, "before",
                  parse_image(change->before), "after", parse_image(change->after), "reason",
                  change->reason, "effective_at", show_instant(change->effective_at, effective));

    return json_line(line, err);
}

static enum err_code on_change(void *context, const struct job *job,
                               const struct run_change *change, struct err *err)
{
    struct watcher *watcher = context;
    json_t *before, *after;

    progress_bar_clear(&watcher->bar);
    watcher->changes++;
    if (watcher->cli->json)
        return change_json(job, change, err);
    before = parse_image(change->before);
    after = parse_image(change->after);
    printf("%-28s account %-6s %s %s: ", job->name, change->account, change->entity,
           before ? change->entity_id : "(new)");
    show_images(stdout, before, after);
    printf(" (%s)\n", change->reason);
    json_decref(before);
    json_decref(after);
    return ERR_OK;
}

static const char *outcome(const struct run *run, bool dry_run)
{
    switch (run->state) {
    case RUN_DONE:
        if (run->set_aside)
            return "accounts set aside";
        if (dry_run)
            return "dry run";
        return run->resumed ? "done (finished)" : "done";
    case RUN_SKIPPED:
        return "not run";
    default:
        if (run->err.code == ERR_UNPUBLISHED)
            return "not published";
        return run->err.code == ERR_STOPPED ? "stopped" : "failed";
    }
}

static void finished_json(const struct watcher *watcher, const struct run *run, const char *as_of,
                          const char *published)
{
    json_t *line =
        json_pack("{s:s, s:s, s:I, s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:s*, s:s*}",
                  "job", run->job->name, "as_of", as_of, "run", (json_int_t)run->run_id, "result",
                  outcome(run, watcher->dry_run), "status", err_status(&run->err), "looked_at",
                  (json_int_t)run->looked_at, "changed", (json_int_t)run->changed, "recorded",
                  (json_int_t)run->recorded, "skipped", (json_int_t)run->skipped, "set_aside",
                  (json_int_t)run->set_aside, "rows", (json_int_t)run->rows, "files",
                  (json_int_t)run->files, "seconds", (double)(run->nanoseconds / 1000000) / 1000,
                  "published", published, "message", run->err.message);

    if (line)
        json_dumpf(line, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(line);
}

/* Whether the job writes rows that have no audit. */
static bool records(const struct job *job)
{
    if (job->input)
        return true;
    for (size_t i = 0; i < JOB_STEPS && job->steps[i].sql; i++)
        if (job->steps[i].unaudited)
            return true;
    return false;
}

static void finished_text(const struct watcher *watcher, const struct run *runs, size_t n,
                          const char *as_of, const char *published)
{
    static const struct text_column columns[] = {
        {"job", false},     {"looked at", true}, {"changed", true},
        {"recorded", true}, {"skipped", true},   {"report", true},
        {"files", true},    {"time", true},      {"result", false},
    };
    _cleanup_text_table_ struct text_table table;
    char number[NUMBER_SIZE];
    size_t files = 0;

    text_table_begin(&table, columns, COUNT(columns));
    for (size_t i = 0; i < n; i++) {
        const struct run *run = &runs[i];
        bool ran = run->state != RUN_SKIPPED && run->state != RUN_WAITING;
        bool changes = ran && run->job->kind == JOB_CHANGE;

        files += run->files;
        text_table_cell(&table, run->job->name);
        text_table_cell(&table, ran ? show_count(run->looked_at, number) : NULL);
        text_table_cell(&table, changes ? show_count(run->changed, number) : NULL);
        text_table_cell(&table, records(run->job) ? show_count(run->recorded, number) : NULL);
        text_table_cell(&table, changes ? show_count(run->skipped, number) : NULL);
        text_table_cell(&table, run->files ? show_count((int64_t)run->rows, number) : NULL);
        text_table_cell(&table, run->files ? show_count((int64_t)run->files, number) : NULL);
        text_table_cell(&table, ran ? show_time(run->nanoseconds, number) : NULL);
        text_table_cell(&table, outcome(run, watcher->dry_run));
    }
    printf("\nas of %s%s\n\n", as_of, watcher->dry_run ? ", nothing was changed" : "");
    text_table_print(&table, stdout);
    if (published)
        printf("\n%zu files published in %s\n", files, published);
}

static void on_finished(void *context, const struct run *runs, size_t n,
                        const struct instant *as_of, const char *published)
{
    _cleanup_err_ struct err unwritten = {0};
    struct watcher *watcher = context;
    char text[INSTANT_SIZE];

    progress_bar_clear(&watcher->bar);
    instant_format(*as_of, text);
    if (watcher->cli->json) {
        for (size_t i = 0; i < n; i++)
            finished_json(watcher, &runs[i], text, published);
    } else {
        finished_text(watcher, runs, n, text, published);
    }
    if (cli_flush(watcher->cli, &unwritten) != ERR_OK)
        err_done(&unwritten); /* told at the end */
    for (size_t i = 0; i < n; i++) {
        struct err named = runs[i].err;

        if (named.code == ERR_OK)
            continue;
        named.message = runs[i].set_aside > 1
                            ? str_format("%s: %s (and %lld more)", runs[i].job->name,
                                         runs[i].err.message, (long long)runs[i].set_aside - 1)
                            : str_format("%s: %s", runs[i].job->name, runs[i].err.message);
        cli_error(watcher->cli, &named);
        free(named.message);
        watcher->cli->told = true;
    }
}

/* "12,13" becomes "{12,13}". */
static enum err_code parse_accounts(const char *text, char **ret, struct err *err)
{
    _cleanup_sb_ struct strbuf list = {0};
    _cleanup_free_ char *copy = strdup(text);
    char *rest = copy, *word;

    if (!copy)
        return err_nomem(err);
    while ((word = strsep(&rest, ",")) != NULL) {
        int64_t id;

        if (!parse_int64(word, 1, INT64_MAX, &id)) {
            err_set(err, ERR_USAGE, "--account: \"%s\" is not an account's id", word);
            err_hint(err, "give ids separated by commas: --account 12,13");
            return err->code;
        }
        sb_addf(&list, "%s%" PRId64, list.len ? "," : "{", id);
    }
    sb_adds(&list, "}");
    if (!sb_text(&list) || !(*ret = strdup(sb_text(&list))))
        return err_nomem(err);
    return ERR_OK;
}

/* --out may be relative to where the command is given. */
static enum err_code absolute(const char *path, char **ret, struct err *err)
{
    _cleanup_free_ char *here = NULL;

    if (*path == '/') {
        *ret = strdup(path);
        return *ret ? ERR_OK : err_nomem(err);
    }
    here = getcwd(NULL, 0);
    if (!here)
        return err_sys(err, ERR_IO, errno, "could not tell the working directory");
    *ret = str_format("%s/%s", here, path);
    return *ret ? ERR_OK : err_nomem(err);
}

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
                if (absolute(value, file, err) != ERR_OK)
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
                                  .allow_backdate = opt_flag(&cli->opts, "allow-backdate"),
                                  .allow_incomplete = opt_flag(&cli->opts, "allow-incomplete")};
    struct watcher watcher = {.cli = cli,
                              .dry_run = request.dry_run,
                              .bar = {.on = isatty(STDERR_FILENO) && !cli->quiet}};
    struct run_observer observer = {&watcher, on_progress, on_news, on_change, on_finished};
    const char *when = opt_text(&cli->opts, "as-of"), *format = opt_text(&cli->opts, "format");
    enum err_code code = choose_jobs(cli, jobs, &request.n_jobs, err);

    if (code == ERR_OK)
        code = choose_options(cli, given, &request.n_options, &file, err);
    if (code == ERR_OK && when) {
        code = instant_parse(when, "--as-of", &as_of, err);
        request.as_of = &as_of;
    }
    if (code == ERR_OK && opt_text(&cli->opts, "account"))
        code = parse_accounts(opt_text(&cli->opts, "account"), &accounts, err);
    request.accounts = accounts;
    if (code == ERR_OK && opt_text(&cli->opts, "out"))
        code = absolute(opt_text(&cli->opts, "out"), &out, err);
    request.out = out;
    if (code == ERR_OK && format && !report_formats_parse(format, &request.formats)) {
        code = err_set(err, ERR_USAGE, "--format: \"%s\" is not csv, xlsx or both", format);
        err_hint(err, "for instance --format csv,xlsx");
    }
    if (code == ERR_OK)
        code = run_invoke(&request, &observer, &cli->deadline, err);
    progress_bar_clear(&watcher.bar);
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
