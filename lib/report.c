/* The report's model: typed cells, totals, tallies, and the fan-out to the formats; see report.h.
 */
#define _GNU_SOURCE
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fanout.h"
#include "report_sink.h"

#include "ban.h"

/* Every format there is. A workbook is finished before the CSV files: it takes longest and is the
   likeliest to fail. */
static const struct {
    const char *name;
    const struct sink_ops *ops;
} formats_known[] = {
    {"xlsx", &xlsx_sink_ops},
    {"csv", &csv_sink_ops},
};

#define FORMATS COUNT(formats_known)

struct report {
    struct sink *sinks[FORMATS]; /* NULL where a format is not wanted */
    char *dir;
    bool broken; /* a call failed: what is there must not be published */
    bool open;   /* between report_begin and report_end */
    const struct report_table *table;
    size_t n_columns;
    struct fanout *fanout; /* the rows' way to the sinks */
    size_t last_tally;     /* the entry of the row before: rows often come in runs */
    struct report_summary summary;
};

bool report_formats_parse(const char *text, unsigned *ret_formats)
{
    unsigned formats = 0;

    while (true) {
        size_t len = strcspn(text, ","), i = 0;

        while (i < FORMATS && (strlen(formats_known[i].name) != len ||
                               memcmp(text, formats_known[i].name, len) != 0))
            i++;
        if (i == FORMATS || (formats & formats_known[i].ops->format))
            return false;
        formats |= formats_known[i].ops->format;
        if (text[len] == '\0')
            break;
        text += len + 1;
    }
    *ret_formats = formats;
    return true;
}

size_t column_count(const struct column *columns)
{
    size_t n = 0;

    while (columns[n].header)
        n++;
    return n;
}

void *array_room(void *array, size_t n, size_t size)
{
    if (n > 0 && (n < 8 || (n & (n - 1)) != 0)) /* has 8, 16, 32 ... places */
        return array;
    return reallocarray(array, n < 8 ? 8 : 2 * n, size);
}

bool totals_add(int64_t *totals, const struct column *columns, size_t n, const struct value *values)
{
    for (size_t i = 0; i < n; i++)
        if (columns[i].total && values[i].kind != VALUE_NULL &&
            __builtin_add_overflow(totals[i], values[i].integer, &totals[i]))
            return false;
    return true;
}

static void file_done(struct report_file *file)
{
    free(file->name);
    free(file->totals);
}

void report_files_done(struct report_files *files)
{
    for (size_t i = 0; i < files->n; i++)
        file_done(&files->files[i]);
    free(files->files);
    *files = (struct report_files){0};
}

struct report_file *report_files_add(struct report_files *files, const char *name)
{
    struct report_file *grown = reallocarray(files->files, files->n + 1, sizeof *grown);
    char *copy = strdup(name);

    if (grown)
        files->files = grown;
    if (!grown || !copy) {
        free(copy);
        return NULL;
    }
    grown[files->n] = (struct report_file){.name = copy};
    return &grown[files->n++];
}

bool report_file_total(struct report_file *file, const char *header, int64_t value)
{
    struct report_total *grown = reallocarray(file->totals, file->n_totals + 1, sizeof *grown);

    if (!grown)
        return false;
    file->totals = grown;
    grown[file->n_totals++] = (struct report_total){header, value};
    return true;
}

static void summary_done(struct report_summary *summary)
{
    for (size_t i = 0; i < summary->n_tables; i++) {
        struct table_summary *table = &summary->tables[i];

        for (size_t j = 0; j < table->tally.n; j++)
            free(table->tally.entries[j].value);
        free(table->totals);
    }
    for (size_t i = 0; i < summary->n_figures; i++) {
        free(summary->figures[i].label);
        free(summary->figures[i].value);
    }
    free(summary->tables);
    free(summary->figures);
}

static void report_free(struct report *report)
{
    summary_done(&report->summary);
    free(report->dir);
    free(report);
}

void report_discard(struct report *report)
{
    int saved = errno;

    if (!report)
        return;
    fanout_close(report->fanout);
    for (size_t i = 0; i < FORMATS; i++)
        if (report->sinks[i])
            formats_known[i].ops->discard(report->sinks[i]);
    report_free(report);
    errno = saved;
}

void report_discardp(struct report **report)
{
    report_discard(*report);
    *report = NULL;
}

enum err_code report_open(struct report **ret, const struct report_meta *meta, unsigned formats,
                          const char *staging_dir, struct err *err)
{
    _cleanup_report_ struct report *report = calloc(1, sizeof *report);

    if (!report || !(report->dir = strdup(staging_dir)))
        return err_nomem(err);
    for (size_t i = 0; i < FORMATS; i++) {
        const struct sink_ops *ops = formats_known[i].ops;

        if ((formats & ops->format) &&
            ops->open(&report->sinks[i], meta, report->dir, err) != ERR_OK)
            return err->code;
    }
    if (fanout_open(&report->fanout, report->sinks, FORMATS, err) != ERR_OK)
        return err->code;
    *ret = TAKE_PTR(report);
    return ERR_OK;
}

static const char *table_name(const struct report *report)
{
    return report->table && report->table->sheet ? report->table->sheet : "?";
}

/* Is the call in its place? */
static enum err_code expect(struct report *report, bool table_open, const char *call,
                            struct err *err)
{
    if (report->broken)
        return err_set(err, ERR_INTERNAL, "%s after the report had failed", call);
    if (report->open == table_open)
        return ERR_OK;
    report->broken = true;
    return err_set(err, ERR_INTERNAL, "%s while %s table is open", call, table_open ? "no" : "a");
}

/* Marks the report as broken unless all went well. */
static enum err_code settle(struct report *report, enum err_code code)
{
    if (code != ERR_OK)
        report->broken = true;
    return code;
}

static enum err_code begin_table(struct report *report, const struct report_table *table,
                                 struct err *err)
{
    size_t n = table->columns ? column_count(table->columns) : 0;
    struct table_summary *grown;
    int64_t *totals;

    report->table = table;
    if (!table->sheet || n == 0)
        return err_set(err, ERR_INTERNAL, "table \"%s\" has no %s", table_name(report),
                       n == 0 ? "columns" : "title");
    for (size_t i = 0; i < n; i++)
        if (table->columns[i].total && table->columns[i].type != COL_COUNT)
            return err_set(err, ERR_INTERNAL, "table \"%s\": column \"%s\" cannot be added up",
                           table->sheet, table->columns[i].header);
    grown = array_room(report->summary.tables, report->summary.n_tables, sizeof *grown);
    if (!grown)
        return err_nomem(err);
    report->summary.tables = grown;
    if (fanout_columns(report->fanout, n, err) != ERR_OK)
        return err->code;
    totals = calloc(n, sizeof *totals);
    if (!totals)
        return err_nomem(err);
    grown[report->summary.n_tables++] = (struct table_summary){.table = table, .totals = totals};
    report->n_columns = n;
    report->last_tally = 0;
    for (size_t i = 0; i < FORMATS; i++)
        if (report->sinks[i] &&
            formats_known[i].ops->begin_table(report->sinks[i], table, err) != ERR_OK)
            return err->code;
    return ERR_OK;
}

enum err_code report_begin(struct report *report, const struct report_table *table, struct err *err)
{
    if (expect(report, false, "report_begin", err) != ERR_OK)
        return err->code;
    report->open = true;
    return settle(report, begin_table(report, table, err));
}

enum err_code report_note_amount(struct report *report, const char *label, const char *value,
                                 struct err *err)
{
    struct report_summary *summary = &report->summary;
    struct cell cell = {value, value ? strlen(value) : 0};
    struct figure *grown;
    struct value checked;

    if (!label || !value || !cell_read(COL_AMOUNT, &cell, &checked))
        return settle(report, err_set(err, ERR_INTERNAL, "figure \"%s\": \"%s\" is not a number",
                                      label ? label : "NULL", value ? value : "NULL"));
    grown = array_room(summary->figures, summary->n_figures, sizeof *grown);
    if (!grown)
        return settle(report, err_nomem(err));
    summary->figures = grown;
    grown[summary->n_figures] = (struct figure){strdup(label), strdup(value)};
    if (!grown[summary->n_figures].label || !grown[summary->n_figures].value) {
        free(grown[summary->n_figures].label);
        free(grown[summary->n_figures].value);
        return settle(report, err_nomem(err));
    }
    summary->n_figures++;
    return ERR_OK;
}

enum err_code report_note_figure(struct report *report, const char *label, int64_t value,
                                 struct err *err)
{
    char text[32];

    snprintf(text, sizeof text, "%" PRId64, value);
    return report_note_amount(report, label, text, err);
}

static struct table_summary *current(const struct report *report)
{
    return &report->summary.tables[report->summary.n_tables - 1];
}

/* A cell that is not what its column says: the statement and the job's columns disagree. */
static enum err_code bad_cell(const struct report *report, size_t column, const struct cell *cell,
                              struct err *err)
{
    const struct column *c = &report->table->columns[column];

    err_set(err, ERR_INTERNAL,
            "table \"%s\", row %llu, column \"%s\": the value does not have the column's form",
            table_name(report), (unsigned long long)current(report)->rows + 1, c->header);
    err_detail(err, "value: %.*s", (int)(cell->len < 200 ? cell->len : 200), cell->text);
    return err->code;
}

static bool entry_is(const struct tally_entry *entry, const struct cell *cell)
{
    if (!entry->value || !cell->text)
        return !entry->value && !cell->text;
    return entry->len == cell->len && memcmp(entry->value, cell->text, cell->len) == 0;
}

static size_t place_in_order(const char *const *order, const struct tally_entry *entry)
{
    size_t i = 0;

    while (order && order[i] && !(entry->value && str_eq(order[i], entry->value)))
        i++;
    return i;
}

static bool tally_add(struct report *report, const struct cell *cell)
{
    struct tally *tally = &current(report)->tally;
    size_t i = report->last_tally;

    if (i >= tally->n || !entry_is(&tally->entries[i], cell))
        for (i = 0; i < tally->n && !entry_is(&tally->entries[i], cell);)
            i++;
    if (i == TALLY_MAX) {
        tally->other++;
        return true;
    }
    if (i == tally->n) {
        char *copy = cell->text ? strndup(cell->text, cell->len) : NULL;

        if (cell->text && !copy)
            return false;
        tally->entries[i] = (struct tally_entry){copy, cell->text ? cell->len : 0, 0, 0};
        tally->entries[i].place = place_in_order(report->table->tally_order, &tally->entries[i]);
        tally->n++;
    }
    tally->entries[i].count++;
    report->last_tally = i;
    return true;
}

/* Copies a text into the row; NULL stays NULL. */
static struct cell copy_cell(struct fanout_row *row, const struct cell *cell)
{
    char *text = row->text;

    if (!cell->text)
        return *cell;
    row->text = mempcpy(text, cell->text, cell->len);
    return (struct cell){text, cell->len};
}

/* Takes the row's cells and puts them on their way. */
static enum err_code put_row(struct report *report, const struct cell *cells,
                             const struct cell *split, struct err *err)
{
    const struct column *columns = report->table->columns;
    size_t bytes = split && split->text ? split->len : 0;
    struct fanout_row row;

    for (size_t i = 0; i < report->n_columns; i++)
        bytes += cells[i].text ? cells[i].len : 0;
    if (fanout_row(report->fanout, bytes, &row, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < report->n_columns; i++) {
        struct cell cell = copy_cell(&row, &cells[i]);

        if (!cell_read(columns[i].type, &cell, &row.values[i]))
            return bad_cell(report, i, &cells[i], err);
    }
    if (split)
        *row.split = copy_cell(&row, split);
    if (!totals_add(current(report)->totals, columns, report->n_columns, row.values))
        return err_set(err, ERR_INTERNAL, "table \"%s\", row %llu: a total overflows",
                       table_name(report), (unsigned long long)current(report)->rows + 1);
    return ERR_OK;
}

static enum err_code add_row(struct report *report, const struct cell *cells,
                             const struct cell *split_value, const struct cell *tally_value,
                             struct err *err)
{
    const struct report_table *table = report->table;
    struct table_summary *summary = current(report);

    if ((table->split && !split_value) || (table->tally && !tally_value))
        return err_set(err, ERR_INTERNAL, "table \"%s\", row %llu: the %s field is missing",
                       table_name(report), (unsigned long long)summary->rows + 1,
                       table->split && !split_value ? "split" : "tally");
    if (put_row(report, cells, table->split ? split_value : NULL, err) != ERR_OK)
        return err->code;
    if (table->tally && !tally_add(report, tally_value))
        return err_nomem(err);
    summary->rows++;
    return ERR_OK;
}

enum err_code report_row(struct report *report, const struct cell *cells,
                         const struct cell *split_value, const struct cell *tally_value,
                         struct err *err)
{
    if (expect(report, true, "report_row", err) != ERR_OK)
        return err->code;
    return settle(report, add_row(report, cells, split_value, tally_value, err));
}

/* The table's order, then greatest count first, then the value; NULL before all others. */
static int compare_entries(const void *a, const void *b)
{
    const struct tally_entry *x = a, *y = b;

    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    if (!x->value || !y->value)
        return (x->value != NULL) - (y->value != NULL);
    return strcmp(x->value, y->value);
}

enum err_code report_end(struct report *report, struct err *err)
{
    struct tally *tally;

    if (expect(report, true, "report_end", err) != ERR_OK)
        return err->code;
    report->open = false;
    if (fanout_drain(report->fanout, err) != ERR_OK)
        return settle(report, err->code);
    tally = &current(report)->tally;
    qsort(tally->entries, tally->n, sizeof tally->entries[0], compare_entries);
    while (tally->n > TALLY_SHOWN) {
        tally->other += tally->entries[--tally->n].count;
        free(tally->entries[tally->n].value);
    }
    for (size_t i = 0; i < FORMATS; i++)
        if (report->sinks[i] && formats_known[i].ops->end_table(report->sinks[i], err) != ERR_OK)
            return settle(report, err->code);
    return ERR_OK;
}

/* Takes back the entries behind the first `keep`, and the files they tell of. */
static void withdraw_files(const char *dir, struct report_files *files, size_t keep)
{
    while (files->n > keep) {
        struct report_file *file = &files->files[--files->n];
        _cleanup_free_ char *path = str_format("%s/%s", dir, file->name);

        if (path)
            unlink(path);
        file_done(file);
    }
}

enum err_code report_finish(struct report *report, struct report_files *files, struct err *err)
{
    size_t before = files->n;

    if (expect(report, false, "report_finish", err) != ERR_OK) {
        report_discard(report);
        return err->code;
    }
    fanout_close(TAKE_PTR(report->fanout));
    for (size_t i = 0; i < FORMATS; i++) {
        struct sink *sink = TAKE_PTR(report->sinks[i]);

        if (sink && formats_known[i].ops->finish(sink, &report->summary, files, err) != ERR_OK) {
            withdraw_files(report->dir, files, before);
            report_discard(report);
            return err->code;
        }
    }
    report_free(report);
    return ERR_OK;
}

uint64_t report_rows(const struct report *report)
{
    return report->summary.n_tables ? current(report)->rows : 0;
}
