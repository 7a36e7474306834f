/* Rows of a sheet as XML, and back: the bulk of a workbook goes through here, ten million cells at
 * a time. Pure functions on memory, no files.
 *
 *     sheet_row_begin(&rows, 1)                        rows and columns from 0
 *     sheet_put_text(&rows, 0, style, text, len)       columns in order
 *     sheet_put_number(&rows, 1, style, 12.5)
 *     sheet_row_end(&rows)                             then rows.xml is the caller's to empty
 *
 * A row is <row r="2"><c r="A2" s="1" t="inlineStr"><is><t>text</t></is></c><c r="B2"><v>12.5</v>
 * </c></row>, as libxlsxwriter writes it, and sheet_row_read takes exactly that. Rows without a
 * cell, and cells with an empty text, are not written.
 */
#ifndef LAPSE_SHEET_XML_H
#define LAPSE_SHEET_XML_H

#include "util.h"
#include "xlsx_sum.h"

/* {0} with `sum` set is ready; the sheet's sum is kept there. xml.failed says that there was no
   memory. sheet_rows_done frees. */
struct sheet_rows {
    struct strbuf xml;
    struct xlsx_sum *sum;
    uint32_t row;
    char number[12]; /* the row's, from 1, as in references */
    size_t number_len;
    size_t start, empty; /* of the row in xml; the length it has without cells */
};

void sheet_row_begin(struct sheet_rows *rows, uint32_t row);
void sheet_row_end(struct sheet_rows *rows);
void sheet_rows_done(struct sheet_rows *rows);

/* A cell in the style of that number in the workbook's list; 0 is none. The text is UTF-8 and holds
   nothing that XML cannot (see cell_workbook_text). */
void sheet_put_text(struct sheet_rows *rows, uint32_t column, uint32_t style, const char *text,
                    size_t len);
void sheet_put_number(struct sheet_rows *rows, uint32_t column, uint32_t style, double number);

#define SHEET_NUMBER_MAX 32

/* A finite number as it stands in the XML: what printf makes of it by %.16G, without a locale and
   faster. Returns its length. */
size_t sheet_number_text(double number, char ret[SHEET_NUMBER_MAX]);

/* Reads one row that has the form above from the start of `xml`, adds its cells to `sum`, and
   returns its bytes. 0 where it has another form, and SHEET_ROW_MORE where the bytes end before the
   row does; the sum is then as before. `text` is for the function's own use. */
size_t sheet_row_read(const char *xml, size_t len, struct xlsx_sum *sum, struct strbuf *text);

#define SHEET_ROW_MORE SIZE_MAX

#endif
