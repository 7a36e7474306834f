/* Reports as an Excel workbook; the only user of libxlsxwriter.
 *
 * Sheets: `Summary` first (figures, tallies, charts), then one per table, which goes on to
 * "Name 2", "Name 3" ... where a sheet is full, and last `Run`. Every cell, of whatever sheet, goes
 * through put_text or put_number: there it is cleaned, checked, and added to the sheet's sum that
 * the finished file is compared with. Rows go to libxlsxwriter's temporary files in the staging
 * folder at once (constant memory); the Summary sheet is the first in the book and is written last.
 *
 * A data row is typed values, a page and a row number (put_row): what a faster writer of bulk rows
 * needs, which would replace put_row and keep all the rest.
 */
#define _GNU_SOURCE
#include "report_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include "outfile.h"
#include "xlsx_check.h"

#include "ban.h"

enum {
    SHEET_ROWS = 1048575, /* data rows of a sheet: all of Excel's but the header */
    CHART_COLUMN = 3,     /* right of the Summary's labels, figures and a gap */
    CHART_WIDTH = 640,    /* pixels */
    ROW_PIXELS = 20,
    COLOR_TITLE = 0x1F3864,
    COLOR_BAR = 0x2F5597,
    COLOR_HEADER = 0xDCE6F1,
    COLOR_FAINT = 0x595959,
    COLOR_LINE = 0x8EA9DB,
};

/* A sheet of the book. */
struct page {
    lxw_worksheet *sheet;
    char *name;
    struct xlsx_sum sum;
    const struct report_table *table; /* NULL for Summary and Run */
};

struct xlsx_sink {
    struct sink base;
    const struct report_meta *meta;
    const char *dir;
    char *name, *path; /* "<job>.xlsx" and where it is */
    bool made;         /* there is a file at `path` */
    char *as_of;       /* "2026-03-31 00:00:00 UTC" */
    lxw_workbook *book;
    lxw_format *title, *faint, *heading, *header, *integer, *bold;
    lxw_format *by_type[COL_INSTANT + 1]; /* of a data cell; NULL is the default */
    struct page *pages;
    size_t n_pages, page; /* page: the one being filled */
    size_t part;          /* the table's how manieth sheet, from 1 */
    const struct report_table *table;
    size_t n_columns;
    uint32_t row; /* the next free one */
    uint64_t rows, altered;
    struct strbuf text;
};

/* ---- errors ---- */

static enum err_code full(const struct xlsx_sink *xlsx, int errnum, struct err *err)
{
    err_sys(err, ERR_IO, errnum ? errnum : EIO, "could not write \"%s\"", xlsx->path);
    return err->code;
}

/* What a call of libxlsxwriter says. */
static enum err_code checked(const struct xlsx_sink *xlsx, lxw_error rc, struct err *err)
{
    switch (rc) {
    case LXW_NO_ERROR:
        return ERR_OK;
    case LXW_ERROR_MEMORY_MALLOC_FAILED:
        return err_nomem(err);
    case LXW_ERROR_CREATING_XLSX_FILE:
    case LXW_ERROR_CREATING_TMPFILE:
    case LXW_ERROR_READING_TMPFILE:
    case LXW_ERROR_ZIP_FILE_OPERATION:
    case LXW_ERROR_ZIP_PARAMETER_ERROR:
    case LXW_ERROR_ZIP_BAD_ZIP_FILE:
    case LXW_ERROR_ZIP_INTERNAL_ERROR:
    case LXW_ERROR_ZIP_FILE_ADD:
    case LXW_ERROR_ZIP_CLOSE:
        return full(xlsx, errno, err);
    default:
        return err_set(err, ERR_INTERNAL, "could not make \"%s\": %s", xlsx->path,
                       lxw_strerror(rc));
    }
}

/* ---- cells ---- */

/* Every text of the book. Empty text is no cell. */
static enum err_code put_text(struct xlsx_sink *xlsx, size_t page, uint32_t row, uint16_t column,
                              const char *text, size_t len, unsigned traits, lxw_format *format,
                              struct err *err)
{
    struct page *p = &xlsx->pages[page];
    const char *clean;

    sb_reset(&xlsx->text);
    xlsx->altered += cell_workbook_text(&xlsx->text, text, len, traits);
    clean = sb_text(&xlsx->text);
    if (!clean)
        return err_nomem(err);
    if (*clean == '\0')
        return ERR_OK;
    xlsx_sum_cell(&p->sum, row, column, XLSX_TEXT, clean, xlsx->text.len);
    return checked(xlsx, worksheet_write_string(p->sheet, row, column, clean, format), err);
}

static enum err_code put_string(struct xlsx_sink *xlsx, size_t page, uint32_t row, uint16_t column,
                                const char *text, lxw_format *format, struct err *err)
{
    size_t len = strlen(text);

    return put_text(xlsx, page, row, column, text, len, text_traits(text, len), format, err);
}

/* Every number of the book. The sum takes the text that libxlsxwriter makes of it (%.16G). */
static enum err_code put_number(struct xlsx_sink *xlsx, size_t page, uint32_t row, uint16_t column,
                                double number, lxw_format *format, struct err *err)
{
    struct page *p = &xlsx->pages[page];
    char text[32];
    int len = snprintf(text, sizeof text, "%.16G", number);

    xlsx_sum_cell(&p->sum, row, column, XLSX_NUMBER, text, (size_t)len);
    return checked(xlsx, worksheet_write_number(p->sheet, row, column, number, format), err);
}

/* A whole number: as text where a double would round it. */
static enum err_code put_integer(struct xlsx_sink *xlsx, size_t page, uint32_t row, uint16_t column,
                                 int64_t number, struct err *err)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%" PRId64, number);
    struct cell cell = {text, (size_t)len};
    struct value value;

    if (cell_read(COL_COUNT, &cell, &value) && value.kind == VALUE_NUMBER)
        return put_number(xlsx, page, row, column, value.number, xlsx->integer, err);
    return put_string(xlsx, page, row, column, text, NULL, err);
}

/* ---- sheets ---- */

/* Sheet names are ours and must differ; libxlsxwriter would say so on stderr. */
static bool name_is_free(const struct xlsx_sink *xlsx, const char *name)
{
    for (size_t i = 0; i < xlsx->n_pages; i++)
        if (strcasecmp(xlsx->pages[i].name, name) == 0)
            return false;
    return true;
}

/* Adds a sheet and makes it the one being filled. `name` is taken over; NULL is out of memory. */
static enum err_code add_page(struct xlsx_sink *xlsx, char *name, struct err *err)
{
    _cleanup_free_ char *owned = name;
    struct page *grown = array_room(xlsx->pages, xlsx->n_pages, sizeof *grown);
    lxw_worksheet *sheet;

    if (grown)
        xlsx->pages = grown;
    if (!grown || !owned)
        return err_nomem(err);
    if (!name_is_free(xlsx, owned) ||
        workbook_validate_sheet_name(xlsx->book, owned) != LXW_NO_ERROR)
        return err_set(err, ERR_INTERNAL, "\"%s\" cannot be a sheet's title", owned);
    sheet = workbook_add_worksheet(xlsx->book, owned);
    if (!sheet)
        return full(xlsx, errno, err);
    grown[xlsx->n_pages] = (struct page){.sheet = sheet, .name = TAKE_PTR(owned)};
    xlsx->page = xlsx->n_pages++;
    xlsx->row = 0;
    return ERR_OK;
}

/* libxlsxwriter does not look whether its temporary file took the rows: we do. */
static enum err_code page_written(const struct xlsx_sink *xlsx, const struct page *page,
                                  struct err *err)
{
    FILE *file = page->sheet->optimize_tmpfile;

    return file && ferror(file) ? full(xlsx, ENOSPC, err) : ERR_OK;
}

static int column_width(const struct column *column)
{
    int least = (int)strlen(column->header) + 4; /* and the filter's button */

    return column->width > least ? column->width : least;
}

/* The next sheet of the table, with its header. */
static enum err_code open_table_page(struct xlsx_sink *xlsx, struct err *err)
{
    const struct column *columns = xlsx->table->columns;
    char *name = xlsx->part == 0 ? strdup(xlsx->table->sheet)
                                 : str_format("%s %zu", xlsx->table->sheet, xlsx->part + 1);
    lxw_worksheet *sheet;

    if (add_page(xlsx, name, err) != ERR_OK)
        return err->code;
    xlsx->part++;
    xlsx->pages[xlsx->page].table = xlsx->table;
    sheet = xlsx->pages[xlsx->page].sheet;
    worksheet_freeze_panes(sheet, 1, 0);
    worksheet_set_landscape(sheet);
    worksheet_fit_to_pages(sheet, 1, 0);
    if (checked(xlsx, worksheet_repeat_rows(sheet, 0, 0), err) != ERR_OK ||
        checked(xlsx, worksheet_set_row(sheet, 0, 20, NULL), err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < xlsx->n_columns; i++) {
        uint16_t column = (uint16_t)i;

        if (checked(xlsx,
                    worksheet_set_column(sheet, column, column, column_width(&columns[i]), NULL),
                    err) != ERR_OK ||
            put_string(xlsx, xlsx->page, 0, column, columns[i].header, xlsx->header, err) != ERR_OK)
            return err->code;
    }
    xlsx->row = 1;
    return ERR_OK;
}

/* The filter spans the rows, and ids as text are meant to be so: no green corners. */
static enum err_code close_table_page(struct xlsx_sink *xlsx, struct err *err)
{
    struct page *page = &xlsx->pages[xlsx->page];
    uint32_t last = xlsx->row - 1;
    uint16_t last_column = (uint16_t)(xlsx->n_columns - 1);
    char range[LXW_MAX_CELL_RANGE_LENGTH];

    lxw_rowcol_to_range(range, 0, 0, last, last_column);
    if (checked(xlsx, worksheet_autofilter(page->sheet, 0, 0, last, last_column), err) != ERR_OK ||
        checked(xlsx, worksheet_ignore_errors(page->sheet, LXW_IGNORE_NUMBER_STORED_AS_TEXT, range),
                err) != ERR_OK)
        return err->code;
    return page_written(xlsx, page, err);
}

/* ---- the sink ---- */

static void xlsx_free(struct xlsx_sink *xlsx)
{
    if (xlsx->book) {
        for (size_t i = 0; i < xlsx->n_pages; i++) /* lxw_workbook_free leaves these open */
            fclosep(&xlsx->pages[i].sheet->optimize_tmpfile);
        lxw_workbook_free(xlsx->book);
    }
    for (size_t i = 0; i < xlsx->n_pages; i++)
        free(xlsx->pages[i].name);
    free(xlsx->pages);
    free(xlsx->name);
    free(xlsx->path);
    free(xlsx->as_of);
    sb_done(&xlsx->text);
    free(xlsx);
}

static void xlsx_discard(struct sink *sink)
{
    struct xlsx_sink *xlsx = (struct xlsx_sink *)sink;

    if (xlsx->made)
        unlink(xlsx->path);
    xlsx_free(xlsx);
}

static lxw_format *new_format(lxw_workbook *book, bool *ok)
{
    lxw_format *format = workbook_add_format(book);

    *ok = *ok && format;
    return format;
}

static lxw_format *new_number_format(lxw_workbook *book, const char *code, bool *ok)
{
    lxw_format *format = new_format(book, ok);

    if (format)
        format_set_num_format(format, code);
    return format;
}

static enum err_code make_formats(struct xlsx_sink *xlsx, struct err *err)
{
    lxw_workbook *book = xlsx->book;
    bool ok = true;

    xlsx->title = new_format(book, &ok);
    xlsx->faint = new_format(book, &ok);
    xlsx->heading = new_format(book, &ok);
    xlsx->header = new_format(book, &ok);
    xlsx->bold = new_format(book, &ok);
    xlsx->integer = new_number_format(book, "#,##0", &ok);
    xlsx->by_type[COL_ID] = new_number_format(book, "@", &ok);
    xlsx->by_type[COL_COUNT] = xlsx->integer;
    xlsx->by_type[COL_DECIMAL1] = new_number_format(book, "0.0", &ok);
    xlsx->by_type[COL_AMOUNT] = new_number_format(book, "#,##0.00##", &ok);
    xlsx->by_type[COL_DATE] = new_number_format(book, "yyyy-mm-dd", &ok);
    xlsx->by_type[COL_DATE_NA] = xlsx->by_type[COL_DATE];
    xlsx->by_type[COL_INSTANT] = new_number_format(book, "yyyy-mm-dd hh:mm:ss", &ok);
    if (!ok)
        return err_nomem(err);
    format_set_bold(xlsx->title);
    format_set_font_size(xlsx->title, 18);
    format_set_font_color(xlsx->title, COLOR_TITLE);
    format_set_align(xlsx->title, LXW_ALIGN_VERTICAL_CENTER);
    format_set_font_color(xlsx->faint, COLOR_FAINT);
    format_set_bold(xlsx->heading);
    format_set_font_size(xlsx->heading, 12);
    format_set_font_color(xlsx->heading, COLOR_TITLE);
    format_set_bottom(xlsx->heading, LXW_BORDER_MEDIUM);
    format_set_bottom_color(xlsx->heading, COLOR_LINE);
    format_set_bold(xlsx->header);
    format_set_bg_color(xlsx->header, COLOR_HEADER);
    format_set_bottom(xlsx->header, LXW_BORDER_THIN);
    format_set_bottom_color(xlsx->header, COLOR_LINE);
    format_set_align(xlsx->header, LXW_ALIGN_VERTICAL_CENTER);
    format_set_bold(xlsx->bold);
    return ERR_OK;
}

/* The file is made here, new and with the mode it shall have; libxlsxwriter writes into it. */
static enum err_code make_file(struct xlsx_sink *xlsx, struct err *err)
{
    struct outfile *file;

    if (outfile_open(&file, xlsx->dir, xlsx->name, err) != ERR_OK)
        return err->code;
    xlsx->made = true;
    return outfile_finish(file, err);
}

/* The book's date of creation is the as-of: no clock. */
static enum err_code set_properties(struct xlsx_sink *xlsx, struct err *err)
{
    const char *as_of = xlsx->meta->as_of;
    _cleanup_free_ char *title = strdup(xlsx->meta->title);
    char author[] = "lapse";
    lxw_doc_properties properties = {.title = title, .author = author};
    struct value value;

    if (!title)
        return err_nomem(err);
    if (!cell_read_instant(as_of, strlen(as_of), &value) || value.kind != VALUE_NUMBER)
        return err_set(err, ERR_INTERNAL, "\"%s\" is not an as-of", as_of);
    xlsx->as_of = str_format("%.10s %.8s UTC", value.text, value.text + 11);
    if (!xlsx->as_of)
        return err_nomem(err);
    properties.created = (time_t)((value.number - 25569) * 86400 + 0.5);
    if (properties.created == 0)
        properties.created = 1; /* 0 would be the clock */
    return checked(xlsx, workbook_set_properties(xlsx->book, &properties), err);
}

static enum err_code open_book(struct xlsx_sink *xlsx, struct err *err)
{
    _cleanup_free_ char *tmpdir = strdup(xlsx->dir);
    lxw_workbook_options options = {.constant_memory = LXW_TRUE, .tmpdir = tmpdir};

    xlsx->name = str_format("%s.xlsx", xlsx->meta->job);
    xlsx->path = xlsx->name ? str_format("%s/%s", xlsx->dir, xlsx->name) : NULL;
    if (!tmpdir || !xlsx->path)
        return err_nomem(err);
    if (make_file(xlsx, err) != ERR_OK)
        return err->code;
    xlsx->book = workbook_new_opt(xlsx->path, &options);
    if (!xlsx->book)
        return err_nomem(err);
    if (set_properties(xlsx, err) != ERR_OK || make_formats(xlsx, err) != ERR_OK)
        return err->code;
    return add_page(xlsx, strdup("Summary"), err);
}

static enum err_code xlsx_open(struct sink **ret, const struct report_meta *meta, const char *dir,
                               struct err *err)
{
    struct xlsx_sink *xlsx = calloc(1, sizeof *xlsx);

    if (!xlsx)
        return err_nomem(err);
    xlsx->base.ops = &xlsx_sink_ops;
    xlsx->meta = meta;
    xlsx->dir = dir;
    if (open_book(xlsx, err) != ERR_OK) {
        xlsx_discard(&xlsx->base);
        return err->code;
    }
    *ret = &xlsx->base;
    return ERR_OK;
}

static enum err_code xlsx_begin_table(struct sink *sink, const struct report_table *table,
                                      struct err *err)
{
    struct xlsx_sink *xlsx = (struct xlsx_sink *)sink;

    xlsx->table = table;
    xlsx->n_columns = column_count(table->columns);
    xlsx->part = 0;
    if (strcasecmp(table->sheet, "Run") == 0)
        return err_set(err, ERR_INTERNAL, "\"%s\" cannot be a sheet's title", table->sheet);
    return open_table_page(xlsx, err);
}

/* One data row. */
static enum err_code put_row(struct xlsx_sink *xlsx, size_t page, uint32_t row,
                             const struct value *values, struct err *err)
{
    const struct column *columns = xlsx->table->columns;
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < xlsx->n_columns && code == ERR_OK; i++) {
        const struct value *value = &values[i];
        lxw_format *format = xlsx->by_type[columns[i].type];
        uint16_t column = (uint16_t)i;

        switch (value->kind) {
        case VALUE_NULL:
            break;
        case VALUE_NUMBER:
            code = put_number(xlsx, page, row, column, value->number, format, err);
            break;
        case VALUE_TEXT:
            code = put_text(xlsx, page, row, column, value->text, value->len, value->traits, NULL,
                            err);
            break;
        case VALUE_BARE:
            code = put_text(xlsx, page, row, column, value->text, value->len, 0,
                            columns[i].type == COL_ID ? format : NULL, err);
            break;
        }
    }
    return code != ERR_OK ? code : page_written(xlsx, &xlsx->pages[page], err);
}

static enum err_code xlsx_row(struct sink *sink, const struct value *values,
                              _unused_ const struct cell *split, struct err *err)
{
    struct xlsx_sink *xlsx = (struct xlsx_sink *)sink;

    if (xlsx->row > SHEET_ROWS &&
        (close_table_page(xlsx, err) != ERR_OK || open_table_page(xlsx, err) != ERR_OK))
        return err->code;
    xlsx->rows++;
    return put_row(xlsx, xlsx->page, xlsx->row++, values, err);
}

static enum err_code xlsx_end_table(struct sink *sink, struct err *err)
{
    return close_table_page((struct xlsx_sink *)sink, err);
}

/* ---- the sheets Summary and Run ---- */

/* A line "label: figure" on the sheet being filled. */
static enum err_code put_figure(struct xlsx_sink *xlsx, const char *label, int64_t value,
                                struct err *err)
{
    if (put_string(xlsx, xlsx->page, xlsx->row, 0, label, NULL, err) != ERR_OK)
        return err->code;
    return put_integer(xlsx, xlsx->page, xlsx->row++, 1, value, err);
}

static enum err_code put_pair(struct xlsx_sink *xlsx, const char *label, const char *text,
                              struct err *err)
{
    if (put_string(xlsx, xlsx->page, xlsx->row, 0, label, NULL, err) != ERR_OK)
        return err->code;
    return put_string(xlsx, xlsx->page, xlsx->row++, 1, text, NULL, err);
}

/* A line over both columns in one format, `right` may be NULL. */
static enum err_code put_line(struct xlsx_sink *xlsx, const char *left, const char *right,
                              lxw_format *format, struct err *err)
{
    lxw_worksheet *sheet = xlsx->pages[xlsx->page].sheet;

    if (put_string(xlsx, xlsx->page, xlsx->row, 0, left, format, err) != ERR_OK)
        return err->code;
    if (right)
        return put_string(xlsx, xlsx->page, xlsx->row++, 1, right, format, err);
    return checked(xlsx, worksheet_write_blank(sheet, xlsx->row++, 1, format), err);
}

static enum err_code put_title(struct xlsx_sink *xlsx, const char *title, struct err *err)
{
    lxw_worksheet *sheet = xlsx->pages[xlsx->page].sheet;

    worksheet_gridlines(sheet, LXW_HIDE_ALL_GRIDLINES);
    worksheet_set_landscape(sheet);
    worksheet_fit_to_pages(sheet, 1, 0);
    if (checked(xlsx, worksheet_set_row(sheet, 0, 30, NULL), err) != ERR_OK ||
        put_string(xlsx, xlsx->page, xlsx->row++, 0, title, xlsx->title, err) != ERR_OK)
        return err->code;
    return ERR_OK;
}

static enum err_code set_widths(struct xlsx_sink *xlsx, double first, double second,
                                struct err *err)
{
    lxw_worksheet *sheet = xlsx->pages[xlsx->page].sheet;

    if (checked(xlsx, worksheet_set_column(sheet, 0, 0, first, NULL), err) != ERR_OK)
        return err->code;
    return checked(xlsx, worksheet_set_column(sheet, 1, 1, second, NULL), err);
}

/* A table's rows and totals, and on which sheets it stands if they are several. */
static enum err_code put_table_block(struct xlsx_sink *xlsx, const struct table_summary *summary,
                                     struct err *err)
{
    const struct column *columns = summary->table->columns;
    size_t sheets = 0;

    if (put_line(xlsx, summary->table->sheet, NULL, xlsx->heading, err) != ERR_OK ||
        put_figure(xlsx, "Rows", (int64_t)summary->rows, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; columns[i].header; i++)
        if (columns[i].total &&
            put_figure(xlsx, columns[i].header, summary->totals[i], err) != ERR_OK)
            return err->code;
    for (size_t i = 0; i < xlsx->n_pages; i++)
        sheets += xlsx->pages[i].table == summary->table;
    if (sheets > 1 && put_figure(xlsx, "Sheets", (int64_t)sheets, err) != ERR_OK)
        return err->code;
    xlsx->row++;
    return ERR_OK;
}

/* What the counted field is called on the table's sheet. */
static const char *tally_header(const struct report_table *table)
{
    for (size_t i = 0; table->columns[i].header; i++)
        if (str_eq(table->columns[i].field, table->tally))
            return table->columns[i].header;
    return table->tally;
}

static const char *tally_label(const struct tally_entry *entry)
{
    if (!entry->value)
        return "(none)";
    return *entry->value ? entry->value : "(empty)";
}

static int chart_height(size_t bars)
{
    return 90 + 30 * (int)bars;
}

/* A bar for every line of the tally in rows first..last, the longest on top, beside its cells. */
static enum err_code put_chart(struct xlsx_sink *xlsx, const char *question, uint32_t heading,
                               uint32_t first, uint32_t last, struct err *err)
{
    lxw_chart *chart = workbook_add_chart(xlsx->book, LXW_CHART_BAR);
    lxw_chart_series *series = chart ? chart_add_series(chart, NULL, NULL) : NULL;
    lxw_chart_fill fill = {.color = COLOR_BAR};
    lxw_chart_font title_font = {.size = 13, .bold = LXW_TRUE, .color = COLOR_TITLE};
    lxw_chart_line none = {.none = LXW_TRUE}, border = {.color = 0xD9D9D9};
    lxw_chart_options size = {
        .x_scale = CHART_WIDTH / 480.0, /* of libxlsxwriter's 480 x 288 pixels */
        .y_scale = chart_height(last - first + 1) / 288.0,
    };
    char format[] = "#,##0";

    if (!series)
        return err_nomem(err);
    chart_series_set_categories(series, "Summary", first, 0, last, 0);
    chart_series_set_values(series, "Summary", first, 1, last, 1);
    chart_series_set_fill(series, &fill);
    chart_series_set_labels(series);
    chart_series_set_labels_num_format(series, format);
    chart_set_series_gap(chart, 50);
    chart_title_set_name(chart, question);
    chart_title_set_name_font(chart, &title_font);
    chart_legend_set_position(chart, LXW_CHART_LEGEND_NONE);
    chart_chartarea_set_line(chart, &border);
    chart_axis_set_reverse(chart->x_axis);
    chart_axis_set_line(chart->x_axis, &none);
    chart_axis_set_major_tick_mark(chart->x_axis, LXW_CHART_AXIS_TICK_MARK_NONE);
    chart_axis_major_gridlines_set_visible(chart->y_axis, LXW_FALSE);
    chart_axis_set_min(chart->y_axis, 0);
    chart_axis_off(chart->y_axis);
    return checked(xlsx,
                   worksheet_insert_chart_opt(xlsx->pages[xlsx->page].sheet, heading, CHART_COLUMN,
                                              chart, &size),
                   err);
}

/* How often each value came, and its chart. */
static enum err_code put_tally_block(struct xlsx_sink *xlsx, const struct table_summary *summary,
                                     struct err *err)
{
    const struct tally *tally = &summary->tally;
    const char *question = summary->table->question ? summary->table->question : "";
    uint32_t heading = xlsx->row, first = xlsx->row + 2, below;

    if (put_line(xlsx, *question ? question : summary->table->sheet, NULL, xlsx->heading, err) !=
            ERR_OK ||
        put_line(xlsx, tally_header(summary->table), "Rows", xlsx->header, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < tally->n; i++)
        if (put_figure(xlsx, tally_label(&tally->entries[i]), (int64_t)tally->entries[i].count,
                       err) != ERR_OK)
            return err->code;
    if (tally->other > 0 && put_figure(xlsx, "other", (int64_t)tally->other, err) != ERR_OK)
        return err->code;
    if (put_chart(xlsx, question, heading, first, xlsx->row - 1, err) != ERR_OK)
        return err->code;
    below = heading + (uint32_t)chart_height(xlsx->row - first) / ROW_PIXELS + 1;
    xlsx->row = (xlsx->row > below ? xlsx->row : below) + 1;
    return ERR_OK;
}

static size_t longest_label(const struct report_summary *summary)
{
    size_t longest = 0;

    for (size_t i = 0; i < summary->n_tables; i++) {
        const struct table_summary *table = &summary->tables[i];

        for (size_t j = 0; j < table->tally.n; j++)
            if (table->tally.entries[j].len > longest)
                longest = table->tally.entries[j].len;
        if (table->table->question && strlen(table->table->question) + 6 > longest)
            longest = strlen(table->table->question) + 6; /* it is bold and large */
    }
    for (size_t i = 0; i < summary->n_figures; i++)
        if (strlen(summary->figures[i].label) > longest)
            longest = strlen(summary->figures[i].label);
    return longest;
}

static enum err_code write_summary(struct xlsx_sink *xlsx, const struct report_summary *summary,
                                   struct err *err)
{
    _cleanup_free_ char *as_of = str_format("As of %s", xlsx->as_of);
    size_t width = longest_label(summary) + 2;

    if (!as_of)
        return err_nomem(err);
    xlsx->page = 0;
    xlsx->row = 0;
    if (set_widths(xlsx,
                   width < 34   ? 34
                   : width > 60 ? 60
                                : (double)width,
                   14, err) != ERR_OK ||
        put_title(xlsx, xlsx->meta->title, err) != ERR_OK ||
        put_string(xlsx, 0, xlsx->row, 0, as_of, xlsx->faint, err) != ERR_OK)
        return err->code;
    xlsx->row += 2;
    for (size_t i = 0; i < summary->n_tables; i++)
        if (put_table_block(xlsx, &summary->tables[i], err) != ERR_OK)
            return err->code;
    if (summary->n_figures > 0 && put_line(xlsx, "Figures", NULL, xlsx->heading, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < summary->n_figures; i++)
        if (put_figure(xlsx, summary->figures[i].label, summary->figures[i].value, err) != ERR_OK)
            return err->code;
    xlsx->row += summary->n_figures > 0;
    for (size_t i = 0; i < summary->n_tables; i++)
        if (summary->tables[i].table->tally && summary->tables[i].rows > 0 &&
            put_tally_block(xlsx, &summary->tables[i], err) != ERR_OK)
            return err->code;
    return page_written(xlsx, &xlsx->pages[0], err);
}

static enum err_code write_run(struct xlsx_sink *xlsx, struct err *err)
{
    const struct report_meta *meta = xlsx->meta;

    if (add_page(xlsx, strdup("Run"), err) != ERR_OK || set_widths(xlsx, 34, 60, err) != ERR_OK ||
        put_title(xlsx, "Run", err) != ERR_OK || put_pair(xlsx, "Job", meta->job, err) != ERR_OK ||
        put_pair(xlsx, "Report", meta->title, err) != ERR_OK ||
        put_pair(xlsx, "As of", xlsx->as_of, err) != ERR_OK ||
        put_pair(xlsx, "lapse version", meta->version, err) != ERR_OK)
        return err->code;
    xlsx->row++;
    if (meta->n_settings > 0 && put_line(xlsx, "Setting", "Value", xlsx->header, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < meta->n_settings; i++)
        if (put_pair(xlsx, meta->settings[i].name, meta->settings[i].value, err) != ERR_OK)
            return err->code;
    xlsx->row += meta->n_settings > 0;
    if (meta->n_notes > 0 && put_line(xlsx, "Notes", NULL, xlsx->heading, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < meta->n_notes; i++)
        if (put_string(xlsx, xlsx->page, xlsx->row++, 0, meta->notes[i], NULL, err) != ERR_OK)
            return err->code;
    return page_written(xlsx, &xlsx->pages[xlsx->page], err);
}

/* ---- the end ---- */

/* zip64 is refused by some readers: only where a sheet needs it. */
static void choose_zip64(struct xlsx_sink *xlsx)
{
    const off_t limit = (off_t)4000 * 1024 * 1024;

    for (size_t i = 0; i < xlsx->n_pages; i++) {
        FILE *file = xlsx->pages[i].sheet->optimize_tmpfile;

        if (file && ftello(file) > limit)
            xlsx->book->options.use_zip64 = LXW_TRUE;
    }
}

/* Puts the package together; it counts as good only after it was read back. */
static enum err_code close_book(struct xlsx_sink *xlsx, struct err *err)
{
    _cleanup_free_ struct xlsx_sheet *sheets = calloc(xlsx->n_pages, sizeof *sheets);
    lxw_error rc;

    if (!sheets)
        return err_nomem(err);
    choose_zip64(xlsx);
    errno = 0;
    rc = workbook_close(TAKE_PTR(xlsx->book)); /* frees it in any case */
    if (checked(xlsx, rc, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < xlsx->n_pages; i++)
        sheets[i] = (struct xlsx_sheet){xlsx->pages[i].name, xlsx->pages[i].sum};
    if (xlsx_check(xlsx->path, sheets, xlsx->n_pages, err) != ERR_OK)
        return err->code;
    return durable_sync(xlsx->path, err);
}

static enum err_code list_file(struct xlsx_sink *xlsx, const struct report_summary *summary,
                               struct report_files *files, struct err *err)
{
    struct report_file *file = report_files_add(files, xlsx->name);

    if (!file)
        return err_nomem(err);
    file->rows = xlsx->rows;
    file->altered = xlsx->altered;
    for (size_t i = 0; i < summary->n_tables; i++) {
        const struct table_summary *table = &summary->tables[i];

        for (size_t j = 0; table->table->columns[j].header; j++)
            if (table->table->columns[j].total &&
                !report_file_total(file, table->table->columns[j].header, table->totals[j]))
                return err_nomem(err);
    }
    return ERR_OK;
}

static enum err_code xlsx_finish(struct sink *sink, const struct report_summary *summary,
                                 struct report_files *files, struct err *err)
{
    struct xlsx_sink *xlsx = (struct xlsx_sink *)sink;

    if (write_summary(xlsx, summary, err) != ERR_OK || write_run(xlsx, err) != ERR_OK ||
        close_book(xlsx, err) != ERR_OK || list_file(xlsx, summary, files, err) != ERR_OK) {
        xlsx_discard(sink);
        return err->code;
    }
    xlsx_free(xlsx);
    return ERR_OK;
}

const struct sink_ops xlsx_sink_ops = {
    .format = FORMAT_XLSX,
    .open = xlsx_open,
    .begin_table = xlsx_begin_table,
    .row = xlsx_row,
    .end_table = xlsx_end_table,
    .finish = xlsx_finish,
    .discard = xlsx_discard,
};
