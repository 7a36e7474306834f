/* What the writers of a workbook share: report_xlsx.c makes the book and the heads of the tables'
 * sheets, in the formats of report_xlsx_formats.c; report_xlsx_rows.c the data rows below these,
 * past libxlsxwriter; report_xlsx_summary.c the sheets around them, Summary and Run. Nobody else
 * includes this, and only these know libxlsxwriter.
 */
#ifndef LAPSE_REPORT_XLSX_H
#define LAPSE_REPORT_XLSX_H

#include <xlsxwriter.h>

#include "outfile.h"
#include "pack.h"
#include "ring.h"
#include "report_sink.h"
#include "sheet_xml.h"
#include "xlsx_check.h"

/* Colours of the book. */
enum {
    COLOR_TITLE = 0x1F3864,
    COLOR_BAR = 0x2F5597,
    COLOR_HEADER = 0xDCE6F1,
    COLOR_FAINT = 0x595959,
    COLOR_LINE = 0x8EA9DB,
    COLOR_FRAME = 0xD9D9D9,
};

/* A sheet of the book. */
struct page {
    lxw_worksheet *sheet;
    char *name;
    struct xlsx_sum sum;
    const struct report_table *table; /* NULL for Summary and Run */
    struct pack_sum rows;             /* the data rows, packed, and where they are in the spool */
    uint64_t rows_at;
    uint64_t bytes; /* of them before they were packed, so far */
};

struct xlsx_sink {
    struct sink base;
    const struct report_meta *meta;
    const char *dir;
    char *name, *path;      /* "<job>.xlsx" and where it is */
    bool made;              /* there is a file at `path` that `file` does not remove any more */
    struct outfile *file;   /* what is published, while it is written */
    char *shell;            /* libxlsxwriter's own file beside it: all but the data rows */
    int spool;              /* the data rows of all sheets, packed; a file without a name */
    uint64_t spooled;       /* its length */
    struct pack *pack;      /* writes into it */
    struct relay *relay;    /* to the thread that packs */
    struct sheet_rows data; /* rows on their way there */
    uint32_t styles[COL_INSTANT + 1]; /* of by_type, as numbers in the book's list */
    char *as_of;                      /* "2026-03-31 00:00:00 UTC" */
    lxw_workbook *book;
    lxw_format *title, *faint, *heading, *header, *header_right, *integer;
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

/* Every text and number of the book goes through these: there it is cleaned, and added to the sum
   that the finished file is compared with. Rows of a sheet come in order. Empty text is no cell;
   whole numbers that a double would round become text. */
enum err_code xlsx_put_text(struct xlsx_sink *xlsx, size_t page, uint32_t row, uint16_t column,
                            const char *text, size_t len, unsigned traits, lxw_format *format,
                            struct err *err) _must_check_;
enum err_code xlsx_put_string(struct xlsx_sink *xlsx, size_t page, uint32_t row, uint16_t column,
                              const char *text, lxw_format *format, struct err *err) _must_check_;
enum err_code xlsx_put_number(struct xlsx_sink *xlsx, size_t page, uint32_t row, uint16_t column,
                              double number, lxw_format *format, struct err *err) _must_check_;
enum err_code xlsx_put_integer(struct xlsx_sink *xlsx, size_t page, uint32_t row, uint16_t column,
                               int64_t number, struct err *err) _must_check_;

/* The formats, in a book that has just been opened. */
enum err_code xlsx_make_formats(struct xlsx_sink *xlsx, struct err *err) _must_check_;

/* Adds a sheet and makes it the one being filled. `name` is taken over; NULL is out of memory. */
enum err_code xlsx_add_page(struct xlsx_sink *xlsx, char *name, struct err *err) _must_check_;

/* libxlsxwriter does not look whether its temporary file took the rows: this does. */
enum err_code xlsx_page_written(const struct xlsx_sink *xlsx, const struct page *page,
                                struct err *err) _must_check_;

/* The data rows of the page being filled: begin, a row each, end. The rows stand from row 1 on. */
void xlsx_begin_rows(struct xlsx_sink *xlsx);
enum err_code xlsx_put_row(struct xlsx_sink *xlsx, const struct value *values,
                           struct err *err) _must_check_;
enum err_code xlsx_end_rows(struct xlsx_sink *xlsx, struct err *err) _must_check_;

/* Bytes of XML that the page's rows have so far. */
uint64_t xlsx_rows_bytes(const struct xlsx_sink *xlsx);

/* How many of them a sheet may have before the table goes on on another; tests set it lower. */
extern uint64_t xlsx_sheet_bytes;

/* Makes the spool before there are rows. */
enum err_code xlsx_open_spool(struct xlsx_sink *xlsx, struct err *err) _must_check_;

/* Writes the book into `file`: the shell's parts as they are, its sheets with their rows in. */
enum err_code xlsx_assemble(struct xlsx_sink *xlsx, struct err *err) _must_check_;

/* Could not write the book: ERR_IO, with advice. */
enum err_code xlsx_full(const struct xlsx_sink *xlsx, int errnum, struct err *err);

/* What a call of libxlsxwriter says. */
enum err_code xlsx_checked(const struct xlsx_sink *xlsx, lxw_error rc,
                           struct err *err) _must_check_;

/* The first and the last sheet; Summary's place was taken when the book was opened. */
enum err_code xlsx_write_summary(struct xlsx_sink *xlsx, const struct report_summary *summary,
                                 struct err *err) _must_check_;
enum err_code xlsx_write_run(struct xlsx_sink *xlsx, struct err *err) _must_check_;

#endif
