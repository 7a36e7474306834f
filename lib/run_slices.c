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
    bool refused;           /* a further connection: it is not asked for again */
    const struct sql *cut;  /* what gave the ends: NULL before there are some */
    struct range_ends ends; /* of the slices */
};

static const char *conninfo_of(const struct pass *pass)
{
    return conf_text(pass->inv->request->conf, "database",
                     pass->inv->reader ? "report_conninfo" : "conninfo");
}

/* A replica has the reports of the jobs that change nothing; those of the others are then read
 * whole. */
static bool has_large_reports(const struct pass *pass)
{
    for (size_t i = 0; i < pass->n; i++)
        for (const struct report_table *table = pass->runs[i].job->tables; table && table->columns;
             table++)
            if (table->slices && pass->runs[i].state == RUN_APPLIED &&
                (!pass->inv->reader || pass->runs[i].job->kind == JOB_REPORT))
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

/* After an error the other connections' transactions may have failed with it: the next report
   begins anew. */
static void close_others(struct slices *slices)
{
    while (slices->n_dbs > 1)
        db_close(slices->dbs[--slices->n_dbs]);
    slices->cut = NULL;
    slices->refused = false;
}

void slices_end(struct invocation *inv)
{
    struct slices *slices = TAKE_PTR(inv->slices);

    if (!slices)
        return;
    close_others(slices);
    free(slices->ends.last);
    free(slices);
}

/* As many connections as there is something to do for. Where one cannot be had, the reports are
   read with those that are there. */
static void open_connections(struct pass *pass, struct slices *slices)
{
    int64_t wanted = conf_int(pass->inv->request->conf, "database", "report_connections");

    while (!slices->refused && slices->n_dbs < (size_t)wanted && slices->n_dbs < slices->ends.n) {
        _cleanup_err_ struct err why = {0};
        _cleanup_db_ struct db *db = NULL;

        if (db_open(&db, conninfo_of(pass), pass->inv->deadline, &why) != ERR_OK ||
            db_begin_at(db, slices->snapshot, &why) != ERR_OK ||
            db_one(db, &sql_session_read_slices, NULL, NULL, NULL, &why) != ERR_OK) {
            run_tell(pass->inv, NEWS_NOTE, "reports are read on %zu connection%s, not %lld: %s",
                     slices->n_dbs, slices->n_dbs == 1 ? "" : "s", (long long)wanted, why.message);
            slices->refused = true;
        } else {
            slices->dbs[slices->n_dbs++] = TAKE_PTR(db);
        }
    }
}

/* Where the accounts are cut, once for tables behind each other that are cut alike. */
static enum err_code cut_slices(struct slices *slices, const struct sql *cut,
                                const struct args *args, struct err *err)
{
    struct args own = *args;

    if (slices->cut == cut)
        return ERR_OK;
    slices->cut = NULL;
    slices->ends.n = 0;
    args_int(&own, "slice_rows", SLICE_ROWS);
    if (db_run(slices->dbs[0], cut, &own, take_range_end, &slices->ends, err) == ERR_OK)
        slices->cut = cut;
    return err->code;
}

static enum err_code run_in_slices(struct pass *pass, struct slices *slices,
                                   const struct sql *query, const struct args *args,
                                   db_row_fn on_row, void *context, struct err *err)
{
    struct db_slices dbs;

    open_connections(pass, slices);
    if (slices->n_dbs < 2)
        return db_run(slices->dbs[0], query, args, on_row, context, err);
    dbs = (struct db_slices){slices->dbs, slices->n_dbs, slices->ends.last, slices->ends.n};
    if (db_one(slices->dbs[0], &sql_session_read_slices, NULL, NULL, NULL, err) != ERR_OK ||
        db_run_slices(&dbs, query, args, on_row, context, err) != ERR_OK)
        return err->code;
    return db_run(slices->dbs[0], &sql_session_read_whole, NULL, NULL, NULL, err);
}

enum err_code slices_run(struct pass *pass, struct db *db, const struct report_table *table,
                         const struct args *args, db_row_fn on_row, void *context, struct err *err)
{
    struct slices *slices = pass->inv->slices;

    if (!slices || slices->dbs[0] != db || !table->slices)
        return db_run(db, table->query, args, on_row, context, err);
    if (cut_slices(slices, table->slices, args, err) != ERR_OK)
        return err->code;
    if (slices->ends.n < 2)
        return db_run(db, table->query, args, on_row, context, err);
    if (run_in_slices(pass, slices, table->query, args, on_row, context, err) != ERR_OK)
        close_others(slices);
    return err->code;
}
