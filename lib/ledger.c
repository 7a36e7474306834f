/* The ledger: see ledger.h. */
#define _GNU_SOURCE
#include "ledger.h"

#include <stdlib.h>
#include <string.h>

#include "ban.h"

enum err_code ledger_lock(struct db *lock, const char *job, struct err *err)
{
    struct args args = {0};
    int64_t locked = 0;
    enum err_code code;

    args_text(&args, "job", job);
    code = db_ints(lock, &sql_ledger_lock_job, &args, 1, &locked, err);
    if (code == ERR_OK && !locked) {
        code = err_set(err, ERR_TEMP, "another run of %s is under way", job);
        err_hint(err, "\"lapse history %s\" shows it; try again when it has ended", job);
    }
    return code;
}

static enum err_code take_unknown(void *context, const struct db_row *row, struct err *err)
{
    return err_set(err, ERR_USAGE, "%s: there is no account %s", (const char *)context,
                   db_text(row, 0));
}

enum err_code ledger_check_accounts(struct db *db, const char *accounts, const char *place,
                                    struct err *err)
{
    struct args args = {0};
    void *context = (void *)(uintptr_t)place;

    args_text(&args, "accounts", accounts);
    if (!accounts)
        return ERR_OK;
    return db_run_alone(db, &sql_ledger_unknown_account, &args, take_unknown, context, err);
}

enum err_code ledger_clock(struct db *db, struct instant *ret, struct err *err)
{
    return db_ints_alone(db, &sql_ledger_clock, NULL, 1, &ret->seconds, err);
}

void unfinished_done(struct unfinished *unfinished)
{
    free(unfinished->accounts);
    free(unfinished->out);
    free(unfinished->given);
    *unfinished = (struct unfinished){0};
}

static enum err_code take_unfinished(void *context, const struct db_row *row, struct err *err)
{
    struct unfinished *unfinished = context;
    const char *accounts = db_text(row, 6), *out = db_text(row, 7), *given = db_text(row, 14);

    *unfinished = (struct unfinished){
        .found = true,
        .run_id = db_int(row, 0),
        .as_of = {.seconds = db_int(row, 1)},
        .applied = str_eq(db_text(row, 2), "applied"),
        .attempt = db_int(row, 3),
        .changed = db_int(row, 4),
        .batches = db_int(row, 5),
        .formats = (unsigned)db_int(row, 8),
        .looked_at = db_int(row, 9),
        .skipped = db_int(row, 10),
        .recorded = db_int(row, 11),
        .done = db_int(row, 12),
        .max_changes = db_int(row, 13),
    };
    if ((accounts && !(unfinished->accounts = strdup(accounts))) ||
        (out && !(unfinished->out = strdup(out))) ||
        (given && !(unfinished->given = strdup(given))))
        return err_nomem(err);
    return ERR_OK;
}

enum err_code ledger_unfinished(struct db *db, const char *job, const char *plan,
                                struct unfinished *ret, struct err *err)
{
    struct args args = {0};

    *ret = (struct unfinished){0};
    args_text(&args, "job", job);
    args_text(&args, "plan", plan);
    return db_run_alone(db, &sql_ledger_unfinished, &args, take_unfinished, ret, err);
}

struct maybe_instant {
    bool found;
    struct instant instant;
};

static enum err_code take_instant(void *context, const struct db_row *row, _unused_ struct err *err)
{
    struct maybe_instant *maybe = context;

    maybe->found = true;
    maybe->instant.seconds = db_int(row, 0);
    return ERR_OK;
}

enum err_code ledger_last_applied(struct db *db, const char *job, bool *ret_found,
                                  struct instant *ret, struct err *err)
{
    struct maybe_instant maybe = {0};
    struct args args = {0};
    enum err_code code;

    args_text(&args, "job", job);
    code = db_run_alone(db, &sql_ledger_last_applied, &args, take_instant, &maybe, err);
    *ret_found = maybe.found;
    *ret = maybe.instant;
    return code;
}

static void entry_args(struct args *args, const struct ledger_entry *entry)
{
    args_text(args, "job", entry->job);
    args_text(args, "as_of", entry->as_of);
    args_text(args, "trigger", entry->trigger);
    args_text(args, "options", entry->options);
    args_text(args, "settings_digest", entry->settings_digest);
    args_text(args, "version", entry->version);
    args_text(args, "host", entry->host);
}

enum err_code ledger_start(struct db *db, const struct ledger_entry *entry, int64_t *ret_run_id,
                           struct err *err)
{
    struct args args = {0};

    entry_args(&args, entry);
    return db_ints_alone(db, &sql_ledger_start, &args, 1, ret_run_id, err);
}

/* A run's row that a statement must find with our attempt number; where it does not, another
   process has taken the run over. */
static enum err_code must_be_ours(enum err_code code, int64_t run_id, int64_t found,
                                  struct err *err)
{
    if (code == ERR_OK && !found) {
        code = err_set(err, ERR_TEMP, "another process has taken run %lld over", (long long)run_id);
        err_hint(err, "it goes on where this one stopped; nothing is to be done");
    }
    return code;
}

static enum err_code take_first(void *context, const struct db_row *row, _unused_ struct err *err)
{
    int64_t *value = context;

    *value = db_int(row, 0);
    return ERR_OK;
}

static void run_args(struct args *args, int64_t run_id, int64_t attempt)
{
    args_int(args, "run_id", run_id);
    args_int(args, "attempt", attempt);
}

enum err_code ledger_take_over(struct db *db, const struct ledger_entry *entry, int64_t run_id,
                               int64_t *attempt, struct err *err)
{
    struct args args = {0};
    int64_t now = 0;
    enum err_code code;

    entry_args(&args, entry);
    run_args(&args, run_id, *attempt);
    code = db_run_alone(db, &sql_ledger_take_over, &args, take_first, &now, err);
    code = must_be_ours(code, run_id, now, err);
    if (code == ERR_OK)
        *attempt = now;
    return code;
}

static enum err_code take_digest(void *context, const struct db_row *row, struct err *err)
{
    char *digest = context;
    int last = db_columns(row) - 1;

    if (db_len(row, last) != 64)
        return err_set(err, ERR_CHECKSUM, "the end of the audit chain is not a SHA-256");
    memcpy(digest, db_text(row, last), 65);
    return ERR_OK;
}

struct chain_end {
    int64_t number;
    char digest[65];
};

static enum err_code take_chain_end(void *context, const struct db_row *row, struct err *err)
{
    struct chain_end *end = context;

    end->number = db_int(row, 0);
    return take_digest(end->digest, row, err);
}

enum err_code ledger_close_batch(struct db *db, int64_t run_id, int64_t attempt, int64_t batch_no,
                                 const struct written *written, struct err *err)
{
    struct chain_end end = {0};
    struct args args = {0};
    int64_t found = 0;
    enum err_code code;

    run_args(&args, run_id, attempt);
    args_int(&args, "batch_no", batch_no);
    args_int(&args, "changed", written->changed);
    args_int(&args, "recorded", written->recorded);
    args_int(&args, "done", written->done);
    code = db_run(db, &sql_ledger_batch_done, &args, take_first, &found, err);
    code = must_be_ours(code, run_id, found, err);
    if (code == ERR_OK && written->changed == 0)
        return ERR_OK;
    if (code == ERR_OK)
        code = db_one(db, &sql_ledger_chain_lock, NULL, take_chain_end, &end, err);
    if (code != ERR_OK)
        return code;
    args_int(&args, "chain_no", end.number);
    args_text(&args, "previous", end.digest);
    return db_one(db, &sql_ledger_chain_link, &args, NULL, NULL, err);
}

enum err_code ledger_median(struct db *db, const char *job, int64_t *ret_runs, int64_t *ret_median,
                            struct err *err)
{
    struct args args = {0};
    int64_t values[2] = {0};
    enum err_code code;

    args_text(&args, "job", job);
    code = db_ints_alone(db, &sql_ledger_median, &args, 2, values, err);
    *ret_runs = values[0];
    *ret_median = values[1];
    return code;
}

enum err_code ledger_still_ours(struct db *db, int64_t run_id, int64_t attempt, struct err *err)
{
    struct args args = {0};
    int64_t ours = 0;
    enum err_code code;

    run_args(&args, run_id, attempt);
    code = db_ints_alone(db, &sql_ledger_still_ours, &args, 1, &ours, err);
    return must_be_ours(code, run_id, ours, err);
}

enum err_code ledger_batch_stands(struct db *db, int64_t run_id, int64_t batch_no, bool *ret_stands,
                                  struct err *err)
{
    struct args args = {0};
    int64_t stands = 0;
    enum err_code code;

    args_int(&args, "run_id", run_id);
    args_int(&args, "batch_no", batch_no);
    code = db_ints_alone(db, &sql_ledger_batch_stands, &args, 1, &stands, err);
    *ret_stands = stands > 0;
    return code;
}

enum err_code ledger_count(struct db *db, int64_t run_id, int64_t attempt,
                           const struct ledger_counts *counts, struct err *err)
{
    struct args args = {0};
    int64_t found = 0;
    enum err_code code;

    run_args(&args, run_id, attempt);
    args_int(&args, "looked_at", counts->looked_at);
    args_int(&args, "due", counts->due);
    args_int(&args, "skipped", counts->skipped);
    args_int(&args, "set_aside", counts->set_aside);
    code = db_run(db, &sql_ledger_count, &args, take_first, &found, err);
    return must_be_ours(code, run_id, found, err);
}

enum err_code ledger_applied(struct db *db, int64_t run_id, int64_t attempt, struct err *err)
{
    struct args args = {0};
    int64_t found = 0;
    enum err_code code;

    run_args(&args, run_id, attempt);
    code = db_run_alone(db, &sql_ledger_applied, &args, take_first, &found, err);
    return must_be_ours(code, run_id, found, err);
}

enum err_code ledger_finish(struct db *db, int64_t run_id, int64_t attempt,
                            const struct ledger_end *end, struct err *err)
{
    struct args args = {0};
    int64_t found = 0;
    enum err_code code;

    run_args(&args, run_id, attempt);
    args_text(&args, "state", end->state);
    args_int(&args, "status", end->status);
    args_text(&args, "message", end->message);
    args_int(&args, "looked_at", end->looked_at);
    args_int(&args, "rows", (int64_t)end->rows);
    args_int(&args, "files", (int64_t)end->files);
    code = db_run_alone(db, &sql_ledger_finish, &args, take_first, &found, err);
    return must_be_ours(code, run_id, found, err);
}

static int64_t run_id_of(const struct publish_set *set, const char *job)
{
    for (size_t i = 0; i < set->n_jobs; i++)
        if (strcmp(set->jobs[i].job, job) == 0)
            return set->jobs[i].run_id;
    return 0;
}

enum err_code ledger_published(struct db *db, const struct publish_set *set,
                               const struct published *published, struct err *err)
{
    enum err_code code = db_begin(db, DB_CHANGE, err);
    bool unknown;

    for (size_t i = 0; code == ERR_OK && i < published->n; i++) {
        const struct published_file *file = &published->files[i];
        struct args args = {0};

        args_text(&args, "date", set->date);
        args_text(&args, "folder", published->path);
        args_text(&args, "name", file->name);
        args_text(&args, "sha", file->sha256);
        args_int(&args, "run_id", run_id_of(set, file->job));
        args_int(&args, "file_rows", (int64_t)file->rows);
        args_int(&args, "bytes", (int64_t)file->bytes);
        code = db_run(db, &sql_ledger_published, &args, NULL, NULL, err);
    }
    if (code == ERR_OK)
        code = db_commit(db, &unknown, err);
    if (code != ERR_OK)
        db_rollback(db);
    return code;
}

struct two_texts {
    char *first, *second;
};

static enum err_code take_two_texts(void *context, const struct db_row *row, struct err *err)
{
    struct two_texts *texts = context;

    texts->first = strdup(db_text(row, 0));
    texts->second = strdup(db_text(row, 1));
    return texts->first && texts->second ? ERR_OK : err_nomem(err);
}

enum err_code ledger_runs_of_date(struct db *db, const char *date, char **ret_run_ids,
                                  char **ret_as_ofs, struct err *err)
{
    struct two_texts texts = {0};
    struct args args = {0};
    enum err_code code;

    args_text(&args, "date", date);
    code = db_one(db, &sql_ledger_runs_of_date, &args, take_two_texts, &texts, err);
    if (code != ERR_OK) {
        free(texts.first);
        free(texts.second);
        return code;
    }
    *ret_run_ids = texts.first;
    *ret_as_ofs = texts.second;
    return ERR_OK;
}

enum err_code ledger_audit_head(struct db *db, char ret_digest[65], struct err *err)
{
    return db_run_alone(db, &sql_ledger_audit_head, NULL, take_digest, ret_digest, err);
}
