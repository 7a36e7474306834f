/* One producer of rows, and a thread for each sink that takes them: the formats of a report are
 * written side by side, and behind the database's answer no longer wait for each other.
 *
 *     fanout_open(&fanout, sinks, n, &err)
 *     fanout_columns(fanout, n_columns, &err)        at each table's begin
 *     fanout_row(fanout, bytes, &row, &err)          then the row is the caller's to fill
 *     fanout_drain(fanout, &err)                     all rows have been taken by all sinks
 *     fanout_close(fanout)                           the threads have ended
 *
 * Rows go through a ring (see ring.h) of a few batches. A sink is called from its thread only while
 * rows are on their way; drained or closed, it is the caller's again. Its first error stays, comes
 * back from the next call, and what follows is not given to it.
 */
#ifndef LAPSE_FANOUT_H
#define LAPSE_FANOUT_H

#include "report_sink.h"

struct fanout;

/* A row to be filled: `values`, one for each column, and `split` point into `text` or to what lives
   as long as the fanout. */
struct fanout_row {
    struct value *values;
    struct cell *split;
    char *text; /* room for the bytes that were asked for */
};

/* The sinks are borrowed; NULL ones are left out. */
enum err_code fanout_open(struct fanout **ret, struct sink *const *sinks, size_t n,
                          struct err *err) _must_check_;
enum err_code fanout_columns(struct fanout *fanout, size_t n, struct err *err) _must_check_;
enum err_code fanout_row(struct fanout *fanout, size_t bytes, struct fanout_row *ret,
                         struct err *err) _must_check_;
enum err_code fanout_drain(struct fanout *fanout, struct err *err) _must_check_;
void fanout_close(struct fanout *fanout); /* rows that are not taken yet are not; NULL is nothing */

#endif
