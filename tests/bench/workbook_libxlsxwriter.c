/* The workbook that workbook_ours makes, by libxlsxwriter alone, in constant memory.
 *
 *     workbook_libxlsxwriter ROWS COUNT FOLDER     makes FOLDER/libxlsxwriter.xlsx
 */
#define _GNU_SOURCE
#include <xlsxwriter.h>

#include "cell.h"
#include "workbook_rows.h"

#include "ban.h"

/* Numbers of all rows, so that reading them is not measured as writing. */
static double (*read_numbers(const struct workbook_rows *rows))[N_COLUMNS]
{
    double(*numbers)[N_COLUMNS] = calloc(rows->n, sizeof *numbers);

    for (size_t i = 0; numbers && i < rows->n; i++)
        for (size_t k = 0; k < N_COLUMNS; k++) {
            struct value value;

            if (cell_read(columns[k].type, &rows->rows[i][k], &value))
                numbers[i][k] = value.number;
        }
    return numbers;
}

static lxw_error write_cells(lxw_worksheet *sheet, lxw_format *const *formats,
                             const struct workbook_rows *rows, size_t count)
{
    double(*numbers)[N_COLUMNS] = read_numbers(rows);
    lxw_error error = numbers ? LXW_NO_ERROR : LXW_ERROR_MEMORY_MALLOC_FAILED;

    for (size_t i = 0; i < count && !error; i++)
        for (size_t k = 0; k < N_COLUMNS && !error; k++) {
            lxw_row_t row = (lxw_row_t)i + 1;
            lxw_col_t column = (lxw_col_t)k;

            if (columns[k].type == COL_ID || columns[k].type == COL_TEXT)
                error = worksheet_write_string(sheet, row, column, rows->rows[i % rows->n][k].text,
                                               NULL);
            else
                error = worksheet_write_number(sheet, row, column, numbers[i % rows->n][k],
                                               formats[columns[k].type]);
        }
    free(numbers);
    return error;
}

static lxw_error write_book(const struct workbook_rows *rows, size_t count, const char *path)
{
    lxw_workbook_options options = {.constant_memory = LXW_TRUE};
    lxw_workbook *book = workbook_new_opt(path, &options);
    lxw_worksheet *sheet = workbook_add_worksheet(book, "Rows");
    lxw_format *formats[COL_INSTANT + 1] = {NULL}, *bold = workbook_add_format(book);
    lxw_error error = LXW_NO_ERROR;

    format_set_bold(bold);
    formats[COL_DATE] = workbook_add_format(book);
    format_set_num_format(formats[COL_DATE], "yyyy-mm-dd");
    formats[COL_INSTANT] = workbook_add_format(book);
    format_set_num_format(formats[COL_INSTANT], "yyyy-mm-dd hh:mm:ss");
    for (size_t k = 0; k < N_COLUMNS && !error; k++) {
        worksheet_set_column(sheet, (lxw_col_t)k, (lxw_col_t)k, columns[k].width, NULL);
        error = worksheet_write_string(sheet, 0, (lxw_col_t)k, columns[k].header, bold);
    }
    if (!error)
        error = write_cells(sheet, formats, rows, count);
    /* Closing frees the book, also one that is not whole. */
    return error ? (workbook_close(book), error) : workbook_close(book);
}

int main(int argc, char **argv)
{
    _cleanup_free_ char *path = NULL;
    static struct workbook_rows rows; /* never freed: kept in sight of leak checkers */
    size_t count;
    lxw_error error;

    if (!read_arguments(argc, argv, &rows, &count))
        return 64;
    path = str_format("%s/libxlsxwriter.xlsx", argv[3]);
    error = path ? write_book(&rows, count, path) : LXW_ERROR_MEMORY_MALLOC_FAILED;
    if (error)
        fprintf(stderr, "%s: %s\n", argv[0], lxw_strerror(error));
    return error ? 1 : 0;
}
