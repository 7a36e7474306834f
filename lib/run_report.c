/* How the reports of an invocation are made: one snapshot, streamed, published, recorded. */
#define _GNU_SOURCE
#include "run_internal.h"

#include <stdlib.h>
#include <string.h>

#include "ban.h"

enum { COLUMNS_MAX = 40, SETTINGS_MAX = 64 };

/* What a report says of itself, with all it points to. */
struct run_meta {
    struct report_meta meta;
    struct report_setting settings[SETTINGS_MAX];
    const char *notes[JOB_NOTES + 1]; /* the job's, and what this report lacks */
};

/* Where a table's columns stand in the result, found at the first row. */
struct stream {
    struct report *report;
    const struct report_table *table;
    struct pass *pass;
    struct run *run;
    int places[COLUMNS_MAX], split, tally;
    bool placed;
    uint64_t rows;
};

static enum err_code place_of(const struct db_row *row, const struct report_table *table,
                              const char *field, int *ret, struct err *err)
{
    *ret = field ? db_column(row, field) : -1;
    if (field && *ret < 0)
        return err_set(err, ERR_INTERNAL, "%s: gives no column \"%s\"", table->query->file, field);
    return ERR_OK;
}

static enum err_code find_places(struct stream *stream, const struct db_row *row, struct err *err)
{
    const struct report_table *table = stream->table;
    size_t n = column_count(table->columns);
    enum err_code code;

    if (n > COLUMNS_MAX)
        return err_set(err, ERR_INTERNAL, "%s: more than %d columns", table->query->file,
                       COLUMNS_MAX);
    for (size_t i = 0; i < n; i++) {
        code = place_of(row, table, table->columns[i].field, &stream->places[i], err);
        if (code != ERR_OK)
            return code;
    }
    code = place_of(row, table, table->split, &stream->split, err);
    if (code == ERR_OK)
        code = place_of(row, table, table->tally, &stream->tally, err);
    stream->placed = code == ERR_OK;
    return code;
}

static struct cell cell_at(const struct db_row *row, int place)
{
    return (struct cell){db_text(row, place), db_len(row, place)};
}

static enum err_code take_row(void *context, const struct db_row *row, struct err *err)
{
    struct stream *stream = context;
    struct cell cells[COLUMNS_MAX] = {0}, split = {0}, tally = {0};
    size_t n = column_count(stream->table->columns);

    if (!stream->placed) {
        enum err_code code = find_places(stream, row, err);

        if (code != ERR_OK)
            return code;
    }
    for (size_t i = 0; i < n; i++)
        cells[i] = cell_at(row, stream->places[i]);
    if (stream->split >= 0)
        split = cell_at(row, stream->split);
    if (stream->tally >= 0)
        tally = cell_at(row, stream->tally);
    if (++stream->rows % 5000 == 0)
        run_progress(stream->pass->inv, stream->run->job, "reporting", stream->rows,
                     stream->run->job->kind == JOB_REPORT ? (uint64_t)stream->run->looked_at : 0);
    return report_row(stream->report, cells, stream->split >= 0 ? &split : NULL,
                      stream->tally >= 0 ? &tally : NULL, err);
}

/* What shaped the result, for the sheet `Run`. */
static size_t shaping_settings(const struct pass *pass, const struct job *job,
                               struct report_setting settings[static SETTINGS_MAX])
{
    const struct setting *setting;
    const char *value;
    enum setting_source source;
    size_t n = 0;

    for (size_t i = 0; conf_each(pass->inv->request->conf, i, &setting, &value, &source); i++)
        if (strcmp(setting->section, "rules") == 0 && n < SETTINGS_MAX - 1)
            settings[n++] = (struct report_setting){setting->key, value ? value : "not set"};
    for (const struct setting *own = job->settings; own && own->key; own++) {
        bool shapes = !(own->option & OPTION_FILE) &&
                      (own->option & (OPTION_ORDER | OPTION_ONLY)) != (OPTION_ORDER | OPTION_ONLY);

        value = job_option(pass, job, own->key);
        if (shapes && n < SETTINGS_MAX - 1)
            settings[n++] = (struct report_setting){own->key, value ? value : "not set"};
    }
    settings[n++] = (struct report_setting){"accounts", pass->reported ? pass->reported : "all"};
    return n;
}

static size_t all_notes(const struct run *run, const char *notes[static JOB_NOTES + 1])
{
    size_t n = 0;

    if (run->incomplete)
        notes[n++] = run->incomplete;
    for (size_t i = 0; i < JOB_NOTES && run->job->notes[i]; i++)
        notes[n++] = run->job->notes[i];
    return n;
}

static unsigned wanted_formats(const struct pass *pass)
{
    unsigned formats = pass->formats;

    if (!formats &&
        !report_formats_parse(conf_text(pass->inv->request->conf, "reports", "formats"), &formats))
        formats = FORMAT_CSV;
    return formats;
}

enum err_code run_report_open(struct pass *pass, struct run *run, const char *dir,
                              struct report **ret, struct err *err)
{
    struct run_meta *own = calloc(1, sizeof *own);

    if (!own)
        return err_nomem(err);
    free(run->meta);
    run->meta = own;
    own->meta = (struct report_meta){
        .job = run->job->name,
        .title = run->job->title,
        .as_of = pass->as_of_text,
        .version = LAPSE_VERSION,
        .settings = own->settings,
        .n_settings = shaping_settings(pass, run->job, own->settings),
        .notes = own->notes,
        .n_notes = all_notes(run, own->notes),
        .bom = conf_bool(pass->inv->request->conf, "reports", "csv_bom"),
    };
    return report_open(ret, &own->meta, wanted_formats(pass), dir, err);
}

enum err_code run_report_rows(struct pass *pass, struct db *db, struct run *run,
                              struct report *report, const struct report_table *table,
                              struct args *args, struct err *err)
{
    struct stream stream = {
        .report = report, .table = table, .pass = pass, .run = run, .split = -1, .tally = -1};
    enum err_code code = slices_run(pass, db, table, args, take_row, &stream, err);

    run->rows += stream.rows;
    return code;
}

enum err_code run_report_tables(struct pass *pass, struct db *db, struct run *run,
                                struct report *report, struct args *args, struct err *err)
{
    for (const struct report_table *table = run->job->tables; table && table->columns; table++) {
        enum err_code code;

        if (!option_is(pass, run->job, table->when))
            continue;
        code = report_begin(report, table, err);
        if (code == ERR_OK)
            code = run_report_rows(pass, db, run, report, table, args, err);
        if (code == ERR_OK)
            code = report_end(report, err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

enum err_code run_report_skipped(struct db *db, const struct run *run, struct report *report,
                                 const struct args *args, struct err *err)
{
    struct run look = {.job = run->job};
    enum err_code code;

    if (!run->job->skipped_because)
        return ERR_OK;
    code = run_look(db, &look, args, err);
    if (code != ERR_OK)
        return code;
    return report_note_figure(report, run->job->skipped_because, look.skipped, err);
}

static enum err_code take_figure(void *context, const struct db_row *row, struct err *err)
{
    return report_note_amount(context, db_text(row, 0), db_text(row, 1), err);
}

enum err_code run_report_figures(struct db *db, const struct run *run, struct report *report,
                                 const struct args *args, struct err *err)
{
    if (!run->job->figures)
        return ERR_OK;
    return db_run(db, run->job->figures, args, take_figure, report, err);
}

/* Streams one job's report inside the snapshot that is open on `db`. */
static enum err_code report_one(struct pass *pass, struct db *db, struct run *run,
                                const char *run_ids, const char *as_ofs, struct err *err)
{
    _cleanup_report_ struct report *report = NULL;
    struct args args = {0};
    enum err_code code = ERR_OK;

    pass_args(pass, run, &args);
    args_text(&args, "accounts", pass->reported);
    args_text(&args, "run_ids", run_ids);
    args_text(&args, "as_ofs", as_ofs);
    if (run->job->kind == JOB_REPORT) {
        run->looked_at = 0;
        code = run_look(db, run, &args, err);
    }
    if (code != ERR_OK || !pass->staging || !run->job->tables)
        return code;
    if (has_options(pass, run->job) && !pass->asked_out) {
        run_tell(pass->inv, NEWS_NOTE,
                 "%s: not published, because its options differ from the settings; give --out DIR",
                 run->job->name);
        return ERR_OK;
    }
    code = run_report_open(pass, run, staging_path(pass->staging), &report, err);
    if (code == ERR_OK)
        code = run_report_tables(pass, db, run, report, &args, err);
    if (code == ERR_OK)
        code = run_report_figures(db, run, report, &args, err);
    if (code == ERR_OK)
        code = run_report_skipped(db, run, report, &args, err);
    if (code == ERR_OK)
        code = report_finish(TAKE_PTR(report), &run->made, err);
    return code;
}

/* A report that failed: the changes stand, where there are any. */
static void report_failed(struct pass *pass, struct run *run, bool published, struct err *err)
{
    if (published) {
        err_prefix(err, "published, but the ledger could not be told");
    } else if (run->job->kind == JOB_CHANGE && run->changed > 0 && err->code != ERR_SIGNAL) {
        err_prefix(err, "changes applied, report not published");
        err->code = ERR_UNPUBLISHED;
    }
    err_move(&run->err, err);
    run_fail(pass, run);
}

/* One report under a savepoint of its own, so that its failure leaves the others the snapshot. An
   error comes back only where the connection is gone, or the process is to end. */
static enum err_code report_apart(struct pass *pass, struct run *run, const char *run_ids,
                                  const char *as_ofs, struct err *err)
{
    _cleanup_err_ struct err why = {0};
    bool from_replica = run->job->kind == JOB_REPORT && pass->inv->reader;
    struct db *db = from_replica ? pass->inv->reader : pass->inv->db;
    enum err_code code = db_savepoint(db, err);

    if (code != ERR_OK || report_one(pass, db, run, run_ids, as_ofs, &why) == ERR_OK)
        return code;
    report_files_done(&run->made);
    if (db_is_lost(db) || why.code == ERR_SIGNAL) {
        err_copy(err, &why);
    } else {
        code = db_back(db, err);
    }
    report_failed(pass, run, false, &why);
    return err->code;
}

static enum err_code report_all(struct pass *pass, struct err *err)
{
    _cleanup_free_ char *run_ids = NULL, *as_ofs = NULL;
    struct invocation *inv = pass->inv;
    enum err_code code = run_open_reader(pass, err);

    if (code == ERR_OK)
        code = db_begin(inv->db, DB_SNAPSHOT, err);
    if (code == ERR_OK && inv->reader)
        code = db_begin(inv->reader, DB_SNAPSHOT, err);
    if (code == ERR_OK)
        code = slices_begin(pass, err);
    if (code == ERR_OK)
        code = ledger_runs_of_date(inv->db, pass->date, &run_ids, &as_ofs, err);
    for (size_t i = 0; code == ERR_OK && i < pass->n; i++) {
        int64_t begun = monotonic_ns();

        if (pass->runs[i].state != RUN_APPLIED)
            continue;
        code = report_apart(pass, &pass->runs[i], run_ids, as_ofs, err);
        pass->runs[i].nanoseconds += monotonic_ns() - begun;
    }
    slices_end(inv);
    db_rollback(inv->db);
    db_close(TAKE_PTR(inv->reader));
    return code;
}

enum err_code pass_publish(struct pass *pass, char **ret_published, struct err *err)
{
    struct publish_job *jobs = calloc(pass->n, sizeof *jobs);
    struct published published = {0};
    char head[65] = "";
    struct publish_set set = {.date = pass->date,
                              .as_of = pass->as_of_text,
                              .version = LAPSE_VERSION,
                              .audit_head = head,
                              .jobs = jobs};
    enum err_code code = jobs ? ERR_OK : err_nomem(err);

    for (size_t i = 0; code == ERR_OK && i < pass->n; i++) {
        const struct run *run = &pass->runs[i];

        if (run->state != RUN_APPLIED || !run->made.n)
            continue;
        if (run->run_id)
            code = ledger_still_ours(pass->inv->db, run->run_id, run->attempt, err);
        jobs[set.n_jobs++] = (struct publish_job){run->job->name, run->run_id, &run->made};
    }
    if (code == ERR_OK && set.n_jobs > 0) {
        code = ledger_audit_head(pass->inv->db, head, err);
        if (code == ERR_OK)
            code = publish(TAKE_PTR(pass->staging), &set, pass->inv->deadline, &published, err);
        if (code == ERR_OK && !pass->inv->request->dry_run)
            code = ledger_published(pass->inv->db, &set, &published, err);
        if (published.path)
            *ret_published = TAKE_PTR(published.path);
        published_done(&published);
    }
    free(jobs);
    return code;
}

void run_finish(struct pass *pass, struct run *run)
{
    _cleanup_err_ struct err err = {0};
    struct ledger_end end = {.state = "done", .rows = run->rows, .files = run->files};

    run->files = run->made.n;
    end.files = run->files;
    end.looked_at = run->looked_at;
    if (run->err.code != ERR_OK) { /* done, but accounts were set aside */
        end.status = err_status(&run->err);
        end.message = run->err.message;
    }
    if (ledger_finish(pass->inv->db, run->run_id, run->attempt, &end, &err) == ERR_OK) {
        run->state = RUN_DONE;
        return;
    }
    err_move(&run->err, &err);
    run->state = RUN_FAILED;
}

void pass_report(struct pass *pass, char **ret_published)
{
    _cleanup_err_ struct err err = {0};
    enum err_code code = report_all(pass, &err);

    if (code == ERR_OK)
        code = pass_publish(pass, ret_published, &err);
    for (size_t i = 0; i < pass->n; i++) {
        struct run *run = &pass->runs[i];

        if (run->state != RUN_APPLIED)
            continue;
        if (code == ERR_OK) {
            run_finish(pass, run);
        } else {
            _cleanup_err_ struct err why = {0};

            err_copy(&why, &err);
            report_failed(pass, run, *ret_published != NULL, &why);
        }
    }
    for (size_t i = 0; i < pass->n; i++)
        run_tell_failure(pass, &pass->runs[i]);
}
