/* libFuzzer: any bytes as a text cell must be read back as they were written, and any bytes as a
   row must be refused, called short, or be within their bounds. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "cell.h"
#include "sheet_xml.h"

#include "ban.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_and_read(const char *bytes, size_t size)
{
    _cleanup_sb_ struct strbuf clean = {0}, scratch = {0};
    struct xlsx_sum sum = {0}, again = {0};
    struct sheet_rows rows = {.sum = &sum};
    double number = 0;

    memcpy(&number, bytes, size < sizeof number ? size : sizeof number);
    cell_workbook_text(&clean, bytes, size, text_traits(bytes, size));
    sheet_row_begin(&rows, (uint32_t)size);
    sheet_put_text(&rows, 3, 1, clean.text, clean.len);
    if (number == number && number - number == 0)
        sheet_put_number(&rows, 700, 0, number);
    sheet_row_end(&rows);
    if (rows.xml.len > 0 &&
        sheet_row_read(rows.xml.text, rows.xml.len, &again, &scratch) != rows.xml.len)
        abort();
    if (memcmp(&sum, &again, sizeof sum) != 0)
        abort();
    sheet_rows_done(&rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_sb_ struct strbuf scratch = {0};
    const char *bytes = (const char *)data;
    struct xlsx_sum sum = {0};
    size_t n;

    if (size == 0)
        return 0;
    n = sheet_row_read(bytes, size, &sum, &scratch);
    if (n != SHEET_ROW_MORE && (n > size || (n == 0 && sum.cells > 0)))
        abort();
    write_and_read(bytes, size);
    return 0;
}
