/* How a job takes in files: each is one transaction, copied, judged whole and loaded. See
   struct job_input in job.h. */
#define _GNU_SOURCE
#include "run_internal.h"

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "csv_in.h"
#include "input.h"

#include "ban.h"

enum { RETRIES = 3 };

/* One file on its way in. */
struct import {
    struct pass *pass;
    struct run *run;
    const char *path;
    bool by_name; /* asked for by --input, not found by a pattern */
    struct csv_in *in;
    struct input input;
    struct args args;
    char section[64], keys[INPUT_COLUMNS][2][INPUT_KEY_SIZE];
    struct strbuf row; /* on its way to the database */
    uint64_t lines;
    int64_t bad, tolerated;
    struct err first;   /* the first bad line */
    struct strbuf news; /* what was loaded */
    bool passed_over;   /* it was taken in before */
};

static void import_done(struct import *import)
{
    csv_in_close(import->in);
    input_done(&import->input);
    sb_done(&import->row);
    sb_done(&import->news);
    err_done(&import->first);
}

/* ---- rows ---- */

static enum err_code on_headings(void *context, const struct csv_row *row, struct err *err)
{
    struct import *import = context;
    size_t ignored = 0;
    enum err_code code = input_headings(&import->input, import->in, row, &ignored, err);

    if (code == ERR_OK && ignored)
        run_tell(import->pass->inv, NEWS_DETAIL, "%s: %zu columns of \"%s\" are not read",
                 import->run->job->name, ignored, import->path);
    return code;
}

/* Begins the row that goes to the database. */
static void begin_row(struct import *import, uint64_t line)
{
    sb_reset(&import->row);
    db_copy_int(&import->row, (int64_t)line);
}

/* A bad line is counted, and kept with its reason as long as the file may be taken in at all. */
static enum err_code on_fault(void *context, const struct csv_fault *fault, struct err *err)
{
    struct import *import = context;

    import->lines++;
    if (import->bad++ == 0)
        csv_in_refuse(import->in, fault, &import->first);
    if (import->bad > import->tolerated)
        return ERR_OK;
    begin_row(import, fault->line);
    for (size_t i = 0; i < import->input.n + 1; i++)
        db_copy_null(&import->row);
    db_copy_int(&import->row, (int64_t)fault->column);
    db_copy_text(&import->row, fault->heading, fault->heading ? strlen(fault->heading) : 0);
    db_copy_text(&import->row, fault->reason, strlen(fault->reason));
    return db_copy_row(import->pass->inv->db, &import->row, err);
}

static enum err_code on_row(void *context, const struct csv_row *row, struct err *err)
{
    struct import *import = context;
    struct csv_fault fault;

    begin_row(import, row->line);
    if (!input_judge(&import->input, row, &import->row, &fault))
        return on_fault(context, &fault, err);
    import->lines++;
    if (import->bad > import->tolerated)
        return ERR_OK; /* it will be refused: only told how bad it is */

    /* Nothing is bad about it: no place, no heading, no reason. */
    for (int i = 0; i < 3; i++)
        db_copy_null(&import->row);
    return db_copy_row(import->pass->inv->db, &import->row, err);
}

static void on_progress(void *context, uint64_t bytes, uint64_t of)
{
    struct import *import = context;

    run_progress(import->pass->inv, import->run->job, "reading", bytes, of);
}

/* ---- judging ---- */

static enum err_code refuse(struct import *import, int64_t bad, struct err *err)
{
    err_copy(err, &import->first);
    if (bad > 1) {
        char *message = str_format("%s (and %" PRId64 " more bad line%s)", err->message, bad - 1,
                                   bad > 2 ? "s" : "");

        if (!message)
            return err_nomem(err);
        free(err->message);
        err->message = message;
    }
    err_hint(err,
             "nothing of the file was taken in; mend it, or let [rules] %s put up with bad "
             "lines",
             import->run->job->input->tolerance);
    return err->code;
}

/* How many lines are bad now that the database has judged them too, and the first of them. */
static enum err_code take_bad(void *context, const struct db_row *row, _unused_ struct err *err)
{
    struct import *import = context;
    struct csv_fault fault = {(uint64_t)db_int(row, 1), (size_t)db_int(row, 2), db_text(row, 3),
                              db_text(row, 4)};

    import->bad = db_int(row, 0);
    if (import->bad > 0) {
        err_done(&import->first);
        csv_in_refuse(import->in, &fault, &import->first);
    }
    return ERR_OK;
}

/* "3 loaded, 1 unmatched": the counts that are not 0, by their columns' names. */
static enum err_code take_counts(void *context, const struct db_row *row, _unused_ struct err *err)
{
    struct import *import = context;

    for (int i = 0; i < db_columns(row); i++)
        if (db_int(row, i) != 0)
            sb_addf(&import->news, ", %" PRId64 " %s", db_int(row, i), db_column_name(row, i));
    return ERR_OK;
}

static enum err_code do_steps(struct import *import, const struct sql *const *steps, db_row_fn take,
                              struct err *err)
{
    enum err_code code = ERR_OK;

    for (size_t i = 0; code == ERR_OK && i < INPUT_STEPS && steps[i]; i++)
        code = db_run(import->pass->inv->db, steps[i], &import->args, take, import, err);
    return code;
}

static enum err_code judge_and_load(struct import *import, struct err *err)
{
    const struct job_input *input = import->run->job->input;
    struct db *db = import->pass->inv->db;
    enum err_code code;

    run_progress(import->pass->inv, import->run->job, "judging", 0, 0);
    code = do_steps(import, input->judge, NULL, err);
    if (code == ERR_OK)
        code = db_one(db, input->bad, &import->args, take_bad, import, err);
    if (code == ERR_OK && import->bad > import->tolerated)
        code = refuse(import, import->bad, err);
    if (code != ERR_OK)
        return code;
    code = do_steps(import, input->load, take_counts, err);
    if (strcmp(err->sqlstate, "23505") == 0) { /* somebody wrote such a row: the next try sees it */
        err->code = code = ERR_TEMP;
        snprintf(err->sqlstate, sizeof err->sqlstate, "40001");
    }
    return code;
}

/* ---- one file ---- */

static const char *own_option(void *context, const char *key)
{
    struct import *import = context;

    return job_option(import->pass, import->run->job, key);
}

static enum err_code take_run_id(void *context, const struct db_row *row, _unused_ struct err *err)
{
    int64_t *run_id = context;

    *run_id = db_int(row, 0);
    return ERR_OK;
}

/* Whether the file was taken in before, and what follows from that. A file is hashed on its own
   only where one of its size is known, or where only those of a plan are taken in. */
static enum err_code look_it_up(struct import *import, char sha256[static 65], struct err *err)
{
    const struct job_input *input = import->run->job->input;
    const struct run *run = import->run;
    struct db *db = import->pass->inv->db;
    int64_t files = 0, by = 0;
    enum err_code code = db_ints(db, input->alike, &import->args, 1, &files, err);

    sha256[0] = '\0';
    if (code != ERR_OK || (!files && !import->pass->applying))
        return code;
    code = csv_in_digest(import->in, sha256, err);
    import->passed_over = code == ERR_OK && import->pass->applying &&
                          !run_plan_has_file(import->pass, run->job, sha256);
    if (import->passed_over)
        return ERR_OK;
    args_text(&import->args, "sha", sha256);
    if (code == ERR_OK)
        code = db_run(db, input->known, &import->args, take_run_id, &by, err);
    if (code != ERR_OK || !by)
        return code;
    import->passed_over = by == run->run_id || by == run->before ||
                          !str_eq(job_option(import->pass, run->job, "force"), "yes");
    if (import->passed_over && import->by_name && by != run->run_id && by != run->before) {
        err_set(err, ERR_DATA, "\"%s\" was imported already, by run %" PRId64, import->path, by);
        err_hint(err, "\"lapse show %" PRId64 "\" tells of it; --force imports it again", by);
        return err->code;
    }
    if (import->passed_over)
        run_tell(import->pass->inv, NEWS_DETAIL, "%s: \"%s\" was imported already, by run %" PRId64,
                 run->job->name, import->path, by);
    return ERR_OK;
}

static void place_args(struct import *import)
{
    for (size_t i = 0; i < import->input.n; i++) {
        const char *field = import->input.columns[i].field, *heading;
        char *at = import->keys[i][0], *name = import->keys[i][1];

        snprintf(at, INPUT_KEY_SIZE, "at_%s", field);
        snprintf(name, INPUT_KEY_SIZE, "heading_%s", field);
        args_int(&import->args, at, (int64_t)input_place(&import->input, field, &heading));
        args_text(&import->args, name, heading);
    }
}

/* Reads the file into its temporary table. */
static enum err_code copy_in(struct import *import, struct err *err)
{
    const struct csv_reader reader = {import, on_headings, on_row, on_fault, on_progress};
    const struct job_input *input = import->run->job->input;
    struct db *db = import->pass->inv->db;
    enum err_code code = do_steps(import, input->stage, NULL, err);

    if (code == ERR_OK)
        code = db_copy_begin(db, input->copy, err);
    if (code != ERR_OK)
        return code;
    code = csv_in_read(import->in, &reader, err);
    if (code == ERR_OK && import->bad > import->tolerated)
        code = refuse(import, import->bad, err);
    db_copy_end(db, err);
    return err->code;
}

/* The whole way of one file, inside the open transaction. */
static enum err_code take_in(struct import *import, struct err *err)
{
    const struct job *job = import->run->job;
    char sha256[65];
    enum err_code code;

    pass_args(import->pass, import->run, &import->args);
    job_section(job, import->section, sizeof import->section);
    import->tolerated = conf_int(import->pass->inv->request->conf, "rules", job->input->tolerance);
    code =
        input_open(&import->input, import->section, job->input->columns, own_option, import, err);
    if (code == ERR_OK)
        code = csv_in_open(&import->in, import->path, import->input.separator, err);
    if (code != ERR_OK)
        return code;
    args_text(&import->args, "file", import->path);
    args_int(&import->args, "bytes", (int64_t)csv_in_size(import->in));
    code = look_it_up(import, sha256, err);
    if (code != ERR_OK || import->passed_over)
        return code;
    code = copy_in(import, err);
    if (code == ERR_OK && *sha256 && strcmp(sha256, csv_in_sha256(import->in)) != 0)
        code = err_set(err, ERR_DATA, "\"%s\" is still being written: it changed while it was read",
                       import->path);
    if (code != ERR_OK)
        return code;
    args_text(&import->args, "sha", csv_in_sha256(import->in));
    args_int(&import->args, "lines", (int64_t)import->lines);
    args_int(&import->args, "repeats", (int64_t)import->input.repeats);
    place_args(import);
    return judge_and_load(import, err);
}

static void tell_taken_in(const struct import *import)
{
    struct strbuf news = import->news; /* borrowed */
    const char *counts = sb_text(&news);

    run_tell(import->pass->inv, NEWS_NOTE, "%s: \"%s\": %" PRIu64 " line%s%s",
             import->run->job->name, import->path, import->lines, import->lines == 1 ? "" : "s",
             counts ? counts : "");
}

/* One try at a file. `*ret_unknown`: the commit was sent and not answered. */
static enum err_code try_file(struct import *import, bool *ret_unknown, struct err *err)
{
    struct db *db = import->pass->inv->db;
    const struct run *run = import->run;
    enum err_code code = db_begin(db, DB_CHANGE, err);

    *ret_unknown = false;
    if (code == ERR_OK)
        code = take_in(import, err);
    if (code == ERR_OK && !import->passed_over) {
        struct written written = {.recorded = (int64_t)import->lines};

        code = ledger_close_batch(db, run->run_id, run->attempt, 0, &written, err);
        if (code == ERR_OK)
            return db_commit(db, ret_unknown, err);
    }
    db_rollback(db);
    return code;
}

/* A file until it is in: again after a deadlock or a lost connection. Where the commit was not
   answered, the next try finds by the file's SHA-256 whether it stands. */
static enum err_code do_file(struct pass *pass, struct run *run, const char *path, bool by_name,
                             struct err *err)
{
    int64_t lines = 0;

    for (int attempt = 1;; attempt++) {
        struct import import = {.pass = pass, .run = run, .path = path, .by_name = by_name};
        bool unknown;
        enum err_code code = try_file(&import, &unknown, err);

        if (code == ERR_OK) {
            run->recorded += import.passed_over ? lines : (int64_t)import.lines;
            if (!import.passed_over)
                tell_taken_in(&import);
        }
        lines = unknown ? (int64_t)import.lines : 0;
        import_done(&import);
        if (code == ERR_OK || attempt > RETRIES || code == ERR_SIGNAL ||
            deadline_left_ms(pass->inv->deadline) == 0)
            return code;
        if (unknown || db_is_lost(pass->inv->db))
            code = run_reconnect(pass, err);
        else if (db_may_retry(err)) {
            err_done(err);
            code = db_backoff(pass->inv->deadline, attempt, err);
        } else
            return code;
        if (code != ERR_OK)
            return code;
    }
}

static enum err_code try_in_place(struct pass *pass, struct run *run, const char *path,
                                  bool by_name, struct err *err)
{
    struct import import = {.pass = pass, .run = run, .path = path, .by_name = by_name};
    const struct run_observer *observer = pass->inv->observer;
    enum err_code code = take_in(&import, err);

    if (code == ERR_OK && !import.passed_over) {
        run->recorded += (int64_t)import.lines;
        if (!pass->applying) /* it is told when it is taken in to stay */
            tell_taken_in(&import);
        if (observer->taken)
            code = observer->taken(observer->context, run->job, csv_in_sha256(import.in), err);
    }
    import_done(&import);
    return code;
}

/* ---- which files ---- */

typedef enum err_code (*file_fn)(struct pass *pass, struct run *run, const char *path, bool by_name,
                                 struct err *err);

/* The file that --input names, unless this run took it in before it was killed. */
static enum err_code named_file(struct pass *pass, struct run *run, const char *path, file_fn take,
                                struct err *err)
{
    struct args args = {0};
    int64_t mine = 0;
    enum err_code code = ERR_OK;

    pass_args(pass, run, &args);
    args_text(&args, "file", path);
    if (run->resumed)
        code = db_ints_alone(pass->inv->db, run->job->input->mine, &args, 1, &mine, err);
    return code == ERR_OK && !mine ? take(pass, run, path, true, err) : code;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum err_code refuse_place(const struct job *job, const char *pattern, const char *place,
                                  int errnum, struct err *err)
{
    err_sys(err, ERR_NOINPUT, errnum, "could not look for files in \"%s\"", place);
    err_hint(err,
             "[job.%s] input is \"%s\": make the folder and let the user who runs lapse read it, "
             "or mend the setting",
             job->name, pattern);
    return err->code;
}

/* The folder before the first wildcard must be there: glob() tells a missing one as no file. */
static enum err_code check_folder(const struct job *job, const char *pattern, struct err *err)
{
    _cleanup_free_ char *folder = strndup(pattern, strcspn(pattern, "*?[\\"));
    char *slash = folder ? strrchr(folder, '/') : NULL;
    struct stat status;

    if (!folder)
        return err_nomem(err);
    if (!slash)
        return ERR_OK; /* the working directory */
    slash[slash == folder] = '\0';
    if (stat(folder, &status) != 0)
        return refuse_place(job, pattern, folder, errno, err);
    return S_ISDIR(status.st_mode) ? ERR_OK : refuse_place(job, pattern, folder, ENOTDIR, err);
}

/* glob() does not say in errno why it gave up, and hands its callback nothing of ours. */
static _Thread_local int glob_errnum;

static int note_errnum(_unused_ const char *path, int errnum)
{
    glob_errnum = errnum;
    return 0; /* GLOB_ERR ends it */
}

/* Every regular file that fits the pattern, by name; none is fine. ERR_NOINPUT for a folder that is
   missing, ERR_NOPERM for one that may not be read. */
static enum err_code fitting_files(struct pass *pass, struct run *run, const char *pattern,
                                   file_fn take, struct err *err)
{
    glob_t found = {0};
    enum err_code code = check_folder(run->job, pattern, err);
    int failed = code == ERR_OK ? glob(pattern, GLOB_NOSORT | GLOB_ERR, note_errnum, &found) : 0;

    if (failed == GLOB_NOSPACE)
        code = err_nomem(err);
    else if (failed == GLOB_ABORTED)
        code = refuse_place(run->job, pattern, pattern, glob_errnum, err);
    if (code == ERR_OK && found.gl_pathc)
        qsort(found.gl_pathv, found.gl_pathc, sizeof *found.gl_pathv, by_bytes);
    for (size_t i = 0; code == ERR_OK && i < found.gl_pathc; i++) {
        struct stat status;

        /* What cannot be looked at is told by whoever opens it; one may have been moved away. */
        if (stat(found.gl_pathv[i], &status) == 0 ? S_ISREG(status.st_mode) : errno != ENOENT)
            code = take(pass, run, found.gl_pathv[i], false, err);
    }
    globfree(&found);
    return code;
}

static enum err_code all_files(struct pass *pass, struct run *run, file_fn take, struct err *err)
{
    const char *named, *pattern;

    if (!run->job->input || run->applied)
        return ERR_OK;
    named = given_option(pass, run->job, "input");
    pattern = named ? NULL : job_option(pass, run->job, "input");
    if (named)
        return named_file(pass, run, named, take, err);
    return pattern && *pattern ? fitting_files(pass, run, pattern, take, err) : ERR_OK;
}

enum err_code run_input(struct pass *pass, struct run *run, struct err *err)
{
    return all_files(pass, run, do_file, err);
}

enum err_code run_input_try(struct pass *pass, struct run *run, struct err *err)
{
    return all_files(pass, run, try_in_place, err);
}
