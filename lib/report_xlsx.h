/* What the two writers of a workbook share: report_xlsx.c makes the book, its cells and the tables'
 * sheets; report_xlsx_summary.c the sheets around them, Summary and Run. Nobody else includes this,
 * and only these two know libxlsxwriter.
 */
#ifndef LAPSE_REPORT_XLSX_H
#define LAPSE_REPORT_XLSX_H

#include <xlsxwriter.h>

#include "report_sink.h"
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
};

struct xlsx_sink {
    struct sink base;
    const struct report_meta *meta;
    const char *dir;
    char *name, *path; /* "<job>.xlsx" and where it is */
    bool made;         /* there is a file at `path` */
    char *as_of;       /* "2026-03-31 00:00:00 UTC" */
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

/* Adds a sheet and makes it the one being filled. `name` is taken over; NULL is out of memory. */
enum err_code xlsx_add_page(struct xlsx_sink *xlsx, char *name, struct err *err) _must_check_;

/* libxlsxwriter does not look whether its temporary file took the rows: this does. */
enum err_code xlsx_page_written(const struct xlsx_sink *xlsx, const struct page *page,
                                struct err *err) _must_check_;

/* What a call of libxlsxwriter says. */
enum err_code xlsx_checked(const struct xlsx_sink *xlsx, lxw_error rc,
                           struct err *err) _must_check_;

/* The first and the last sheet; Summary's place was taken when the book was opened. */
enum err_code xlsx_write_summary(struct xlsx_sink *xlsx, const struct report_summary *summary,
                                 struct err *err) _must_check_;
enum err_code xlsx_write_run(struct xlsx_sink *xlsx, struct err *err) _must_check_;

#endif
