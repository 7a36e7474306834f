/* How a change job changes: counted and cut once, then batch by batch, each one transaction. */
#define _GNU_SOURCE
#include "run_internal.h"

#include <stdlib.h>
#include <string.h>

#include "ban.h"

enum { RETRIES = 3, RECONNECTS = 5 };

/* A batch holds up who wants its rows, and the end of the chain: about a second at the most. Of so
   many pieces a batch is made where it is quick; one piece is the least. */
enum { PIECES = 10, BATCH_S = 1 };

static enum err_code take_set_aside(void *context, const struct db_row *row, struct err *err)
{
    struct run *run = context;

    run->set_aside++;
    if (run->err.code == ERR_OK)
        err_set(&run->err, ERR_SETASIDE, "account %s was set aside: %s", db_text(row, 0),
                db_text(row, 1));
    (void)err;
    return ERR_OK;
}

static enum err_code take_key(void *context, const struct db_row *row, struct err *err)
{
    struct batch_keys *keys = context;

    keys->changes = db_int(row, 4);
    if (keys->n == keys->size) {
        size_t size = keys->size ? keys->size * 2 : 64;
        struct batch_key *grown = reallocarray(keys->keys, size, sizeof *grown);

        if (!grown)
            return err_nomem(err);
        keys->keys = grown;
        keys->size = size;
    }
    keys->keys[keys->n++] = (struct batch_key){
        .account = db_int(row, 0), .id = db_int(row, 1), .due_so_far = db_int(row, 2)};
    return ERR_OK;
}

/* The data make no sense: a person has to look before anything is decided on them. */
static enum err_code take_refusal(_unused_ void *context, const struct db_row *row, struct err *err)
{
    err_set(err, ERR_STOPPED, "account %s: %s, so nothing is changed", db_text(row, 0),
            db_text(row, 1));
    err_hint(err, "mend it in the product, then run the job again");
    return err->code;
}

enum err_code run_set_aside(struct pass *pass, struct run *run, const struct args *args,
                            struct err *err)
{
    enum err_code code;

    if (run->job->refuse) {
        code = db_run(pass->inv->db, run->job->refuse, args, take_refusal, NULL, err);
        if (code != ERR_OK)
            return code;
    }
    if (!run->job->set_aside)
        return ERR_OK;
    code = db_run(pass->inv->db, run->job->set_aside, args, take_set_aside, run, err);
    if (run->set_aside)
        err_hint(&run->err, "\"lapse check\" lists the accounts that break the model; mend them, "
                            "and the next run takes them");
    return code;
}

static enum err_code take_look(void *context, const struct db_row *row, _unused_ struct err *err)
{
    struct run *run = context;
    int whole = db_column(row, "of_all");

    run->looked_at += db_int(row, 0);
    run->skipped += db_int(row, 1);
    run->of_all += db_int(row, whole >= 0 ? whole : 0);
    return ERR_OK;
}

enum err_code run_look(struct db *db, struct run *run, const struct args *args, struct err *err)
{
    if (!run->job->candidates)
        return ERR_OK;
    return db_one(db, run->job->candidates, args, take_look, run, err);
}

enum err_code run_cut(struct pass *pass, struct run *run, struct args *args, int64_t rows,
                      struct batch_keys *ret, struct err *err)
{
    enum err_code code;

    args_int(args, "batch_rows", rows);
    code = db_run(pass->inv->db, run->job->cut, args, take_key, ret, err);
    run->due = ret->n ? ret->keys[ret->n - 1].due_so_far : 0;
    run->due_changes = ret->changes;
    return code;
}

static enum err_code take_changes(void *context, const struct db_row *row, _unused_ struct err *err)
{
    int64_t *changes = context;

    *changes = db_int(row, 4);
    return ERR_OK;
}

/* How much of the batch is due now: users go on writing while the job runs. */
static enum err_code recount(struct pass *pass, const struct run *run, struct args *args,
                             const struct guard *guard, int64_t *ret, struct err *err)
{
    enum err_code code;

    args_int(args, "batch_rows", INT64_MAX);
    code = db_run(pass->inv->db, run->job->cut, args, take_changes, ret, err);
    return code == ERR_OK ? guard_check(pass, run, guard, *ret, err) : code;
}

enum err_code run_step(struct pass *pass, const struct job_step *step, const struct args *args,
                       struct written *written, struct err *err)
{
    int64_t result[2]; /* changed, torn */

    do {
        enum err_code code = db_ints(pass->inv->db, step->sql, args, 2, result, err);

        if (code != ERR_OK)
            return code;
        if (result[1] > 0) {
            code = err_set(err, ERR_TEMP, "%s: %lld accounts were changed by somebody else",
                           step->sql->file, (long long)result[1]);
            snprintf(err->sqlstate, sizeof err->sqlstate, "40001");
            return code;
        }
        *(step->unaudited ? &written->recorded : &written->changed) += result[0];
    } while (step->repeat && result[0] > 0);
    return ERR_OK;
}

enum err_code run_steps(const struct bisection *b, const struct args *args, struct written *ret,
                        struct err *err)
{
    enum err_code code = ERR_OK;

    *ret = (struct written){0};
    for (const struct job_step *step = b->run->job->steps; code == ERR_OK && step->sql; step++)
        if ((!step->unaudited || !b->audited_only) && (!b->only || step == b->only))
            code = run_step(b->pass, step, args, ret, err);
    return code;
}

/* One try at a batch. `*ret_unknown`: the commit was sent and not answered. */
static enum err_code try_batch(const struct bisection *b, struct args *args, struct batch_key from,
                               struct batch_key to, int64_t rows, struct written *ret,
                               bool *ret_unknown, struct err *err)
{
    struct bisection parts = *b;
    struct run *run = b->run;
    struct db *db = b->pass->inv->db;
    enum err_code code = db_begin(db, DB_CHANGE, err);

    *ret_unknown = false;
    *ret = (struct written){0};
    parts.tried = ret;
    if (code == ERR_OK && b->guard)
        code = recount(b->pass, run, args, b->guard, &ret->done, err);
    if (code == ERR_OK)
        code = run_part(&parts, args, from, to, rows, err);
    if (code == ERR_OK && b->pass->applying)
        code = run_plan_compare(b, args, err);
    if (code == ERR_OK && ret->changed == 0 && ret->recorded == 0) {
        db_rollback(db);
        return ERR_OK;
    }
    if (code == ERR_OK)
        code = ledger_close_batch(db, run->run_id, run->attempt, run->batches + 1, ret, err);
    if (code == ERR_OK)
        return db_commit(db, ret_unknown, err);
    db_rollback(db);
    return code;
}

enum err_code run_reconnect(struct pass *pass, struct err *err)
{
    struct invocation *inv = pass->inv;
    const char *conninfo = conf_text(inv->request->conf, "database", "conninfo");
    enum err_code code = ERR_TEMP;

    db_close(TAKE_PTR(inv->db));
    for (int i = 0; i < RECONNECTS; i++) {
        err_done(err);
        if (i > 0 && (code = db_backoff(inv->deadline, i, err)) != ERR_OK)
            return code;
        code = db_open(&inv->db, conninfo, inv->deadline, err);
        if (code == ERR_OK || code == ERR_SIGNAL)
            break;
    }
    for (size_t i = 0; code == ERR_OK && i < pass->n; i++)
        if (pass->runs[i].state != RUN_FAILED)
            code = ledger_lock(inv->lock, pass->runs[i].job->name, err);
    if (code == ERR_UNAVAILABLE)
        err->code = code = ERR_TEMP; /* it was there a moment ago */
    return code;
}

/* Again after a lost connection only once the ledger has told whether the commit that was not
   answered stands. */
enum err_code run_batch(const struct bisection *b, struct args *args, struct batch_key from,
                        struct batch_key to, int64_t rows, struct err *err)
{
    struct pass *pass = b->pass;
    struct run *run = b->run;
    struct refusals_mark before = refusals_mark(b->refusals);

    for (int attempt = 1;; attempt++) {
        struct written written;
        bool unknown, stands = false;
        enum err_code code;

        refusals_back(b->refusals, before);
        code = try_batch(b, args, from, to, rows, &written, &unknown, err);

        if (code == ERR_OK && written.changed == 0 && written.recorded == 0)
            return ERR_OK;
        if (code != ERR_OK &&
            (attempt > RETRIES || code == ERR_SIGNAL || deadline_left_ms(pass->inv->deadline) == 0))
            return code;
        if (code != ERR_OK && (unknown || db_is_lost(pass->inv->db))) {
            code = run_reconnect(pass, err);
            if (code == ERR_OK && unknown)
                code =
                    ledger_batch_stands(pass->inv->db, run->run_id, run->batches + 1, &stands, err);
            if (code != ERR_OK)
                return code;
            run_tell(pass->inv, NEWS_NOTE, "%s: the connection was lost and is back; the batch %s",
                     run->job->name, stands ? "stands" : "is tried again");
            if (!stands)
                continue;
            code = ERR_OK;
        }
        if (code == ERR_OK) {
            run->done += written.done;
            run->changed += written.changed;
            run->recorded += written.recorded;
            run->batches += written.changed > 0;
            run_tell(pass->inv, NEWS_DETAIL, "%s: batch %lld of run %lld wrote %lld rows",
                     run->job->name, (long long)run->batches, (long long)run->run_id,
                     (long long)(written.changed + written.recorded));
            return ERR_OK;
        }
        if (!db_may_retry(err))
            return code;
        run_tell(pass->inv, NEWS_DETAIL, "%s: %s; trying the batch again", run->job->name,
                 err->message);
        err_done(err);
        code = db_backoff(pass->inv->deadline, attempt, err);
        if (code != ERR_OK)
            return code;
    }
}

static int64_t batch_rows(const struct pass *pass)
{
    return conf_int(pass->inv->request->conf, "database", "batch_rows");
}

struct pace pace_begin(const struct pass *pass)
{
    int64_t rows = batch_rows(pass);

    return (struct pace){.most = rows, .rows = rows, .begun_ns = monotonic_ns()};
}

bool pace_holds(const struct pace *pace, int64_t rows)
{
    return rows - pace->done <= pace->rows;
}

void pace_next(struct pace *pace, int64_t done)
{
    int64_t now = monotonic_ns();
    double fit = BATCH_S * 1e9 * (double)(done - pace->done) / (double)(now - pace->begun_ns + 1);

    pace->rows = fit < (double)pace->most ? (int64_t)fit : pace->most;
    pace->done = done;
    pace->begun_ns = now;
}

static enum err_code count_and_cut(struct pass *pass, struct run *run, struct args *args,
                                   struct batch_keys *keys, struct err *err)
{
    int64_t piece = batch_rows(pass) / PIECES;
    struct db *db = pass->inv->db;
    struct ledger_counts counts;
    bool unknown;
    enum err_code code = db_begin(db, DB_CHANGE, err);

    run->looked_at = run->skipped = run->of_all = 0;
    if (code == ERR_OK)
        code = db_run(db, &sql_ledger_try_again, args, NULL, NULL, err);
    if (code == ERR_OK)
        code = run_set_aside(pass, run, args, err);
    if (code == ERR_OK)
        code = run_look(db, run, args, err);
    if (code == ERR_OK)
        code = run_cut(pass, run, args, piece ? piece : 1, keys, err);
    counts = (struct ledger_counts){run->looked_at, run->due_changes, run->skipped, run->set_aside};
    if (code == ERR_OK)
        code = ledger_count(db, run->run_id, run->attempt, &counts, err);
    if (code == ERR_OK)
        code = db_commit(db, &unknown, err);
    if (code != ERR_OK)
        db_rollback(db);
    return code;
}

static enum err_code do_batches(const struct bisection *b, struct args *args,
                                const struct batch_keys *keys, struct err *err)
{
    const struct run *run = b->run;
    struct batch_key from = {INT64_MIN, INT64_MIN, 0};
    struct pace pace = pace_begin(b->pass);

    for (size_t i = 0; i < keys->n; i++) {
        struct batch_key to = keys->keys[i];
        enum err_code code;

        if (i < keys->n - 1 && pace_holds(&pace, keys->keys[i + 1].due_so_far))
            continue;
        if (i == keys->n - 1)
            to.account = to.id = KEY_MAX;
        run_progress(b->pass->inv, run->job, "changing", (uint64_t)from.due_so_far,
                     (uint64_t)run->due);
        code = run_part(b, args, from, to, to.due_so_far - from.due_so_far, err);
        if (code != ERR_OK)
            return code;
        pace_next(&pace, to.due_so_far);
        from = to;
    }
    if (run->due)
        run_progress(b->pass->inv, run->job, "changing", (uint64_t)run->due, (uint64_t)run->due);
    return ERR_OK;
}

void run_change(struct pass *pass, struct run *run)
{
    _cleanup_err_ struct err err = {0};
    struct batch_keys keys = {0};
    struct refusals refusals = {0};
    struct guard guard = {0};
    bool bisected = run->job->kind == JOB_CHANGE, guarded = bisected && !pass->applying;
    const struct bisection parts = {.pass = pass,
                                    .run = run,
                                    .guard = guarded ? &guard : NULL,
                                    .refusals = bisected ? &refusals : NULL};
    struct args args = {0};
    enum err_code code;

    pass_args(pass, run, &args);
    code = run_input(pass, run, &err);
    if (code == ERR_OK)
        code = run_ask(pass, run, &args, &err);
    if (code == ERR_OK)
        code = count_and_cut(pass, run, &args, &keys, &err);
    if (code == ERR_OK && guarded)
        code = guard_of(pass, run, &guard, &err);
    if (code == ERR_OK && guarded)
        code = guard_check(pass, run, &guard, run->due_changes, &err);
    if (code == ERR_OK)
        code = (pass->applying ? run_plan_batches : do_batches)(&parts, &args, &keys, &err);
    if (code == ERR_OK)
        code = run_settle_refusals(pass, run, &refusals, &err);
    refusals_done(&refusals);
    free(keys.keys);
    if (code == ERR_OK)
        code = ledger_applied(pass->inv->db, run->run_id, run->attempt, &err);
    if (code == ERR_OK) {
        run->applied = true;
        run->state = RUN_APPLIED;
        return;
    }
    err_move(&run->err, &err);
    run_fail(pass, run);
}
