/* Whether the program's statements fit the database, and the jobs' declarations fit the statements.
 *
 * Every statement is parsed and planned by the server, none is run. Then each report's columns are
 * looked up in the result of its query, by name and type; and the results that the runner itself
 * reads (changed and torn, looked_at and skipped, the cuts) are looked at alike. */
#ifndef LAPSE_CHECK_SQL_H
#define LAPSE_CHECK_SQL_H

#include "db.h"
#include "job.h"

/* Called for everything that does not fit. */
typedef void (*misfit_fn)(void *context, const char *text);

/* ERR_OK also where there are misfits; an error only where the server could not be asked.
   `*ret_statements` is how many were looked at. */
enum err_code check_sql(struct db *db, const struct registry *registry, misfit_fn misfit,
                        void *context, size_t *ret_statements, struct err *err) _must_check_;

#endif
