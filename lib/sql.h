/* A statement, as it was embedded from sql/ when the program was built.
 *
 * sql/embed.awk makes one `extern const struct sql sql_<folder>_<file>` of every file below sql/,
 * so that a pasted string cannot be run. In the file a value is written as psql writes a
 * variable, `:'as_of'::timestamptz`; here it has become `$1`, and `params` says its name. A line
 * `--include NAME` was replaced by the text of sql/parts/NAME.sql; `origins` tells for every
 * line of `text` where it came from, so that an error names the line somebody has to look at.
 */
#ifndef LAPSE_SQL_H
#define LAPSE_SQL_H

#include <stddef.h>

struct sql_origin {
    const char *file;
    int line;
};

struct sql {
    const char *file; /* "sql/end-trials/end.sql" */
    const char *text;
    size_t n_params;
    const char *const *params; /* the name of $1, $2, ... */
    size_t n_lines;
    const struct sql_origin *origins;
};

/* Every embedded statement, for `make lint` and `lapse check`. Migrations are not in it. */
extern const struct sql *const sql_all[];
extern const size_t sql_all_count;

/* The scripts in sql/migrations, in order; each may hold several statements. */
extern const struct sql *const sql_migrations[];
extern const size_t sql_migrations_count;

#include "sql-embedded.h"

#endif
