/* The database: the only user of libpq.
 *
 *     db_open(&db, conninfo, &deadline, &err)
 *     db_begin(db, DB_CHANGE, &err)
 *     db_run(db, &sql_end_trials_end, &args, on_row, context, &err)     as often as needed
 *     db_commit(db, &err)                                               or db_rollback(db)
 *     db_close(db)
 *
 * Every call is non-blocking inside and ends at the deadline, or when a signal has come: then the
 * running statement is cancelled at the server and the error is ERR_TEMP or ERR_SIGNAL. Rows are
 * streamed one by one (single-row mode); a result set is never held. What a session needs is set
 * per transaction (SET LOCAL), so that a transaction-pooling proxy may stand between.
 *
 * Errors of the server carry SQLSTATE, the statement's file and line, DETAIL and HINT. Their code:
 * classes 08, 40, 53, 55P03, 57014, 57P0x: ERR_TEMP; 42501, 28xxx: ERR_NOPERM; missing tables and
 * columns: ERR_CONFIG; a server that cannot be reached, or only reads: ERR_UNAVAILABLE; the rest:
 * ERR_INTERNAL. After any error inside a transaction, only db_rollback and db_close make sense.
 */
#ifndef LAPSE_DB_H
#define LAPSE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "args.h"
#include "deadline.h"
#include "err.h"
#include "sql.h"
#include "util.h"

struct db;

enum db_mode {
    DB_CHANGE,   /* READ COMMITTED: each statement sees what was committed before it */
    DB_SNAPSHOT, /* REPEATABLE READ READ ONLY: all statements see one state */
};

/* A row on its way through: valid inside the callback. */
struct db_row;
const char *db_text(const struct db_row *row, int column); /* NULL for SQL NULL */
size_t db_len(const struct db_row *row, int column);       /* bytes; 0 for SQL NULL */
int db_columns(const struct db_row *row);
int db_column(const struct db_row *row, const char *name); /* -1: no such column */
/* "bigint", "text", "timestamptz", ...: of the types that statements of ours give. */
const char *db_column_type(const struct db_row *row, int column);
const char *db_column_name(const struct db_row *row, int column);
int64_t db_int(const struct db_row *row, int column); /* of a whole number; NULL is 0 */

typedef enum err_code (*db_row_fn)(void *context, const struct db_row *row, struct err *err);

/* Opens a connection. ERR_UNAVAILABLE, ERR_NOPERM (wrong password), ERR_TEMP (starting up, full).
 */
enum err_code db_open(struct db **ret, const char *conninfo, const struct deadline *deadline,
                      struct err *err) _must_check_;
void db_close(struct db *db); /* NULL is nothing */
void db_closep(struct db **db);
#define _cleanup_db_ _cleanup_(db_closep)

/* ERR_TEMP where the connection is gone (NULL). */
enum err_code db_begin(struct db *db, enum db_mode mode, struct err *err) _must_check_;

/* Commits. ERR_TEMP with `*ret_unknown` true: the connection broke while the answer was under way,
   so the transaction may or may not stand; read the ledger on a new connection to know. */
enum err_code db_commit(struct db *db, bool *ret_unknown, struct err *err) _must_check_;

/* Rolls back whatever is open. Cannot fail: a broken connection has rolled back already. */
void db_rollback(struct db *db); /* NULL is nothing */

bool db_in_transaction(const struct db *db);

/* Runs one statement inside the transaction. `on_row` may be NULL where rows are of no interest;
   its error ends the statement. Every parameter the statement names must be in `args` (NULL where
   it names none). */
enum err_code db_run(struct db *db, const struct sql *sql, const struct args *args,
                     db_row_fn on_row, void *context, struct err *err) _must_check_;

/* Runs a statement that must give exactly one row. */
enum err_code db_one(struct db *db, const struct sql *sql, const struct args *args,
                     db_row_fn on_row, void *context, struct err *err) _must_check_;

/* Runs a statement that must give exactly one row of n whole numbers (NULL is 0). */
enum err_code db_ints(struct db *db, const struct sql *sql, const struct args *args, int n,
                      int64_t *ret, struct err *err) _must_check_;

/* The same in a transaction of its own. */
enum err_code db_ints_alone(struct db *db, const struct sql *sql, const struct args *args, int n,
                            int64_t *ret, struct err *err) _must_check_;

/* db_run in a transaction of its own. */
enum err_code db_run_alone(struct db *db, const struct sql *sql, const struct args *args,
                           db_row_fn on_row, void *context, struct err *err) _must_check_;

/* A large result in slices: ranges of accounts, each asked for on the next of several connections,
   all of which see one state; rows come in the order of the slices. While one answer is read, the
   other servers work out theirs. */
struct db_slices {
    struct db *const *dbs;
    size_t n_dbs;
    const int64_t
        *last; /* the last account of each slice; that of the last slice is not looked at */
    size_t n;
};

#define DB_SNAPSHOT_SIZE 64

/* The state that `db`, in a DB_SNAPSHOT without a savepoint, sees; and another connection's
   transaction that sees it, as long as that one is open. */
enum err_code db_export_snapshot(struct db *db, char ret[static DB_SNAPSHOT_SIZE],
                                 struct err *err) _must_check_;
enum err_code db_begin_at(struct db *db, const char *snapshot, struct err *err) _must_check_;

/* As db_run, for every slice, which the statement knows by from_account and to_account. After an
   error nothing is under way on any connection that is not lost. */
enum err_code db_run_slices(const struct db_slices *slices, const struct sql *sql,
                            const struct args *args, db_row_fn on_row, void *context,
                            struct err *err) _must_check_;

/* COPY FROM STDIN (FORMAT binary), inside the transaction: begin, as many rows as there are, end. A
   row has a field for every column, of its very type: the functions below append one. What is sent
   waits for the server, never in memory. After an error only db_copy_end is left: given an error in
   `err` it gives the COPY up, and the transaction with it. */
enum err_code db_copy_begin(struct db *db, const struct sql *sql, struct err *err) _must_check_;
enum err_code db_copy_row(struct db *db, const struct strbuf *row, struct err *err) _must_check_;
enum err_code db_copy_end(struct db *db, struct err *err);

void db_copy_null(struct strbuf *row);
void db_copy_text(struct strbuf *row, const char *text, size_t len); /* text NULL: NULL */
void db_copy_bool(struct strbuf *row, bool value);
void db_copy_int(struct strbuf *row, int64_t value);      /* bigint */
void db_copy_instant(struct strbuf *row, int64_t micros); /* timestamptz: since 1970 */

/* A part of the transaction that may fail alone: after db_savepoint, db_back undoes what came since
   and makes the transaction usable again. */
enum err_code db_savepoint(struct db *db, struct err *err) _must_check_;
enum err_code db_back(struct db *db, struct err *err) _must_check_;

/* Runs one migration: several statements, no parameters. */
enum err_code db_script(struct db *db, const struct sql *sql, struct err *err) _must_check_;

/* Has the server parse and plan a statement without running it, and tells the type of each column
   of its result ("int8", "text", ...) and its name. */
typedef enum err_code (*db_column_fn)(void *context, const char *name, const char *type,
                                      struct err *err);
enum err_code db_describe(struct db *db, const struct sql *sql, db_column_fn on_column,
                          void *context, struct err *err) _must_check_;

/* Waits until a statement that failed with ERR_TEMP may be tried again: 50 to 400 ms, by chance. */
enum err_code db_backoff(const struct deadline *deadline, int attempt,
                         struct err *err) _must_check_;

/* True for deadlock and serialization failure: the whole transaction may be tried again. */
bool db_may_retry(const struct err *err);

/* True where the connection is gone, or was never there (NULL). */
bool db_is_lost(const struct db *db);

/* Facts about the connection, for `lapse check`: server version number, host or socket, database,
   user. Borrowed. */
int db_server_version(const struct db *db);
const char *db_host(const struct db *db);
const char *db_name(const struct db *db);
const char *db_user(const struct db *db);

#endif
