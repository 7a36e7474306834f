/* COPY of rows into the database: see db.h. */
#define _GNU_SOURCE
#include "db_error.h"
#include "db_internal.h"

#include <poll.h>

#include "ban.h"

enum { COPY_BLOCK = 64 * 1024 };

void db_copy_text(struct strbuf *line, const char *text, size_t len)
{
    size_t from = 0;

    if (!text) {
        sb_add(line, "\\N", 2);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        const char *escaped = text[i] == '\\'   ? "\\\\"
                              : text[i] == '\t' ? "\\t"
                              : text[i] == '\n' ? "\\n"
                              : text[i] == '\r' ? "\\r"
                                                : NULL;

        if (!escaped)
            continue;
        sb_add(line, text + from, i - from);
        sb_add(line, escaped, 2);
        from = i + 1;
    }
    sb_add(line, text + from, len - from);
}

enum err_code db_copy_begin(struct db *db, const struct sql *sql, struct err *err)
{
    PGresult *result = NULL, *end;
    enum err_code code = deadline_check(db->deadline, err);

    if (code != ERR_OK)
        return code;
    if (!PQsendQuery(db->conn, sql->text))
        return db_fail_conn(db, sql, err);
    code = db_flush(db, sql, err);
    if (code == ERR_OK)
        code = db_next_result(db, sql, &result, err);
    if (code != ERR_OK)
        return code;
    if (PQresultStatus(result) == PGRES_COPY_IN) {
        db->copying = sql;
        sb_reset(&db->rows);
        PQclear(result);
        return ERR_OK;
    }
    code = db_fail_result(result, sql, err);
    PQclear(result);
    while ((end = PQgetResult(db->conn)) != NULL)
        PQclear(end);
    return code;
}

/* Everything so far to the server: libpq would keep what is not taken, without a bound. */
static enum err_code copy_send(struct db *db, struct err *err)
{
    const char *rows = sb_text(&db->rows);
    enum err_code code = deadline_check(db->deadline, err);
    int queued;

    if (code == ERR_OK && !rows)
        code = err_nomem(err);
    while (code == ERR_OK && (queued = PQputCopyData(db->conn, rows, (int)db->rows.len)) <= 0) {
        if (queued < 0)
            return db_fail_conn(db, db->copying, err);
        code = db_wait(db, POLLIN | POLLOUT, err);
        if (code == ERR_OK && !PQconsumeInput(db->conn))
            return db_fail_conn(db, db->copying, err);
    }
    if (code == ERR_OK)
        code = db_flush(db, db->copying, err);
    sb_reset(&db->rows);
    return code;
}

enum err_code db_copy_row(struct db *db, const char *line, size_t len, struct err *err)
{
    sb_add(&db->rows, line, len);
    sb_add(&db->rows, "\n", 1);
    return db->rows.failed || db->rows.len >= COPY_BLOCK ? copy_send(db, err) : ERR_OK;
}

enum err_code db_copy_end(struct db *db, struct err *err)
{
    _cleanup_err_ struct err ignored = {0};
    bool give_up = err->code != ERR_OK;
    struct err *told = give_up ? &ignored : err;
    const struct sql *sql = db->copying;
    enum err_code code = ERR_OK;
    uint64_t rows;
    int queued;

    if (!sql)
        return err->code;
    if (!give_up && db->rows.len)
        code = copy_send(db, told);
    give_up = give_up || code != ERR_OK;
    db->copying = NULL;
    sb_reset(&db->rows);
    while ((queued = PQputCopyEnd(db->conn, give_up ? "given up" : NULL)) == 0)
        if (db_wait(db, POLLOUT, told) != ERR_OK)
            return err->code;
    if (queued < 0)
        return db_fail_conn(db, sql, err);
    if (db_flush(db, sql, give_up ? &ignored : told) == ERR_OK)
        code = db_drain(db, sql, NULL, NULL, &rows, give_up ? &ignored : told);
    return err->code;
}
