/* What the database refuses does not stop the rest: a batch that fails is cut into ever smaller
   ones, down to the account that is refused; in a dry run as well. */
#define _GNU_SOURCE
#include "run_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ban.h"

/* How many rows of one account are found refused before the rest of it is left alone. */
enum { ENOUGH = 16 };

/* Into how many parts a refused one is cut. More would find the row in fewer steps, but each part
   costs its statements: with 4, 3 refused of 50,000 rows took 1.56 times as long as none, with 2 or
   8 1.65, with 32 2.08. */
enum { PARTS = 4 };

bool is_refusal(const struct err *err)
{
    static const char *const classes[] = {"22", "23", "27", "38", "39", "44", "P0"};

    for (size_t i = 0; i < COUNT(classes); i++)
        if (strncmp(err->sqlstate, classes[i], 2) == 0)
            return true;
    return false;
}

struct refusals_mark refusals_mark(const struct refusals *refusals)
{
    size_t n = refusals ? refusals->n : 0;

    return (struct refusals_mark){n, n ? refusals->list[n - 1].rows : 0};
}

void refusals_back(struct refusals *refusals, struct refusals_mark mark)
{
    while (refusals && refusals->n > mark.n)
        free(refusals->list[--refusals->n].reason);
    if (mark.n)
        refusals->list[mark.n - 1].rows = mark.rows;
}

void refusals_done(struct refusals *refusals)
{
    refusals_back(refusals, (struct refusals_mark){0});
    free(refusals->list);
    *refusals = (struct refusals){0};
}

static enum err_code refuse(struct pass *pass, const struct run *run, int64_t account,
                            struct refusals *refusals, struct err *why, struct err *err)
{
    struct refusal *grown, *last = refusals->n ? &refusals->list[refusals->n - 1] : NULL;

    if (last && last->account == account) {
        last->rows++; /* the first speaks for it */
        return ERR_OK;
    }
    if ((int64_t)refusals->n >= guard_setting(pass, run->job, "max_quarantined")) {
        err_move(err, why);
        err_prefix(err, "more than max_quarantined accounts are refused (%zu); the last, %" PRId64,
                   refusals->n, account);
        err->sqlstate[0] = '\0'; /* the run's failure: no part of it is tried again */
        return err->code;
    }
    grown = reallocarray(refusals->list, refusals->n + 1, sizeof *grown);
    if (!grown)
        return err_nomem(err);
    refusals->list = grown;
    grown[refusals->n] = (struct refusal){
        .account = account, .reason = strdup(why->detail ? why->detail : why->message)};
    memcpy(grown[refusals->n].sqlstate, why->sqlstate, sizeof why->sqlstate);
    if (!grown[refusals->n].reason)
        return err_nomem(err);
    refusals->n++;
    run_tell(pass->inv, NEWS_DETAIL, "%s: account %" PRId64 " is refused: %s", run->job->name,
             account, why->message);
    return ERR_OK;
}

/* Whether a range lies in an account of which so many rows were refused that the rest is left
 * alone. */
static bool is_hopeless(const struct refusals *refusals, struct batch_key from, struct batch_key to)
{
    const struct refusal *last = refusals->n ? &refusals->list[refusals->n - 1] : NULL;

    return last && last->rows >= ENOUGH && last->account == from.account &&
           last->account == to.account;
}

/* The range cut into parts of so many rows by what is due in it now; a single key where no cut is
   possible. */
static enum err_code cut_range(const struct bisection *b, struct args *args, int64_t rows,
                               struct batch_keys *ret, struct err *err)
{
    struct run counted = {.job = b->run->job};
    struct db *db = b->pass->inv->db;
    enum err_code code = b->tried ? ERR_OK : db_begin(db, DB_CHANGE, err);

    if (code == ERR_OK)
        code = run_cut(b->pass, &counted, args, rows, ret, err);
    if (!b->tried)
        db_rollback(db);
    return code;
}

static enum err_code count_range(const struct bisection *b, struct args *args, int64_t *ret,
                                 struct err *err)
{
    struct batch_keys keys = {0};
    enum err_code code = cut_range(b, args, INT64_MAX, &keys, err);

    *ret = keys.n ? keys.keys[keys.n - 1].due_so_far : 0;
    free(keys.keys);
    return code;
}

/* In the open transaction: the range's changes, or what refuses them and none. */
static enum err_code try_part(const struct bisection *b, struct args *args, struct err *err)
{
    struct db *db = b->pass->inv->db;
    struct written written;
    enum err_code code = db_savepoint(db, err);

    if (code == ERR_OK)
        code = run_steps(b, args, &written, err);
    if (code == ERR_OK) {
        b->tried->changed += written.changed;
        b->tried->recorded += written.recorded;
    } else if (is_refusal(err)) {
        _cleanup_err_ struct err lost = {0};

        if (db_back(db, &lost) != ERR_OK) {
            err_done(err);
            err_move(err, &lost);
        }
    }
    return err->code;
}

static enum err_code bisect(const struct bisection *b, struct args *args, struct batch_key from,
                            struct batch_key to, int64_t rows, struct err *why, struct err *err)
{
    struct batch_keys keys = {0};
    int64_t part = 1;
    enum err_code code = deadline_check(b->pass->inv->deadline, err);

    if (code == ERR_OK && rows == NOT_COUNTED)
        code = count_range(b, args, &rows, err);
    if (rows / PARTS > 1)
        part = rows / PARTS;
    if (code == ERR_OK)
        code = cut_range(b, args, part, &keys, err);
    if (code == ERR_OK && keys.n == 1 && part > 1) { /* less is due than was thought */
        keys.n = 0;
        code = cut_range(b, args, part = 1, &keys, err);
    }
    if (code == ERR_OK && keys.n == 0) /* nothing is due any more: there is nothing to cut */
        code = b->tried ? try_part(b, args, err) : run_batch(b, args, from, to, 0, err);
    if (code == ERR_OK && keys.n == 1) {
        code = refuse(b->pass, b->run, keys.keys[0].account, b->refusals, why, err);
        if (b->tried)
            b->tried->done -= keys.changes;
    }
    for (size_t i = 0; code == ERR_OK && keys.n > 1 && i < keys.n; i++) {
        struct batch_key end = i == keys.n - 1 ? to : keys.keys[i];

        if (!is_hopeless(b->refusals, from, end))
            code = run_part(b, args, from, end, part, err);
        from = end;
    }
    free(keys.keys);
    return code;
}

enum err_code run_part(const struct bisection *b, struct args *args, struct batch_key from,
                       struct batch_key to, int64_t rows, struct err *err)
{
    _cleanup_err_ struct err why = {0};
    struct refusals_mark before = refusals_mark(b->refusals);
    enum err_code code;

    args_range(args, from.account, from.id, to.account, to.id);
    args_int(args, "batch_no", b->run->batches + 1);
    code = b->tried ? try_part(b, args, &why) : run_batch(b, args, from, to, rows, &why);
    if (code == ERR_OK)
        return ERR_OK;
    refusals_back(b->refusals, before);
    if (!b->refusals || !is_refusal(&why)) {
        err_move(err, &why);
        return code;
    }
    code = bisect(b, args, from, to, rows, &why, err);
    args_range(args, from.account, from.id, to.account, to.id);
    return code;
}

static enum err_code settle_one(struct pass *pass, const struct run *run,
                                const struct refusal *refusal, struct err *err)
{
    struct args args = {0};

    pass_args(pass, run, &args);
    args_int(&args, "account_id", refusal->account);
    args_text(&args, "sqlstate", refusal->sqlstate);
    args_text(&args, "reason", refusal->reason);
    return db_run(pass->inv->db, &sql_ledger_set_aside, &args, NULL, NULL, err);
}

void run_count_refusals(struct run *run, const struct refusals *refusals)
{
    const struct refusal *first = refusals->list;

    if (refusals->n && run->set_aside == 0) {
        err_set(&run->err, ERR_SETASIDE,
                "account %" PRId64 " was set aside: the database refuses it (SQLSTATE %s)",
                first->account, first->sqlstate);
        err_detail(&run->err, "%s", first->reason);
        err_hint(&run->err, "\"lapse status\" says why; mend it, every run tries it again");
    }
    run->set_aside += (int64_t)refusals->n;
}

enum err_code run_settle_refusals(struct pass *pass, struct run *run,
                                  const struct refusals *refusals, struct err *err)
{
    struct args args = {0};
    bool unknown;
    enum err_code code = db_begin(pass->inv->db, DB_CHANGE, err);

    pass_args(pass, run, &args);
    for (size_t i = 0; code == ERR_OK && i < refusals->n; i++)
        code = settle_one(pass, run, &refusals->list[i], err);
    if (code == ERR_OK) {
        run_count_refusals(run, refusals);
        code = db_run(pass->inv->db, &sql_ledger_take_back, &args, NULL, NULL, err);
    }
    if (code == ERR_OK)
        code = db_commit(pass->inv->db, &unknown, err);
    if (code != ERR_OK)
        db_rollback(pass->inv->db);
    return code;
}
