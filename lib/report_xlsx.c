/* Reports as an Excel workbook.
 *
 * Sheets: `Summary` first (figures, tallies, charts), then one per table, which goes on to
 * "Name 2", "Name 3" ... where a sheet is full, and last `Run`. Every cell that libxlsxwriter
 * writes goes through xlsx_put_text or xlsx_put_number, every other through report_xlsx_rows.c:
 * there it is cleaned, checked, and added to the sheet's sum that the finished file is compared
 * with.
 *
 * libxlsxwriter makes the shell: a book that lacks only the data rows, in the staging folder. Rows
 * are packed into a spool beside it as they come; at the end both are put together.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs.h"
#include "report_xlsx.h"

#include "ban.h"

enum { SHEET_ROWS = 1048575 }; /* data rows of a sheet: all of Excel's but the header */

/* And bytes of its XML, short of the 4 GiB from which LibreOffice does not open it. */
uint64_t xlsx_sheet_bytes = UINT64_C(15) << 28;

/* ---- errors ---- */

enum err_code xlsx_full(const struct xlsx_sink *xlsx, int errnum, struct err *err)
{
    err_sys(err, ERR_IO, errnum ? errnum : EIO, "could not write \"%s\"", xlsx->path);
    return fs_hint(err, errnum);
}

enum err_code xlsx_checked(const struct xlsx_sink *xlsx, lxw_error rc, struct err *err)
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
        return xlsx_full(xlsx, errno, err);
    default:
        return err_set(err, ERR_INTERNAL, "could not make \"%s\": %s", xlsx->path,
                       lxw_strerror(rc));
    }
}

/* ---- cells ---- */

/* Every text but the data rows'. Empty text is no cell. */
enum err_code xlsx_put_text(struct xlsx_sink *xlsx, size_t page, uint32_t row, uint16_t column,
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
    return xlsx_checked(xlsx, worksheet_write_string(p->sheet, row, column, clean, format), err);
}

enum err_code xlsx_put_string(struct xlsx_sink *xlsx, size_t page, uint32_t row, uint16_t column,
                              const char *text, lxw_format *format, struct err *err)
{
    size_t len = strlen(text);

    return xlsx_put_text(xlsx, page, row, column, text, len, text_traits(text, len), format, err);
}

/* Every number but the data rows'. The sum takes the text that libxlsxwriter makes of it. */
enum err_code xlsx_put_number(struct xlsx_sink *xlsx, size_t page, uint32_t row, uint16_t column,
                              double number, lxw_format *format, struct err *err)
{
    struct page *p = &xlsx->pages[page];
    char text[SHEET_NUMBER_MAX];
    size_t len = sheet_number_text(number, text);

    xlsx_sum_cell(&p->sum, row, column, XLSX_NUMBER, text, len);
    return xlsx_checked(xlsx, worksheet_write_number(p->sheet, row, column, number, format), err);
}

enum err_code xlsx_put_integer(struct xlsx_sink *xlsx, size_t page, uint32_t row, uint16_t column,
                               int64_t number, struct err *err)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%" PRId64, number);
    struct cell cell = {text, (size_t)len};
    struct value value;

    if (cell_read(COL_COUNT, &cell, &value) && value.kind == VALUE_NUMBER)
        return xlsx_put_number(xlsx, page, row, column, value.number, xlsx->integer, err);
    return xlsx_put_string(xlsx, page, row, column, text, NULL, err);
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

enum err_code xlsx_add_page(struct xlsx_sink *xlsx, char *name, struct err *err)
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
        return xlsx_full(xlsx, errno, err);
    grown[xlsx->n_pages] = (struct page){.sheet = sheet, .name = TAKE_PTR(owned)};
    xlsx->page = xlsx->n_pages++;
    xlsx->row = 0;
    return ERR_OK;
}

enum err_code xlsx_page_written(const struct xlsx_sink *xlsx, const struct page *page,
                                struct err *err)
{
    FILE *file = page->sheet->optimize_tmpfile;

    if (!file || !ferror(file))
        return ERR_OK;
    err_set(err, ERR_IO, "could not write \"%s\": a temporary file beside it did not take the rows",
            xlsx->path);
    err_hint(err, "The disk may be full; free some space and run again.");
    return err->code;
}

static int column_width(const struct column *column)
{
    int least = (int)strlen(column->header) + 4; /* and the filter's button */

    return column->width > least ? column->width : least;
}

static bool is_numeric(enum column_type type)
{
    return type == COL_COUNT || type == COL_DECIMAL1 || type == COL_AMOUNT;
}

/* The next sheet of the table, with its header. */
static enum err_code open_table_page(struct xlsx_sink *xlsx, struct err *err)
{
    const struct column *columns = xlsx->table->columns;
    char *name = xlsx->part == 0 ? strdup(xlsx->table->sheet)
                                 : str_format("%s %zu", xlsx->table->sheet, xlsx->part + 1);
    lxw_worksheet *sheet;

    if (xlsx_add_page(xlsx, name, err) != ERR_OK)
        return err->code;
    xlsx->part++;
    xlsx->pages[xlsx->page].table = xlsx->table;
    sheet = xlsx->pages[xlsx->page].sheet;
    worksheet_freeze_panes(sheet, 1, 0);
    worksheet_set_landscape(sheet);
    worksheet_fit_to_pages(sheet, 1, 0);
    if (xlsx_checked(xlsx, worksheet_repeat_rows(sheet, 0, 0), err) != ERR_OK ||
        xlsx_checked(xlsx, worksheet_set_row(sheet, 0, 20, NULL), err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < xlsx->n_columns; i++) {
        lxw_format *header = is_numeric(columns[i].type) ? xlsx->header_right : xlsx->header;
        uint16_t column = (uint16_t)i;

        if (xlsx_checked(
                xlsx, worksheet_set_column(sheet, column, column, column_width(&columns[i]), NULL),
                err) != ERR_OK ||
            xlsx_put_string(xlsx, xlsx->page, 0, column, columns[i].header, header, err) != ERR_OK)
            return err->code;
    }
    xlsx_begin_rows(xlsx);
    return ERR_OK;
}

/* The filter spans the rows, and ids as text are meant to be so: no green corners. */
static enum err_code close_table_page(struct xlsx_sink *xlsx, struct err *err)
{
    struct page *page = &xlsx->pages[xlsx->page];
    uint32_t last = xlsx->row - 1;
    uint16_t last_column = (uint16_t)(xlsx->n_columns - 1);
    char range[LXW_MAX_CELL_RANGE_LENGTH];

    if (xlsx_end_rows(xlsx, err) != ERR_OK)
        return err->code;
    lxw_rowcol_to_range(range, 0, 0, last, last_column);
    if (xlsx_checked(xlsx, worksheet_autofilter(page->sheet, 0, 0, last, last_column), err) !=
            ERR_OK ||
        xlsx_checked(xlsx,
                     worksheet_ignore_errors(page->sheet, LXW_IGNORE_NUMBER_STORED_AS_TEXT, range),
                     err) != ERR_OK)
        return err->code;
    return xlsx_page_written(xlsx, page, err);
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
    if (xlsx->shell)
        unlink(xlsx->shell);
    free(xlsx->shell);
    outfile_discard(xlsx->file);
    relay_close(xlsx->relay); /* before what its thread works on */
    pack_free(xlsx->pack);
    closep(&xlsx->spool);
    sheet_rows_done(&xlsx->data);
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

/* The files are made here, new and with the mode they shall have; libxlsxwriter writes into the
   shell. */
static enum err_code make_files(struct xlsx_sink *xlsx, struct err *err)
{
    _cleanup_free_ char *shell = str_format("%s.shell", xlsx->name);
    struct outfile *file;

    if (!shell)
        return err_nomem(err);
    if (outfile_open(&xlsx->file, xlsx->dir, xlsx->name, err) != ERR_OK ||
        outfile_open(&file, xlsx->dir, shell, err) != ERR_OK)
        return err->code;
    xlsx->shell = str_format("%s/%s", xlsx->dir, shell);
    if (!xlsx->shell) {
        outfile_discard(file);
        return err_nomem(err);
    }
    if (outfile_finish(file, err) != ERR_OK)
        return err->code;
    return xlsx_open_spool(xlsx, err);
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
    return xlsx_checked(xlsx, workbook_set_properties(xlsx->book, &properties), err);
}

static enum err_code open_book(struct xlsx_sink *xlsx, struct err *err)
{
    _cleanup_free_ char *tmpdir = strdup(xlsx->dir);
    lxw_workbook_options options = {.constant_memory = LXW_TRUE, .tmpdir = tmpdir};

    xlsx->name = str_format("%s.xlsx", xlsx->meta->job);
    xlsx->path = xlsx->name ? str_format("%s/%s", xlsx->dir, xlsx->name) : NULL;
    if (!tmpdir || !xlsx->path)
        return err_nomem(err);
    if (make_files(xlsx, err) != ERR_OK)
        return err->code;
    xlsx->book = workbook_new_opt(xlsx->shell, &options);
    if (!xlsx->book)
        return err_nomem(err);
    if (set_properties(xlsx, err) != ERR_OK || xlsx_make_formats(xlsx, err) != ERR_OK)
        return err->code;
    return xlsx_add_page(xlsx, strdup("Summary"), err);
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
    xlsx->spool = -1;
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

static enum err_code xlsx_row(struct sink *sink, const struct value *values,
                              _unused_ const struct cell *split, struct err *err)
{
    struct xlsx_sink *xlsx = (struct xlsx_sink *)sink;

    if ((xlsx->row > SHEET_ROWS || xlsx_rows_bytes(xlsx) > xlsx_sheet_bytes) &&
        (close_table_page(xlsx, err) != ERR_OK || open_table_page(xlsx, err) != ERR_OK))
        return err->code;
    xlsx->rows++;
    return xlsx_put_row(xlsx, values, err);
}

static enum err_code xlsx_end_table(struct sink *sink, struct err *err)
{
    return close_table_page((struct xlsx_sink *)sink, err);
}

/* ---- the end ---- */

/* libxlsxwriter prints lines of its own when a write fails, with paths in them; what failed is said
   by its return value and by the check. Gives the descriptor to go back to, or -1. */
static int hush_stderr(void)
{
    int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3), null = open("/dev/null", O_WRONLY);

    if (saved >= 0 && null >= 0)
        dup2(null, STDERR_FILENO);
    closep(&null);
    return saved;
}

static void unhush_stderr(int saved)
{
    if (saved >= 0)
        dup2(saved, STDERR_FILENO);
    closep(&saved);
}

/* Puts the package together; it counts as good only after it was read back. */
static enum err_code close_book(struct xlsx_sink *xlsx, struct err *err)
{
    _cleanup_free_ struct xlsx_sheet *sheets = calloc(xlsx->n_pages, sizeof *sheets);
    int error, saved;
    lxw_error rc;

    if (!sheets)
        return err_nomem(err);
    saved = hush_stderr();
    errno = 0;
    rc = workbook_close(TAKE_PTR(xlsx->book)); /* frees it in any case */
    error = errno;
    unhush_stderr(saved);
    errno = error;
    if (xlsx_checked(xlsx, rc, err) != ERR_OK)
        return err->code;
    if (xlsx_assemble(xlsx, err) != ERR_OK || outfile_flush(xlsx->file, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < xlsx->n_pages; i++)
        sheets[i] = (struct xlsx_sheet){xlsx->pages[i].name, xlsx->pages[i].sum};
    if (xlsx_check(xlsx->path, sheets, xlsx->n_pages, err) != ERR_OK || /* while the disk writes */
        outfile_finish(TAKE_PTR(xlsx->file), err) != ERR_OK)
        return err->code;
    xlsx->made = true;
    return ERR_OK;
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

    if (xlsx_write_summary(xlsx, summary, err) != ERR_OK || xlsx_write_run(xlsx, err) != ERR_OK ||
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
