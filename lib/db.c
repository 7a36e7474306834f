/* The database: see db.h. */
#define _GNU_SOURCE
#include "db.h"
#include "db_error.h"
#include "db_internal.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ban.h"

struct db_row {
    const PGresult *result;
    int number;
};

const char *db_text(const struct db_row *row, int column)
{
    if (PQgetisnull(row->result, row->number, column))
        return NULL;
    return PQgetvalue(row->result, row->number, column);
}

size_t db_len(const struct db_row *row, int column)
{
    return (size_t)PQgetlength(row->result, row->number, column);
}

int db_columns(const struct db_row *row)
{
    return PQnfields(row->result);
}

int db_column(const struct db_row *row, const char *name)
{
    return PQfnumber(row->result, name);
}

/* The types that results of ours may have; anything else is told by its number. */
static const char *type_name(Oid oid)
{
    switch (oid) {
    case 16:
        return "boolean";
    case 20:
        return "bigint";
    case 21:
        return "smallint";
    case 23:
        return "integer";
    case 25:
        return "text";
    case 1082:
        return "date";
    case 1184:
        return "timestamptz";
    case 1700:
        return "numeric";
    case 3802:
        return "jsonb";
    default:
        return "another type";
    }
}

const char *db_column_type(const struct db_row *row, int column)
{
    return type_name(PQftype(row->result, column));
}

const char *db_column_name(const struct db_row *row, int column)
{
    return PQfname(row->result, column);
}

int64_t db_int(const struct db_row *row, int column)
{
    const char *text = db_text(row, column);
    int64_t value = 0;

    if (text && !parse_int64(text, INT64_MIN, INT64_MAX, &value))
        return 0;
    return value;
}

enum err_code db_fail_conn(struct db *db, const struct sql *sql, struct err *err)
{
    const char *message = PQerrorMessage(db->conn);
    int len = (int)strcspn(message, "\n");

    err_set(err, ERR_TEMP, "%s: %.*s", sql->file, len ? len : 23,
            len ? message : "the connection was lost");
    err_hint(err, "%s", db_hint(ERR_TEMP));
    return err->code;
}

enum { CANCEL_S = 1 };

/* Asks the server to stop what it does for us. libpq waits for the answer, so the watchdog is set
   to bite soon where the server says nothing any more. */
void db_cancel(struct db *db)
{
    _cleanup_err_ struct err ignored = {0};
    PGcancel *handle = PQgetCancel(db->conn);
    struct deadline soon = deadline_in(CANCEL_S);
    char reason[256];

    if (soon.end_ns < db->deadline->end_ns && deadline_watch(&soon, &ignored) != ERR_OK)
        err_done(&ignored);
    if (handle && PQstatus(db->conn) == CONNECTION_OK)
        PQcancel(handle, reason, sizeof reason);
    PQfreeCancel(handle);
    if (deadline_watch(db->deadline, &ignored) != ERR_OK)
        err_done(&ignored);
}

/* Waits until the socket is ready for what is wanted. */
enum err_code db_wait(struct db *db, short events, struct err *err)
{
    struct pollfd fd = {.fd = PQsocket(db->conn), .events = events};
    enum err_code code = deadline_check(db->deadline, err);

    if (code != ERR_OK)
        return code;
    if (fd.fd < 0)
        return err_set(err, ERR_TEMP, "the connection was lost");
    for (;;) {
        int ready = poll(&fd, 1, deadline_left_ms(db->deadline));

        if (ready > 0)
            return ERR_OK;
        if (ready < 0 && errno != EINTR)
            return err_sys(err, ERR_INTERNAL, errno, "could not wait for the database");
        code = deadline_check(db->deadline, err);
        if (code != ERR_OK)
            return code;
    }
}

enum err_code db_flush(struct db *db, const struct sql *sql, struct err *err)
{
    int state;

    while ((state = PQflush(db->conn)) > 0) {
        enum err_code code = db_wait(db, POLLIN | POLLOUT, err);

        if (code != ERR_OK)
            return code;
        if (!PQconsumeInput(db->conn))
            return db_fail_conn(db, sql, err);
    }
    return state < 0 ? db_fail_conn(db, sql, err) : ERR_OK;
}

/* The next result, or NULL when the statement is over; waits without blocking. */
enum err_code db_next_result(struct db *db, const struct sql *sql, PGresult **ret, struct err *err)
{
    while (PQisBusy(db->conn)) {
        enum err_code code = db_wait(db, POLLIN, err);

        if (code != ERR_OK)
            return code;
        if (!PQconsumeInput(db->conn))
            return db_fail_conn(db, sql, err);
    }
    *ret = PQgetResult(db->conn);
    return ERR_OK;
}

static enum err_code deliver(const PGresult *result, db_row_fn on_row, void *context,
                             uint64_t *rows, struct err *err)
{
    int n = PQntuples(result);

    for (int i = 0; i < n; i++) {
        struct db_row row = {result, i};
        enum err_code code;

        ++*rows;
        if (on_row && (code = on_row(context, &row, err)) != ERR_OK)
            return code;
    }
    return ERR_OK;
}

/* Reads everything the server says about the statement that was sent. The first error wins, and
   is followed by a cancel, so that a stream of a million rows is not read to its end. */
enum err_code db_drain(struct db *db, const struct sql *sql, db_row_fn on_row, void *context,
                       uint64_t *ret_rows, struct err *err)
{
    enum err_code code = ERR_OK;
    uint64_t rows = 0;

    for (;;) {
        _cleanup_err_ struct err ignored = {0};
        PGresult *result = NULL;
        enum err_code step = db_next_result(db, sql, &result, code == ERR_OK ? err : &ignored);

        if (step != ERR_OK) {
            if (code == ERR_OK)
                db_cancel(db);
            return code == ERR_OK ? step : code;
        }
        if (!result)
            break;
        switch (PQresultStatus(result)) {
        case PGRES_TUPLES_OK:
        case PGRES_SINGLE_TUPLE:
        case PGRES_COMMAND_OK:
            if (code == ERR_OK && (code = deliver(result, on_row, context, &rows, err)) != ERR_OK)
                db_cancel(db);
            break;
        default:
            if (code == ERR_OK)
                code = db_fail_result(result, sql, err);
        }
        PQclear(result);
    }
    *ret_rows = rows;
    return code;
}

enum err_code db_send(struct db *db, const struct sql *sql, const struct args *args,
                      struct err *err)
{
    const char *values[ARGS_MAX];

    if (sql->n_params > ARGS_MAX)
        return err_set(err, ERR_INTERNAL, "%s: more than %d parameters", sql->file, ARGS_MAX);
    for (size_t i = 0; i < sql->n_params; i++)
        if (!args || !args_get(args, sql->params[i], &values[i]))
            return err_set(err, ERR_INTERNAL, "%s: no value for the parameter \"%s\"", sql->file,
                           sql->params[i]);
    if (!PQsendQueryParams(db->conn, sql->text, (int)sql->n_params, NULL, values, NULL, NULL, 0) ||
        !PQsetSingleRowMode(db->conn))
        return db_fail_conn(db, sql, err);
    return db_flush(db, sql, err);
}

static enum err_code run_counted(struct db *db, const struct sql *sql, const struct args *args,
                                 db_row_fn on_row, void *context, uint64_t *ret_rows,
                                 struct err *err)
{
    enum err_code code = db_send(db, sql, args, err);

    if (code != ERR_OK)
        return code;
    return db_drain(db, sql, on_row, context, ret_rows, err);
}

enum err_code db_run(struct db *db, const struct sql *sql, const struct args *args,
                     db_row_fn on_row, void *context, struct err *err)
{
    uint64_t rows;

    return run_counted(db, sql, args, on_row, context, &rows, err);
}

enum err_code db_one(struct db *db, const struct sql *sql, const struct args *args,
                     db_row_fn on_row, void *context, struct err *err)
{
    uint64_t rows = 0;
    enum err_code code = run_counted(db, sql, args, on_row, context, &rows, err);

    if (code == ERR_OK && rows != 1)
        return err_set(err, ERR_INTERNAL, "%s: %llu rows where one was expected", sql->file,
                       (unsigned long long)rows);
    return code;
}

struct ints {
    int n;
    int64_t *values;
};

static enum err_code take_ints(void *context, const struct db_row *row, struct err *err)
{
    struct ints *ints = context;

    if (db_columns(row) < ints->n)
        return err_set(err, ERR_INTERNAL, "%d columns where %d were expected", db_columns(row),
                       ints->n);
    for (int i = 0; i < ints->n; i++)
        ints->values[i] = db_int(row, i);
    return ERR_OK;
}

enum err_code db_ints(struct db *db, const struct sql *sql, const struct args *args, int n,
                      int64_t *ret, struct err *err)
{
    struct ints ints = {n, ret};

    return db_one(db, sql, args, take_ints, &ints, err);
}

/* Commits after `code`, or rolls back and keeps the error. */
static enum err_code end_alone(struct db *db, enum err_code code, struct err *err)
{
    bool unknown;

    if (code == ERR_OK)
        code = db_commit(db, &unknown, err);
    if (code != ERR_OK)
        db_rollback(db);
    return code;
}

enum err_code db_ints_alone(struct db *db, const struct sql *sql, const struct args *args, int n,
                            int64_t *ret, struct err *err)
{
    enum err_code code = db_begin(db, DB_CHANGE, err);

    if (code == ERR_OK)
        code = db_ints(db, sql, args, n, ret, err);
    return end_alone(db, code, err);
}

enum err_code db_run_alone(struct db *db, const struct sql *sql, const struct args *args,
                           db_row_fn on_row, void *context, struct err *err)
{
    enum err_code code = db_begin(db, DB_CHANGE, err);

    if (code == ERR_OK)
        code = db_run(db, sql, args, on_row, context, err);
    return end_alone(db, code, err);
}

enum err_code db_script(struct db *db, const struct sql *sql, struct err *err)
{
    enum err_code code;
    uint64_t rows;

    if (!PQsendQuery(db->conn, sql->text))
        return db_fail_conn(db, sql, err);
    code = db_flush(db, sql, err);
    if (code != ERR_OK)
        return code;
    return db_drain(db, sql, NULL, NULL, &rows, err);
}

enum err_code db_savepoint(struct db *db, struct err *err)
{
    return db_script(db, &sql_session_savepoint, err);
}

enum err_code db_back(struct db *db, struct err *err)
{
    return db_script(db, &sql_session_back_to_savepoint, err);
}

static void drop_notice(_unused_ void *context, _unused_ const PGresult *notice)
{
    /* Notices carry data of customers; nothing of them belongs into a log. */
}

/* libpq's own steps of connecting, each waited for. */
static enum err_code connect_poll(struct db *db, struct err *err)
{
    for (;;) {
        PostgresPollingStatusType wanted = PQconnectPoll(db->conn);
        enum err_code code;

        switch (wanted) {
        case PGRES_POLLING_OK:
            return ERR_OK;
        case PGRES_POLLING_READING:
        case PGRES_POLLING_WRITING:
            code = db_wait(db, wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT, err);
            if (code != ERR_OK) {
                err_prefix(err, "could not connect to the database");
                return code;
            }
            break;
        default:
            return db_fail_connecting(db->conn, err);
        }
    }
}

enum err_code db_open(struct db **ret, const char *conninfo, const struct deadline *deadline,
                      struct err *err)
{
    const char *const names[] = {"dbname", "fallback_application_name", NULL};
    const char *const values[] = {conninfo, "lapse", NULL};
    _cleanup_db_ struct db *db = calloc(1, sizeof *db);
    enum err_code code;

    if (!db)
        return err_nomem(err);
    db->deadline = deadline;
    db->conn = PQconnectStartParams(names, values, 1);
    if (!db->conn)
        return err_nomem(err);
    if (PQstatus(db->conn) == CONNECTION_BAD)
        return db_fail_connecting(db->conn, err);
    PQsetErrorVerbosity(db->conn, PQERRORS_VERBOSE);
    PQsetNoticeReceiver(db->conn, drop_notice, NULL);
    code = connect_poll(db, err);
    if (code != ERR_OK)
        return code;
    if (PQsetnonblocking(db->conn, 1) != 0)
        return err_set(err, ERR_INTERNAL, "could not make the connection non-blocking");
    *ret = TAKE_PTR(db);
    return ERR_OK;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    PQfinish(db->conn);
    sb_done(&db->rows);
    free(db);
}

void db_closep(struct db **db)
{
    db_close(*db);
    *db = NULL;
}

enum err_code db_begin_with(struct db *db, const struct sql *begin, struct err *err)
{
    struct args args = {0};
    enum err_code code;

    if (!db)
        return err_set(err, ERR_TEMP, "the connection to the database was lost");
    code = deadline_check(db->deadline, err);
    if (code != ERR_OK)
        return code;
    code = db_script(db, begin, err);
    if (code != ERR_OK)
        return code;
    db->in_transaction = true;
    args_int(&args, "timeout_ms", deadline_left_ms(db->deadline) + 1);
    return db_one(db, &sql_session_settings, &args, NULL, NULL, err);
}

enum err_code db_begin(struct db *db, enum db_mode mode, struct err *err)
{
    return db_begin_with(
        db, mode == DB_CHANGE ? &sql_session_begin_change : &sql_session_begin_snapshot, err);
}

enum err_code db_commit(struct db *db, bool *ret_unknown, struct err *err)
{
    PGresult *result = NULL;
    enum err_code code;

    *ret_unknown = false;
    db->in_transaction = false;
    if (!PQsendQuery(db->conn, sql_session_commit.text))
        return db_fail_conn(db, &sql_session_commit, err);
    *ret_unknown = true;
    code = db_flush(db, &sql_session_commit, err);
    if (code == ERR_OK)
        code = db_next_result(db, &sql_session_commit, &result, err);
    if (code != ERR_OK)
        return code;
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        code = db_fail_result(result, &sql_session_commit, err);
        *ret_unknown = PQstatus(db->conn) != CONNECTION_OK || strncmp(err->sqlstate, "57P", 3) == 0;
    } else {
        *ret_unknown = false;
        if (strcmp(PQcmdStatus(result), "COMMIT") != 0)
            code = err_set(err, ERR_INTERNAL, "the transaction had failed and was rolled back");
    }
    PQclear(result);
    while ((result = PQgetResult(db->conn)) != NULL)
        PQclear(result);
    return code;
}

void db_rollback(struct db *db)
{
    _cleanup_err_ struct err ignored = {0};

    if (!db || !db->in_transaction)
        return;
    db->in_transaction = false;
    if (PQtransactionStatus(db->conn) == PQTRANS_ACTIVE)
        return; /* a statement that was given up still runs: the connection is only good to close */
    if (db_script(db, &sql_session_rollback, &ignored) != ERR_OK)
        return;
}

bool db_in_transaction(const struct db *db)
{
    return db && db->in_transaction;
}

bool db_is_lost(const struct db *db)
{
    return !db || PQstatus(db->conn) != CONNECTION_OK ||
           PQtransactionStatus(db->conn) == PQTRANS_ACTIVE;
}

bool db_may_retry(const struct err *err)
{
    return strcmp(err->sqlstate, "40001") == 0 || strcmp(err->sqlstate, "40P01") == 0;
}

enum err_code db_backoff(const struct deadline *deadline, int attempt, struct err *err)
{
    /* Two processes that wait for each other must not wait equally long. */
    int64_t jitter = (monotonic_ns() / 1000 + getpid()) % 50;
    int64_t ms = (50 + jitter) << (attempt < 3 ? attempt : 3);

    if (ms > deadline_left_ms(deadline))
        ms = deadline_left_ms(deadline);
    poll(NULL, 0, (int)ms);
    return deadline_check(deadline, err);
}

int db_server_version(const struct db *db)
{
    return PQserverVersion(db->conn);
}

const char *db_host(const struct db *db)
{
    return PQhost(db->conn);
}

const char *db_name(const struct db *db)
{
    return PQdb(db->conn);
}

const char *db_user(const struct db *db)
{
    return PQuser(db->conn);
}

static enum err_code tell_columns(const PGresult *result, db_column_fn on_column, void *context,
                                  struct err *err)
{
    for (int i = 0; on_column && i < PQnfields(result); i++) {
        enum err_code code =
            on_column(context, PQfname(result, i), type_name(PQftype(result, i)), err);

        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

enum err_code db_describe(struct db *db, const struct sql *sql, db_column_fn on_column,
                          void *context, struct err *err)
{
    enum err_code code;
    PGresult *result = NULL, *end = NULL;
    uint64_t rows;

    if (!PQsendPrepare(db->conn, "", sql->text, 0, NULL))
        return db_fail_conn(db, sql, err);
    code = db_flush(db, sql, err);
    if (code == ERR_OK)
        code = db_drain(db, sql, NULL, NULL, &rows, err);
    if (code != ERR_OK)
        return code;
    if (!PQsendDescribePrepared(db->conn, ""))
        return db_fail_conn(db, sql, err);
    code = db_flush(db, sql, err);
    if (code == ERR_OK)
        code = db_next_result(db, sql, &result, err);
    if (code != ERR_OK)
        return code;
    if (PQresultStatus(result) == PGRES_COMMAND_OK)
        code = tell_columns(result, on_column, context, err);
    else
        code = db_fail_result(result, sql, err);
    PQclear(result);
    while ((end = PQgetResult(db->conn)) != NULL)
        PQclear(end);
    return code;
}
