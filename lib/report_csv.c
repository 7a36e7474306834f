/* Reports as CSV: UTF-8, RFC 4180, CRLF, always with a header. The only writer that uses libcsv.
 *
 * SQL NULL is nothing, empty text is "". Quotes stand only where they are needed. A table's own
 * file is <job>[-<table>].csv; a split table has one more per value, which is complete, with its
 * header, as soon as the next value comes.
 */
#define _GNU_SOURCE
#include "report_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <csv.h>

#include "outfile.h"

#include "ban.h"

/* A file being written. */
struct csv_file {
    struct outfile *out; /* NULL when there is none */
    char *name;
    uint64_t rows, altered;
    int64_t *totals; /* by column */
};

struct csv_sink {
    struct sink base;
    const struct report_meta *meta;
    const char *dir;
    const struct report_table *table;
    size_t n_columns;
    struct csv_file whole, part; /* the table's file; of a split table, that of the current value */
    char *part_value;            /* the value `part` belongs to */
    uint64_t *parts_seen;        /* a hash of every value so far, to notice one that comes back */
    size_t n_parts;
    struct strbuf line;  /* the row as it is written */
    struct strbuf clean; /* a cell that had to be altered */
    char *quoted;        /* a cell that had to be quoted */
    size_t quoted_size;
    struct report_files files; /* what is complete */
};

static void csv_file_discard(struct csv_file *file)
{
    outfile_discard(file->out);
    free(file->name);
    free(file->totals);
    *file = (struct csv_file){0};
}

static void csv_free_sink(struct csv_sink *csv)
{
    csv_file_discard(&csv->whole);
    csv_file_discard(&csv->part);
    free(csv->part_value);
    free(csv->parts_seen);
    sb_done(&csv->line);
    sb_done(&csv->clean);
    free(csv->quoted);
    report_files_done(&csv->files);
    free(csv);
}

static void csv_discard(struct sink *sink)
{
    struct csv_sink *csv = (struct csv_sink *)sink;

    for (size_t i = 0; i < csv->files.n; i++) {
        _cleanup_free_ char *path = str_format("%s/%s", csv->dir, csv->files.files[i].name);

        if (path)
            unlink(path);
    }
    csv_free_sink(csv);
}

static enum err_code csv_open(struct sink **ret, const struct report_meta *meta, const char *dir,
                              struct err *err)
{
    struct csv_sink *csv = calloc(1, sizeof *csv);

    if (!csv)
        return err_nomem(err);
    csv->base.ops = &csv_sink_ops;
    csv->meta = meta;
    csv->dir = dir;
    *ret = &csv->base;
    return ERR_OK;
}

/* Adds a field to the line, quoted by libcsv. False when there is no memory. */
static bool add_quoted(struct csv_sink *csv, const char *text, size_t len)
{
    size_t size = 2 * len + 2;

    if (size > csv->quoted_size) {
        char *grown = realloc(csv->quoted, size);

        if (!grown)
            return false;
        csv->quoted = grown;
        csv->quoted_size = size;
    }
    size = csv_write2(csv->quoted, csv->quoted_size, text, len, CSV_QUOTE);
    sb_add(&csv->line, csv->quoted, size);
    return true;
}

/* Adds somebody's text to the line. False when there is no memory. */
static bool add_text(struct csv_sink *csv, const struct value *value, uint64_t *altered)
{
    bool guard = !csv->table->no_formula_guard;
    const char *text = value->text;
    size_t len = value->len;

    if (!cell_csv_plain(value, guard)) {
        sb_reset(&csv->clean);
        *altered += cell_csv_text(&csv->clean, value, guard);
        text = sb_text(&csv->clean);
        if (!text)
            return false;
        len = csv->clean.len;
    }
    if (text_needs_quotes(text, len, value->traits))
        return add_quoted(csv, text, len);
    sb_add(&csv->line, text, len);
    return true;
}

static enum err_code write_header(struct csv_sink *csv, struct csv_file *file, struct err *err)
{
    const struct column *columns = csv->table->columns;

    sb_reset(&csv->line);
    if (csv->meta->bom)
        sb_adds(&csv->line, "\xEF\xBB\xBF");
    for (size_t i = 0; i < csv->n_columns; i++) {
        size_t len = strlen(columns[i].header);

        if (i > 0)
            sb_add(&csv->line, ",", 1);
        if (!text_needs_quotes(columns[i].header, len, text_traits(columns[i].header, len)))
            sb_add(&csv->line, columns[i].header, len);
        else if (!add_quoted(csv, columns[i].header, len))
            return err_nomem(err);
    }
    sb_add(&csv->line, "\r\n", 2);
    if (csv->line.failed)
        return err_nomem(err);
    return outfile_write(file->out, csv->line.text, csv->line.len, err);
}

/* Starts a file with its header; `name` is taken over, NULL is out of memory. */
static enum err_code csv_file_open(struct csv_sink *csv, struct csv_file *file, char *name,
                                   struct err *err)
{
    *file = (struct csv_file){.name = name};
    file->totals = calloc(csv->n_columns, sizeof *file->totals);
    if (!name || !file->totals)
        return err_nomem(err);
    if (outfile_open(&file->out, csv->dir, name, err) != ERR_OK)
        return err->code;
    return write_header(csv, file, err);
}

/* Completes a file and lists it. */
static enum err_code csv_file_finish(struct csv_sink *csv, struct csv_file *file, struct err *err)
{
    const struct column *columns = csv->table->columns;
    struct report_file *entry = report_files_add(&csv->files, file->name);

    if (!entry)
        return err_nomem(err);
    entry->rows = file->rows;
    entry->altered = file->altered;
    for (size_t i = 0; i < csv->n_columns; i++)
        if (columns[i].total && !report_file_total(entry, columns[i].header, file->totals[i]))
            return err_nomem(err);
    if (outfile_finish(TAKE_PTR(file->out), err) != ERR_OK)
        return err->code;
    csv_file_discard(file);
    return ERR_OK;
}

static enum err_code csv_begin_table(struct sink *sink, const struct report_table *table,
                                     struct err *err)
{
    struct csv_sink *csv = (struct csv_sink *)sink;
    const char *name = table->name ? table->name : "";

    csv->table = table;
    csv->n_columns = column_count(table->columns);
    return csv_file_open(csv, &csv->whole,
                         str_format("%s%s%s.csv", csv->meta->job, *name ? "-" : "", name), err);
}

/* FNV-1a: to tell values apart, not to keep them from each other. */
static uint64_t hash_value(const char *text)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001B3);
    return hash;
}

/* A file name for a value that is not taken yet in the folder; NULL when there is no memory. */
static char *part_name(const struct csv_sink *csv, const char *value)
{
    enum { VALUE_MAX = 128 };
    _cleanup_free_ char *safe = strndup(*value ? value : "_", VALUE_MAX);
    char *name;

    if (!safe)
        return NULL;
    for (char *c = safe; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
              *c == '_' || *c == '-' || (*c == '.' && c > safe)))
            *c = '_';
    name = str_format("%s-%s.csv", csv->meta->job, safe);
    for (unsigned long n = 2; name; n++) {
        _cleanup_free_ char *path = str_format("%s/%s", csv->dir, name);

        if (path && faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
            return name; /* free, or a folder that outfile_open will complain about */
        free(name);
        name = path ? str_format("%s-%s-%lu.csv", csv->meta->job, safe, n) : NULL;
    }
    return NULL;
}

/* Goes on to the file of the row's value. SQL NULL counts as empty. */
static enum err_code turn_to(struct csv_sink *csv, const struct cell *split, struct err *err)
{
    const char *text = split->text ? split->text : "";
    size_t len = split->text ? split->len : 0;
    uint64_t *seen;

    if (csv->part.out && strlen(csv->part_value) == len && memcmp(csv->part_value, text, len) == 0)
        return ERR_OK;
    if (csv->part.out && csv_file_finish(csv, &csv->part, err) != ERR_OK)
        return err->code;
    free(csv->part_value);
    csv->part_value = strndup(text, len);
    seen = array_room(csv->parts_seen, csv->n_parts, sizeof *seen);
    if (!csv->part_value || !seen)
        return err_nomem(err);
    csv->parts_seen = seen;
    seen[csv->n_parts++] = hash_value(csv->part_value);
    return csv_file_open(csv, &csv->part, part_name(csv, csv->part_value), err);
}

/* The row is in `line`; `altered` of its cells are not as they were. */
static enum err_code write_row(struct csv_sink *csv, struct csv_file *file,
                               const struct value *values, uint64_t altered, struct err *err)
{
    if (!totals_add(file->totals, csv->table->columns, csv->n_columns, values))
        return err_set(err, ERR_INTERNAL, "a total of \"%s\" overflows", file->name);
    file->rows++;
    file->altered += altered;
    return outfile_write(file->out, csv->line.text, csv->line.len, err);
}

static enum err_code csv_row(struct sink *sink, const struct value *values,
                             const struct cell *split, struct err *err)
{
    struct csv_sink *csv = (struct csv_sink *)sink;
    uint64_t altered = 0;

    if (csv->table->split && turn_to(csv, split, err) != ERR_OK)
        return err->code;
    sb_reset(&csv->line);
    for (size_t i = 0; i < csv->n_columns; i++) {
        if (i > 0)
            sb_add(&csv->line, ",", 1);
        if (values[i].kind == VALUE_TEXT) {
            if (!add_text(csv, &values[i], &altered))
                return err_nomem(err);
        } else if (values[i].kind != VALUE_NULL) {
            sb_add(&csv->line, values[i].text, values[i].len);
        }
    }
    sb_add(&csv->line, "\r\n", 2);
    if (csv->line.failed)
        return err_nomem(err);
    if (csv->table->split && write_row(csv, &csv->part, values, altered, err) != ERR_OK)
        return err->code;
    return write_row(csv, &csv->whole, values, altered, err);
}

static int compare_hashes(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* A value that comes back after another would have got two files. */
static enum err_code check_parts(struct csv_sink *csv, struct err *err)
{
    qsort(csv->parts_seen, csv->n_parts, sizeof csv->parts_seen[0], compare_hashes);
    for (size_t i = 1; i < csv->n_parts; i++)
        if (csv->parts_seen[i] == csv->parts_seen[i - 1])
            return err_set(err, ERR_INTERNAL, "table \"%s\": the rows are not ordered by \"%s\"",
                           csv->table->sheet, csv->table->split);
    csv->n_parts = 0;
    free(TAKE_PTR(csv->parts_seen));
    return ERR_OK;
}

static enum err_code csv_end_table(struct sink *sink, struct err *err)
{
    struct csv_sink *csv = (struct csv_sink *)sink;

    if (csv->part.out && csv_file_finish(csv, &csv->part, err) != ERR_OK)
        return err->code;
    if (csv->n_parts > 0 && check_parts(csv, err) != ERR_OK)
        return err->code;
    return csv_file_finish(csv, &csv->whole, err);
}

static enum err_code csv_finish(struct sink *sink, _unused_ const struct report_summary *summary,
                                struct report_files *files, struct err *err)
{
    struct csv_sink *csv = (struct csv_sink *)sink;

    for (size_t i = 0; i < csv->files.n; i++) {
        struct report_file *from = &csv->files.files[i];
        struct report_file *to = report_files_add(files, from->name);

        if (!to) {
            csv_discard(sink);
            return err_nomem(err);
        }
        to->rows = from->rows;
        to->altered = from->altered;
        to->totals = TAKE_PTR(from->totals);
        to->n_totals = from->n_totals;
    }
    csv_free_sink(csv);
    return ERR_OK;
}

const struct sink_ops csv_sink_ops = {
    .format = FORMAT_CSV,
    .open = csv_open,
    .begin_table = csv_begin_table,
    .row = csv_row,
    .end_table = csv_end_table,
    .finish = csv_finish,
    .discard = csv_discard,
};
