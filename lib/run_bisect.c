/* What the database refuses does not stop the rest: a batch that fails is cut into ever smaller
   ones, down to the account that is refused. */
#define _GNU_SOURCE
#include "run_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ban.h"

/* How many rows of one account are found refused before the rest of it is left alone. */
enum { ENOUGH = 16 };

bool is_refusal(const struct err *err)
{
    static const char *const classes[] = {"22", "23", "27", "38", "39", "44", "P0"};

    for (size_t i = 0; i < COUNT(classes); i++)
        if (strncmp(err->sqlstate, classes[i], 2) == 0)
            return true;
    return false;
}

void refusals_done(struct refusals *refusals)
{
    for (size_t i = 0; i < refusals->n; i++)
        free(refusals->list[i].reason);
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
static enum err_code cut_range(struct pass *pass, const struct run *run, struct args *args,
                               int64_t rows, struct batch_keys *ret, struct err *err)
{
    struct run counted = {.job = run->job};
    enum err_code code = db_begin(pass->inv->db, DB_CHANGE, err);

    args_int(args, "batch_rows", rows);
    if (code == ERR_OK)
        code = run_cut(pass, &counted, args, ret, err);
    db_rollback(pass->inv->db);
    args_int(args, "batch_rows", conf_int(pass->inv->request->conf, "database", "batch_rows"));
    return code;
}

/* Into how many a failed batch of so many rows is cut. A large one into many, so that little of it
   is tried twice; a small one into few, since there each try costs more than its rows. */
static int64_t parts_of(int64_t rows)
{
    return rows > 1000 ? 16 : 4;
}

enum err_code run_bisect(struct pass *pass, struct run *run, struct args *args,
                         const struct guard *guard, struct batch_key from, struct batch_key to,
                         int64_t rows, struct refusals *refusals, struct err *why, struct err *err)
{
    struct batch_keys keys = {0};
    int64_t part = rows / parts_of(rows) > 1 ? rows / parts_of(rows) : 1;
    enum err_code code = deadline_check(pass->inv->deadline, err);

    if (code == ERR_OK)
        code = cut_range(pass, run, args, part, &keys, err);
    if (code == ERR_OK && keys.n == 1 && part > 1) { /* less is due than was thought */
        keys.n = 0;
        code = cut_range(pass, run, args, part = 1, &keys, err);
    }
    if (code == ERR_OK && keys.n == 1)
        code = refuse(pass, run, keys.keys[0].account, refusals, why, err);
    for (size_t i = 0; code == ERR_OK && keys.n > 1 && i < keys.n; i++) {
        _cleanup_err_ struct err part_why = {0};
        struct batch_key end = i == keys.n - 1 ? to : keys.keys[i];

        if (is_hopeless(refusals, from, end)) {
            from = end;
            continue;
        }
        args_range(args, from.account, from.id, end.account, end.id);
        args_int(args, "batch_no", run->batches + 1);
        code = run_batch(pass, run, args, guard, &part_why);
        if (code != ERR_OK && is_refusal(&part_why))
            code = run_bisect(pass, run, args, guard, from, end, part, refusals, &part_why, err);
        else if (code != ERR_OK)
            err_move(err, &part_why);
        from = end;
    }
    free(keys.keys);
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

enum err_code run_settle_refusals(struct pass *pass, struct run *run,
                                  const struct refusals *refusals, struct err *err)
{
    struct args args = {0};
    bool unknown;
    enum err_code code = db_begin(pass->inv->db, DB_CHANGE, err);

    pass_args(pass, run, &args);
    for (size_t i = 0; code == ERR_OK && i < refusals->n; i++) {
        const struct refusal *refusal = &refusals->list[i];

        code = settle_one(pass, run, refusal, err);
        if (run->set_aside++ == 0) {
            err_set(&run->err, ERR_SETASIDE,
                    "account %" PRId64 " was set aside: the database refuses "
                    "it (SQLSTATE %s)",
                    refusal->account, refusal->sqlstate);
            err_detail(&run->err, "%s", refusal->reason);
            err_hint(&run->err, "\"lapse status\" says why; mend it, every run tries it again");
        }
    }
    if (code == ERR_OK)
        code = db_run(pass->inv->db, &sql_ledger_take_back, &args, NULL, NULL, err);
    if (code == ERR_OK)
        code = db_commit(pass->inv->db, &unknown, err);
    if (code != ERR_OK)
        db_rollback(pass->inv->db);
    return code;
}
