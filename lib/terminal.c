/* What people see: see terminal.h. */
#define _GNU_SOURCE
#include "terminal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "cell.h"
#include "deadline.h"

#include "ban.h"

enum { GAP = 2, BAR_CELLS = 24 };

void text_table_begin(struct text_table *table, const struct text_column *columns, size_t n)
{
    *table = (struct text_table){.columns = columns, .n_columns = n};
}

void text_table_cell(struct text_table *table, const char *text)
{
    const char *shown = text ? text : "-";

    sb_add(&table->cells, shown, strlen(shown) + 1);
    table->n_rows++; /* cells, until the table is printed */
}

size_t text_width(const char *text)
{
    mbstate_t state = {0};
    size_t width = 0, left = strlen(text);

    while (left > 0) {
        wchar_t wide;
        size_t len = mbrtowc(&wide, text, left, &state);
        int cells;

        if (len == (size_t)-1 || len == (size_t)-2) {
            state = (mbstate_t){0};
            len = 1;
            cells = 1;
        } else {
            cells = wcwidth(wide);
        }
        width += cells > 0 ? (size_t)cells : 0;
        text += len;
        left -= len;
    }
    return width;
}

static void print_cell(FILE *out, const struct text_column *column, const char *text, size_t width,
                       bool last)
{
    size_t pad = width - text_width(text);

    if (column->right)
        fprintf(out, "%*s%s%s", (int)pad, "", text, last ? "" : "  ");
    else if (last)
        fputs(text, out);
    else
        fprintf(out, "%s%*s", text, (int)(pad + GAP), "");
}

void text_table_print(struct text_table *table, FILE *out)
{
    size_t *widths = calloc(table->n_columns, sizeof *widths);
    size_t n = table->n_rows, column = 0;
    const char *cell = sb_text(&table->cells);

    if (!widths || !cell) {
        free(widths);
        fputs("out of memory\n", out);
        return;
    }
    for (size_t i = 0; i < table->n_columns; i++)
        widths[i] = text_width(table->columns[i].header);
    for (size_t i = 0; i < n; i++, cell += strlen(cell) + 1)
        if (text_width(cell) > widths[i % table->n_columns])
            widths[i % table->n_columns] = text_width(cell);
    for (size_t i = 0; i < table->n_columns; i++)
        print_cell(out, &table->columns[i], table->columns[i].header, widths[i],
                   i == table->n_columns - 1);
    fputc('\n', out);
    cell = sb_text(&table->cells);
    for (size_t i = 0; i < n; i++, cell += strlen(cell) + 1) {
        bool last = ++column == table->n_columns;

        print_cell(out, &table->columns[column - 1], cell, widths[column - 1], last);
        if (last) {
            fputc('\n', out);
            column = 0;
        }
    }
    free(widths);
}

void text_table_done(struct text_table *table)
{
    sb_done(&table->cells);
}

const char *show_count(int64_t number, char buffer[static NUMBER_SIZE])
{
    char digits[NUMBER_SIZE];
    int len = snprintf(digits, sizeof digits, "%" PRIu64,
                       number < 0 ? -(uint64_t)number : (uint64_t)number);
    char *to = buffer;

    if (number < 0)
        *to++ = '-';
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return buffer;
}

const char *show_time(int64_t nanoseconds, char buffer[static NUMBER_SIZE])
{
    int64_t tenths = nanoseconds / 100000000, seconds = tenths / 10;

    if (seconds < 1)
        snprintf(buffer, NUMBER_SIZE, "%" PRId64 " ms", nanoseconds / 1000000);
    else if (seconds < 60)
        snprintf(buffer, NUMBER_SIZE, "%" PRId64 ".%" PRId64 " s", seconds, tenths % 10);
    else if (seconds < 3600)
        snprintf(buffer, NUMBER_SIZE, "%" PRId64 " min %02" PRId64 " s", seconds / 60,
                 seconds % 60);
    else
        snprintf(buffer, NUMBER_SIZE, "%" PRId64 " h %02" PRId64 " min", seconds / 3600,
                 seconds / 60 % 60);
    return buffer;
}

const char *show_instant(const char *text, char buffer[static INSTANT_TEXT_SIZE])
{
    struct cell cell = {text, text ? strlen(text) : 0};
    struct value value;

    if (!text || !cell_read(COL_INSTANT, &cell, &value))
        return text;
    snprintf(buffer, INSTANT_TEXT_SIZE, "%.*s", (int)value.len, value.text);
    return buffer;
}

static void draw_bar(uint64_t done, uint64_t total)
{
    uint64_t full = done * BAR_CELLS / total;

    fputs("  ", stderr);
    for (uint64_t i = 0; i < BAR_CELLS; i++)
        fputs(i < full ? "█" : "░", stderr);
}

void progress_bar_draw(struct progress_bar *bar, const char *what, uint64_t done, uint64_t total)
{
    char a[NUMBER_SIZE], b[NUMBER_SIZE];
    int64_t now = monotonic_ns();

    if (!bar->on)
        return;
    if (strcmp(bar->what, what) != 0) {
        snprintf(bar->what, sizeof bar->what, "%s", what);
        bar->begun_ns = now;
        bar->drawn_ns = 0;
    }
    if (now - bar->begun_ns < 300000000 || now - bar->drawn_ns < 100000000)
        return; /* what is over soon needs no bar */
    bar->drawn_ns = now;
    bar->shown = true;
    fprintf(stderr, "\r\033[K%s", what);
    if (total > 0 && done <= total) {
        int64_t left = done ? (now - bar->begun_ns) / (int64_t)done * (int64_t)(total - done) : 0;

        draw_bar(done, total);
        fprintf(stderr, "  %3d %%  %s of %s", (int)(done * 100 / total),
                show_count((int64_t)done, a), show_count((int64_t)total, b));
        if (done)
            fprintf(stderr, ", %s left", show_time(left, a));
    } else {
        fprintf(stderr, "  %s rows", show_count((int64_t)done, a));
    }
    fflush(stderr);
}

void progress_bar_clear(struct progress_bar *bar)
{
    if (bar->shown)
        fputs("\r\033[K", stderr);
    bar->shown = false;
    bar->what[0] = '\0';
}
