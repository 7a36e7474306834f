/* The database's errors as ours: codes by SQLSTATE, the line of the file a statement stands in,
 * what to do. A part of db.c, for it alone. */
#ifndef LAPSE_DB_ERROR_H
#define LAPSE_DB_ERROR_H

#include <libpq-fe.h>
#include "err.h"
#include "sql.h"

/* What to do about an error of this code, or NULL. */
const char *db_hint(enum err_code code);

/* Of a result that is an error. Words that may be about a person go into the detail. */
enum err_code db_fail_result(const PGresult *result, const struct sql *sql, struct err *err);

/* Of a connection that was refused; `conn` may be NULL. */
enum err_code db_fail_connecting(PGconn *conn, struct err *err);

#endif
