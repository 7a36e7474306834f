/* COPY of rows into the database: see db.h. */
#define _GNU_SOURCE
#include "db_error.h"
#include "db_internal.h"

#include <endian.h>
#include <poll.h>

#include "ban.h"

enum { COPY_BLOCK = 64 * 1024 };

/* Numbers go with their most significant byte first. */
static void add_number(struct strbuf *row, int64_t value, size_t size)
{
    uint64_t bytes = htobe64((uint64_t)value << (64 - 8 * size));

    sb_add(row, (const char *)&bytes, size);
}

void db_copy_null(struct strbuf *row)
{
    add_number(row, -1, 4);
}

void db_copy_text(struct strbuf *row, const char *text, size_t len)
{
    if (!text) {
        db_copy_null(row);
        return;
    }
    add_number(row, (int64_t)len, 4);
    sb_add(row, text, len);
}

void db_copy_bool(struct strbuf *row, bool value)
{
    add_number(row, 1, 4);
    add_number(row, value, 1);
}

void db_copy_int(struct strbuf *row, int64_t value)
{
    add_number(row, 8, 4);
    add_number(row, value, 8);
}

void db_copy_instant(struct strbuf *row, int64_t micros)
{
    static const int64_t from_1970_to_2000 = INT64_C(946684800000000);

    db_copy_int(row, micros - from_1970_to_2000);
}

enum err_code db_copy_begin(struct db *db, const struct sql *sql, struct err *err)
{
    PGresult *result = NULL, *end;
    static const char head[19] = "PGCOPY\n\377\r\n"; /* then no flags, and nothing more of it */
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
        db->columns = PQnfields(result);
        sb_reset(&db->rows);
        sb_add(&db->rows, head, sizeof head);
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

enum err_code db_copy_row(struct db *db, const struct strbuf *row, struct err *err)
{
    if (row->failed)
        return err_nomem(err);
    add_number(&db->rows, db->columns, 2);
    sb_add(&db->rows, row->text, row->len);
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
    add_number(&db->rows, -1, 2);
    if (!give_up)
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
