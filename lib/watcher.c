/* What people see of a run: see watcher.h. */
#define _GNU_SOURCE
#include "watcher.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "row_json.h"

#include "ban.h"

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

struct run_observer watcher_begin(struct watcher *watcher, struct cli *cli, bool dry_run)
{
    *watcher = (struct watcher){
        .cli = cli, .dry_run = dry_run, .bar = {.on = isatty(STDERR_FILENO) && !cli->quiet}};
    return (struct run_observer){.context = watcher,
                                 .progress = on_progress,
                                 .news = on_news,
                                 .change = on_change,
                                 .finished = on_finished};
}

void watcher_end(struct watcher *watcher)
{
    progress_bar_clear(&watcher->bar);
}
