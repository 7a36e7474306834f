/* What db.c and db_copy.c share: the connection, and how it is waited for. */
#ifndef LAPSE_DB_INTERNAL_H
#define LAPSE_DB_INTERNAL_H

#include <libpq-fe.h>
#include "db.h"

struct db {
    PGconn *conn;
    const struct deadline *deadline;
    bool in_transaction;
    const struct sql *copying; /* the COPY that is under way, or NULL */
    int columns;               /* of it */
    struct strbuf rows;        /* of it, not sent yet */
};

/* libpq gave up: the connection's own words, with the statement's file. ERR_TEMP. */
enum err_code db_fail_conn(struct db *db, const struct sql *sql, struct err *err);

/* Waits until the socket is ready for what is wanted (poll's events), the deadline or a signal. */
enum err_code db_wait(struct db *db, short events, struct err *err) _must_check_;

/* Sends what libpq has queued, taking in what comes meanwhile. */
enum err_code db_flush(struct db *db, const struct sql *sql, struct err *err) _must_check_;

/* Opens a transaction by another statement than the usual ones. */
enum err_code db_begin_with(struct db *db, const struct sql *begin, struct err *err) _must_check_;

/* Sends a statement; its rows are to be read by db_drain. */
enum err_code db_send(struct db *db, const struct sql *sql, const struct args *args,
                      struct err *err) _must_check_;

/* Asks the server to stop what it does for us; what it says then is still to be read. */
void db_cancel(struct db *db);

/* The next result, NULL when the statement is over. */
enum err_code db_next_result(struct db *db, const struct sql *sql, PGresult **ret,
                             struct err *err) _must_check_;

/* Reads everything the server says about the statement that was sent; the first error wins. */
enum err_code db_drain(struct db *db, const struct sql *sql, db_row_fn on_row, void *context,
                       uint64_t *ret_rows, struct err *err) _must_check_;

#endif
