/* The audit chain: see audit.h. */
#define _GNU_SOURCE
#include "audit.h"

#include <inttypes.h>
#include <string.h>

#include "ban.h"

struct checker {
    audit_found *found;
    void *context;
    struct audit_result *result;
    int64_t chain_no;
    char digest[65]; /* of the batch before */
};

static void tell(struct checker *checker, int64_t run_id, const char *finding)
{
    if (checker->result->findings++ == 0)
        checker->result->first_run = run_id;
    if (checker->found)
        checker->found(checker->context, run_id, finding);
}

static void tell_batch(struct checker *checker, int64_t run_id, int64_t batch_no, const char *what)
{
    char finding[128];

    snprintf(finding, sizeof finding, "batch %" PRId64 ": %s", batch_no, what);
    tell(checker, run_id, finding);
}

static void keep_digest(char kept[static 65], const char *digest)
{
    snprintf(kept, 65, "%s", digest);
}

static enum err_code take_batch(void *context, const struct db_row *row, _unused_ struct err *err)
{
    struct checker *checker = context;
    int64_t chain_no = db_int(row, 0), run_id = db_int(row, 1), batch_no = db_int(row, 2);
    int64_t sealed = db_int(row, 3), found = db_int(row, 6);
    const char *digest = db_text(row, 4), *previous = db_text(row, 5);
    char text[96];

    checker->result->batches++;
    checker->result->changes += found;
    if (chain_no != checker->chain_no + 1)
        tell_batch(checker, run_id, batch_no, "batches before it are missing from the chain");
    else if (strcmp(previous, checker->digest) != 0)
        tell_batch(checker, run_id, batch_no, "it does not follow the batch before it");
    if (found != sealed) {
        snprintf(text, sizeof text, "%" PRId64 " rows were sealed, %" PRId64 " are there", sealed,
                 found);
        tell_batch(checker, run_id, batch_no, text);
    } else if (strcmp(digest, db_text(row, 7)) != 0) {
        tell_batch(checker, run_id, batch_no, "its rows are not those that were sealed");
    }
    checker->chain_no = chain_no;
    keep_digest(checker->digest, digest);
    return ERR_OK;
}

static enum err_code take_stray(void *context, const struct db_row *row, _unused_ struct err *err)
{
    tell(context, db_int(row, 0), db_text(row, 1));
    return ERR_OK;
}

static enum err_code take_end(void *context, const struct db_row *row, _unused_ struct err *err)
{
    struct checker *checker = context;

    keep_digest(checker->result->head, db_text(row, 1));
    if (db_int(row, 0) != checker->chain_no || strcmp(db_text(row, 1), checker->digest) != 0)
        tell(checker, 0,
             "the chain does not end where its head says: its last batches are missing");
    return ERR_OK;
}

static enum err_code verdict(const struct audit_result *result, struct err *err)
{
    if (result->findings == 0)
        return ERR_OK;
    if (result->first_run)
        err_set(err, ERR_CHECKSUM, "the audit of run %" PRId64 " is not what was sealed",
                result->first_run);
    else
        err_set(err, ERR_CHECKSUM, "the audit chain is broken");
    err_hint(err, "somebody has written into lapse.changes or lapse.batches past the runner: "
                  "compare with a backup, and look at who may (\"lapse check\")");
    return err->code;
}

enum err_code audit_verify(struct db *db, audit_found *found, void *context,
                           struct audit_result *ret, struct err *err)
{
    struct checker checker = {.found = found, .context = context, .result = ret};
    enum err_code code = db_begin(db, DB_SNAPSHOT, err);

    *ret = (struct audit_result){0};
    memset(checker.digest, '0', 64);
    if (code == ERR_OK)
        code = db_run(db, &sql_ledger_chain_check, NULL, take_batch, &checker, err);
    if (code == ERR_OK)
        code = db_one(db, &sql_ledger_chain_end, NULL, take_end, &checker, err);
    if (code == ERR_OK)
        code = db_run(db, &sql_ledger_chain_strays, NULL, take_stray, &checker, err);
    db_rollback(db);
    return code == ERR_OK ? verdict(ret, err) : code;
}

enum err_code audit_knows(struct db *db, const char *digest, bool *ret_known, struct err *err)
{
    struct args args = {0};
    int64_t known = 0;
    enum err_code code;

    args_text(&args, "digest", digest);
    code = db_ints_alone(db, &sql_ledger_chain_knows, &args, 1, &known, err);
    *ret_known = known > 0;
    return code;
}
