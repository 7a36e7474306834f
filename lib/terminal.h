/* What people see: aligned tables, plain numbers and times, a progress bar. */
#ifndef LAPSE_TERMINAL_H
#define LAPSE_TERMINAL_H

#include <stdint.h>
#include <stdio.h>
#include "err.h"
#include "util.h"

struct text_column {
    const char *header;
    bool right; /* numbers */
};

/* Rows are kept until the table is printed, for the widths: for results a person can read. */
struct text_table {
    const struct text_column *columns;
    size_t n_columns;
    struct strbuf cells; /* NUL-terminated, one after the other */
    size_t n_rows;
};

void text_table_begin(struct text_table *table, const struct text_column *columns, size_t n);
void text_table_cell(struct text_table *table, const char *text); /* NULL prints "-" */
void text_table_print(struct text_table *table, FILE *out);
void text_table_done(struct text_table *table);
#define _cleanup_text_table_ _cleanup_(text_table_done)

/* Columns a text takes on a terminal. The locale's LC_CTYPE must be UTF-8. */
size_t text_width(const char *text);

enum { NUMBER_SIZE = 32, INSTANT_TEXT_SIZE = 48 };

/* "1,234,567" */
const char *show_count(int64_t number, char buffer[static NUMBER_SIZE]);

/* "41 ms", "7.3 s", "4 min 12 s" */
const char *show_time(int64_t nanoseconds, char buffer[static NUMBER_SIZE]);

/* An instant as PostgreSQL prints it, in ISO: "2026-03-31T02:30:00Z". Other text stays as it is. */
const char *show_instant(const char *text, char buffer[static INSTANT_TEXT_SIZE]);

/* A line on stderr that is drawn over and over, on a terminal only. */
struct progress_bar {
    bool on;
    int64_t begun_ns, drawn_ns;
    char what[64];
    bool shown;
};

void progress_bar_draw(struct progress_bar *bar, const char *what, uint64_t done, uint64_t total);
void progress_bar_clear(struct progress_bar *bar);

#endif
