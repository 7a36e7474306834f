/* What a report format has to do: one `const struct sink_ops`, one line in report.c's list.
 *
 * The report calls, per format:
 *
 *     open(&sink, &meta, dir)                 makes what is there from the start
 *     begin_table(sink, table)
 *     row(sink, values, split)                values[i] belongs to columns[i], checked and typed
 *     end_table(sink)
 *     finish(sink, &summary, &files)          completes, checks, fsyncs; appends to `files`
 *
 * A table's rows come from a thread of the sink's own (fanout.h); nothing else is called meanwhile.
 * `split` is {0} where the table is not split.
 *
 * finish() frees the sink, whether it succeeds or not, and after a failure has removed its files.
 * discard() may be called at any other time, cannot fail, and removes what the sink has made. After
 * any other function has failed, only discard() is called.
 */
#ifndef LAPSE_REPORT_SINK_H
#define LAPSE_REPORT_SINK_H

#include "cell.h"
#include "report.h"

#define TALLY_MAX 2000 /* values that are counted */
#define TALLY_SHOWN 40 /* values that are shown, the most frequent */

struct tally_entry {
    char *value; /* NULL is SQL NULL */
    size_t len;
    uint64_t count;
    size_t place; /* in the table's tally_order; behind it where the value is not there */
};

/* How often each value of the tally field came; in finish() sorted: by the table's order, then
   greatest count first. */
struct tally {
    struct tally_entry entries[TALLY_MAX];
    size_t n;
    uint64_t other; /* rows of values that are not shown */
};

/* A table that was written, as the Summary sheet tells of it. */
struct table_summary {
    const struct report_table *table;
    uint64_t rows;
    int64_t *totals; /* by column; 0 where the column has no .total */
    struct tally tally;
};

/* A figure beside the tables' own. */
struct figure {
    char *label, *value; /* a number as COL_AMOUNT takes it */
};

struct report_summary {
    struct table_summary *tables;
    size_t n_tables;
    struct figure *figures;
    size_t n_figures;
};

/* The start of every sink. */
struct sink {
    const struct sink_ops *ops;
};

struct sink_ops {
    enum report_format format;
    enum err_code (*open)(struct sink **ret, const struct report_meta *meta, const char *dir,
                          struct err *err);
    enum err_code (*begin_table)(struct sink *sink, const struct report_table *table,
                                 struct err *err);
    enum err_code (*row)(struct sink *sink, const struct value *values, const struct cell *split,
                         struct err *err);
    enum err_code (*end_table)(struct sink *sink, struct err *err);
    enum err_code (*finish)(struct sink *sink, const struct report_summary *summary,
                            struct report_files *files, struct err *err);
    void (*discard)(struct sink *sink);
};

extern const struct sink_ops csv_sink_ops, xlsx_sink_ops;

/* Adds an entry to the list; `name` is copied. NULL when there is no memory. */
struct report_file *report_files_add(struct report_files *files, const char *name);

/* Adds a total to an entry; false when there is no memory. */
bool report_file_total(struct report_file *file, const char *header, int64_t value);

/* Room for one more element in an array of `n` of `size` bytes, which grows by doubling.
   Returns the array, moved perhaps, or NULL (and the old one stands). */
void *array_room(void *array, size_t n, size_t size);

/* Adds what the row's columns with .total hold. False on overflow. */
bool totals_add(int64_t *totals, const struct column *columns, size_t n,
                const struct value *values);

#endif
