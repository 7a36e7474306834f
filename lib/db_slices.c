/* One statement for many ranges of accounts, on several connections that see one state: see db.h.
 */
#define _GNU_SOURCE
#include "db_internal.h"

#include <stdlib.h>
#include <string.h>

#include "ban.h"

/* ---- one state for several connections ---- */

static enum err_code take_snapshot(void *context, const struct db_row *row, struct err *err)
{
    const char *id = db_text(row, 0);
    size_t len = db_len(row, 0);

    /* It has to be pasted into a statement: no parameter is allowed there. */
    if (len == 0 || len >= DB_SNAPSHOT_SIZE || strspn(id, "0123456789ABCDEF-") != len)
        return err_set(err, ERR_INTERNAL, "a snapshot with a strange name");
    memcpy(context, id, len + 1);
    return ERR_OK;
}

enum err_code db_export_snapshot(struct db *db, char ret[static DB_SNAPSHOT_SIZE], struct err *err)
{
    return db_one(db, &sql_session_export_snapshot, NULL, take_snapshot, ret, err);
}

enum err_code db_begin_at(struct db *db, const char *snapshot, struct err *err)
{
    _cleanup_free_ char *text =
        str_format("%s; SET TRANSACTION SNAPSHOT '%s'", sql_session_begin_snapshot.text, snapshot);
    struct sql begin = sql_session_begin_snapshot;

    if (!text)
        return err_nomem(err);
    begin.text = text;
    return db_begin_with(db, &begin, err);
}

/* ---- slices ---- */

/* Sends the statement for slice `i`, which goes to the connection whose turn it is. */
static enum err_code send_slice(const struct db_slices *slices, size_t i, const struct sql *sql,
                                struct args *args, struct err *err)
{
    args_int(args, "from_account", i > 0 ? slices->last[i - 1] : INT64_MIN);
    args_int(args, "to_account", i + 1 < slices->n ? slices->last[i] : INT64_MAX);
    return db_send(slices->dbs[i % slices->n_dbs], sql, args, err);
}

/* Stops what the servers still do for slices from `i` to before `end`. */
static void give_up(const struct db_slices *slices, size_t i, size_t end, const struct sql *sql)
{
    for (; i < end; i++) {
        _cleanup_err_ struct err ignored = {0};
        struct db *db = slices->dbs[i % slices->n_dbs];
        uint64_t rows;

        db_cancel(db);
        if (db_drain(db, sql, NULL, NULL, &rows, &ignored) != ERR_OK)
            err_done(&ignored); /* as it was meant to end */
    }
}

enum err_code db_run_slices(const struct db_slices *slices, const struct sql *sql,
                            const struct args *args, db_row_fn on_row, void *context,
                            struct err *err)
{
    struct args own = *args;
    enum err_code code = ERR_OK;
    size_t sent = 0, read = 0;

    for (; code == ERR_OK && sent < slices->n && sent < slices->n_dbs; sent++)
        code = send_slice(slices, sent, sql, &own, err);
    while (code == ERR_OK && read < slices->n) {
        uint64_t rows;

        code = db_drain(slices->dbs[read % slices->n_dbs], sql, on_row, context, &rows, err);
        read++;
        if (code == ERR_OK && sent < slices->n)
            code = send_slice(slices, sent++, sql, &own, err);
    }
    if (code != ERR_OK)
        give_up(slices, read, sent, sql);
    return code;
}
