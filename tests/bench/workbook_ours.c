/* A workbook of rows from memory by lapse's own report, checked and on disk as a run has it.
 *
 *     workbook_ours ROWS COUNT FOLDER     makes FOLDER/ours.xlsx
 */
#define _GNU_SOURCE
#include "workbook_rows.h"

#include "ban.h"

static const struct report_table table = {.name = "", .sheet = "Rows", .columns = columns};
static const struct report_meta meta = {
    .job = "ours", .title = "Rows", .as_of = "2026-01-01T00:00:00Z", .version = LAPSE_VERSION};

static enum err_code write_book(const struct workbook_rows *rows, size_t count, const char *folder,
                                struct err *err)
{
    _cleanup_report_ struct report *report = NULL;
    struct report_files files = {0};
    enum err_code code;

    if (report_open(&report, &meta, FORMAT_XLSX, folder, err) != ERR_OK ||
        report_begin(report, &table, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < count; i++)
        if (report_row(report, rows->rows[i % rows->n], NULL, NULL, err) != ERR_OK)
            return err->code;
    if (report_end(report, err) != ERR_OK)
        return err->code;
    code = report_finish(TAKE_PTR(report), &files, err);
    report_files_done(&files);
    return code;
}

int main(int argc, char **argv)
{
    _cleanup_err_ struct err err = {0};
    static struct workbook_rows rows; /* never freed: kept in sight of leak checkers */
    size_t count;

    if (!read_arguments(argc, argv, &rows, &count))
        return 64;
    if (write_book(&rows, count, argv[3], &err) != ERR_OK) {
        fprintf(stderr, "%s: %s\n", argv[0], err.message);
        return 1;
    }
    return 0;
}
