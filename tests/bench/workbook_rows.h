/* What the bench's workbooks are made of: a file of rows, tabs between the fields, read into memory
   before the first cell is written. A workbook takes them again and again until it is long enough.
 */
#ifndef LAPSE_BENCH_WORKBOOK_ROWS_H
#define LAPSE_BENCH_WORKBOOK_ROWS_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "util.h"

enum { N_COLUMNS = 10, MAX_ROWS = 1048575 /* of a sheet, without its header */ };

static const struct column columns[N_COLUMNS + 1] = {
    {"User ID", "user_id", COL_ID, 12, false},
    {"Email", "email", COL_TEXT, 34, false},
    {"Name", "name", COL_TEXT, 26, false},
    {"Organizations", "organizations", COL_TEXT, 40, false},
    {"Role", "role", COL_TEXT, 10, false},
    {"Plan", "plan", COL_TEXT, 12, false},
    {"Last Active", "last_active", COL_DATE, 12, false},
    {"Days Since Active", "days_since_active", COL_COUNT, 18, false},
    {"Seat Status", "seat_status", COL_TEXT, 12, false},
    {"Granted", "granted_at", COL_INSTANT, 20, false},
    {0},
};

struct workbook_rows {
    char *text; /* what the cells point into */
    struct cell (*rows)[N_COLUMNS];
    size_t n;
};

static bool read_text(const char *path, struct strbuf *out)
{
    _cleanup_fclose_ FILE *file = fopen(path, "re");
    char block[65536];
    size_t n;

    if (!file)
        return false;
    while ((n = fread(block, 1, sizeof block, file)) > 0)
        sb_add(out, block, n);
    return sb_text(out) && !ferror(file);
}

/* Reads the file at `path`; false where it cannot be read or is no such file. What was read is
   never freed: the program ends with its workbook. */
static bool read_rows(const char *path, struct workbook_rows *ret)
{
    struct strbuf text = {0};
    size_t lines = 0;
    char *at;

    if (!read_text(path, &text))
        return false;
    for (const char *c = text.text; (c = strchr(c, '\n')); c++)
        lines++;
    *ret = (struct workbook_rows){text.text, calloc(lines, sizeof *ret->rows), lines};
    at = text.text;
    for (size_t i = 0; ret->rows && i < lines; i++)
        for (size_t k = 0; k < N_COLUMNS; k++) {
            char *end = strchr(at, k < N_COLUMNS - 1 ? '\t' : '\n');

            if (!end)
                return false;
            *end = '\0';
            ret->rows[i][k] = (struct cell){at, (size_t)(end - at)};
            at = end + 1;
        }
    return ret->rows && lines > 0;
}

/* The command line of such a program: ROWS COUNT FOLDER. False, and said why, where it is wrong. */
static bool read_arguments(int argc, char **argv, struct workbook_rows *ret, size_t *ret_count)
{
    int64_t count;

    if (argc != 4 || !parse_int64(argv[2], 1, MAX_ROWS, &count)) {
        fprintf(stderr, "usage: %s ROWS COUNT FOLDER, at most %d rows\n", argv[0], MAX_ROWS);
        return false;
    }
    if (!read_rows(argv[1], ret)) {
        fprintf(stderr, "%s: could not read the rows in %s\n", argv[0], argv[1]);
        return false;
    }
    *ret_count = (size_t)count;
    return true;
}

#endif
