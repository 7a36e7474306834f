/* Large reports are read in slices of accounts, on as many connections as are set, all under the
 * snapshot that the reports have. The bytes are the same however many there are. */
#define _GNU_SOURCE
#include "run_internal.h"

#include <stdlib.h>

#include "ban.h"

enum { SLICE_ROWS = 20000, CONNECTIONS_MAX = 16 };

struct slices {
    char snapshot[DB_SNAPSHOT_SIZE];
    struct db *dbs[CONNECTIONS_MAX]; /* the first is that of the snapshot, borrowed */
    size_t n_dbs;
    bool opened;
    struct range_ends ends[SLICES_KINDS]; /* of the slices; none before they are cut */
};

static const char *conninfo_of(const struct pass *pass)
{
    return conf_text(pass->inv->request->conf, "database",
                     pass->inv->reader ? "report_conninfo" : "conninfo");
}

static bool has_large_reports(const struct pass *pass)
{
    for (size_t i = 0; i < pass->n; i++)
        for (const struct report_table *table = pass->runs[i].job->tables; table && table->columns;
             table++)
            if (table->slices && pass->runs[i].state == RUN_APPLIED)
                return true;
    return false;
}

enum err_code slices_begin(struct pass *pass, struct err *err)
{
    struct invocation *inv = pass->inv;
    struct slices *slices;

    if (conf_int(inv->request->conf, "database", "report_connections") < 2 ||
        !has_large_reports(pass))
        return ERR_OK;
    slices = calloc(1, sizeof *slices);
    if (!slices)
        return err_nomem(err);
    inv->slices = slices;
    slices->dbs[slices->n_dbs++] = inv->reader ? inv->reader : inv->db;
    if (db_export_snapshot(slices->dbs[0], slices->snapshot, err) != ERR_OK)
        err_hint(err, "where the server cannot share a snapshot, set [database] "
                      "report_connections = 1");
    return err->code;
}

/* After an error the other connections' transactions may have failed with it, and what was set on
   the first is undone with its savepoint: the next report begins anew. */
static void close_others(struct slices *slices)
{
    while (slices->n_dbs > 1)
        db_close(slices->dbs[--slices->n_dbs]);
    slices->opened = false;
}

void slices_end(struct invocation *inv)
{
    struct slices *slices = TAKE_PTR(inv->slices);

    if (!slices)
        return;
    close_others(slices);
    for (size_t i = 0; i < SLICES_KINDS; i++)
        free(slices->ends[i].last);
    free(slices);
}

/* The other connections, once there is something for them to do. Where one cannot be had, the
   report is read with those that are there. */
static enum err_code open_connections(struct pass *pass, struct slices *slices, size_t useful,
                                      struct err *err)
{
    int64_t wanted = conf_int(pass->inv->request->conf, "database", "report_connections");

    slices->opened = true;
    if (db_one(slices->dbs[0], &sql_session_read_slices, NULL, NULL, NULL, err) != ERR_OK)
        return err->code;
    while (slices->n_dbs < (size_t)wanted && slices->n_dbs < useful) {
        _cleanup_err_ struct err why = {0};
        _cleanup_db_ struct db *db = NULL;

        if (db_open(&db, conninfo_of(pass), pass->inv->deadline, &why) != ERR_OK ||
            db_begin_at(db, slices->snapshot, &why) != ERR_OK ||
            db_one(db, &sql_session_read_slices, NULL, NULL, NULL, &why) != ERR_OK) {
            run_tell(pass->inv, NEWS_NOTE, "reports are read on %zu connection%s, not %lld: %s",
                     slices->n_dbs, slices->n_dbs == 1 ? "" : "s", (long long)wanted, why.message);
            return ERR_OK;
        }
        slices->dbs[slices->n_dbs++] = TAKE_PTR(db);
    }
    return ERR_OK;
}

/* Where the accounts are cut, once for all reports that are cut alike. */
static enum err_code cut_slices(struct slices *slices, enum report_slices kind,
                                const struct args *args, struct range_ends **ret, struct err *err)
{
    static const struct sql *const cut[] = {
        [SLICES_BY_LICENSES] = &sql_ledger_license_slices,
        [SLICES_BY_CHANGES] = &sql_ledger_change_slices,
    };
    struct args own = *args;

    *ret = &slices->ends[kind];
    if ((*ret)->n > 0)
        return ERR_OK;
    args_int(&own, "slice_rows", SLICE_ROWS);
    return db_run(slices->dbs[0], cut[kind], &own, take_range_end, *ret, err);
}

enum err_code slices_run(struct pass *pass, struct db *db, const struct report_table *table,
                         const struct args *args, db_row_fn on_row, void *context, struct err *err)
{
    struct slices *slices = pass->inv->slices;
    struct range_ends *ends;

    if (!slices || slices->dbs[0] != db || !table->slices)
        return db_run(db, table->query, args, on_row, context, err);
    if (cut_slices(slices, table->slices, args, &ends, err) != ERR_OK)
        return err->code;
    if (ends->n < 2)
        return db_run(db, table->query, args, on_row, context, err);
    if (!slices->opened && open_connections(pass, slices, ends->n, err) != ERR_OK)
        return err->code;
    if (db_run_slices(&(struct db_slices){slices->dbs, slices->n_dbs, ends->last, ends->n},
                      table->query, args, on_row, context, err) != ERR_OK)
        close_others(slices);
    return err->code;
}
