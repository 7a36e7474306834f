/* CSV files as input: the only parser. Nothing that libcsv lets pass is let pass here.
 *
 *     csv_in_open(&in, "/in/2026-03.csv", ',', &err)
 *     csv_in_read(in, &reader, &err)         heading once, then every row, or a fault in its place
 *     csv_in_bytes(in), csv_in_sha256(in)    of what was read
 *     csv_in_close(in)
 *
 * The file is UTF-8 (a byte order mark at its start is skipped), rows end with LF or CRLF, the last
 * one too, fields are quoted with " where they need it. The first row holds the headings. Blanks
 * around a field without quotes do not belong to it. Memory is bounded whatever the file holds.
 *
 * The file as a whole is refused (ERR_DATA, with file, line and column) for: another encoding, NUL
 * bytes, a quote that is stray, unclosed or followed by text, a line that ends with CR alone, no
 * end of line at the very end, a field above 1 MiB, a row above 2 MiB, no headings or doubled ones,
 * and where it was written to meanwhile. Rows that came before are told before such an error:
 * whoever reads keeps nothing until csv_in_read has returned ERR_OK. One row alone is at fault
 * where it is blank, has more or fewer fields than there are headings, or is not UTF-8.
 *
 * A line is a physical one, counted from 1 as an editor does, those inside quotes too; a row has
 * the number of the line it begins in. A column is counted from 1.
 */
#ifndef LAPSE_CSV_IN_H
#define LAPSE_CSV_IN_H

#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "report.h"

/* A row on its way through; everything is borrowed until the callback returns. A field that is
   empty and not quoted has the text NULL; texts end with a NUL. */
struct csv_row {
    uint64_t line;
    size_t n;
    const struct cell *fields;
};

/* A row that cannot be taken. */
struct csv_fault {
    uint64_t line;
    size_t column;       /* 0: the row as a whole */
    const char *heading; /* of that column, or NULL */
    const char *reason;  /* "is not valid UTF-8": follows the place */
};

/* Who reads. An error that a function returns ends the reading. `progress` may be NULL. */
struct csv_reader {
    void *context;
    enum err_code (*headings)(void *context, const struct csv_row *row, struct err *err);
    enum err_code (*row)(void *context, const struct csv_row *row, struct err *err);
    enum err_code (*fault)(void *context, const struct csv_fault *fault, struct err *err);
    void (*progress)(void *context, uint64_t bytes, uint64_t of);
};

struct csv_in;

/* ERR_NOINPUT: not there, or not a regular file; ERR_NOPERM: may not be read. */
enum err_code csv_in_open(struct csv_in **ret, const char *path, char separator,
                          struct err *err) _must_check_;
void csv_in_close(struct csv_in *in); /* NULL is nothing */
void csv_in_closep(struct csv_in **in);
#define _cleanup_csv_in_ _cleanup_(csv_in_closep)

/* SHA-256 of the whole file, without looking at what it means; before csv_in_read. */
enum err_code csv_in_digest(struct csv_in *in, char ret_sha256[static 65],
                            struct err *err) _must_check_;

/* Reads the file once, from its start to its end. ERR_DATA as above, ERR_IO where reading fails. */
enum err_code csv_in_read(struct csv_in *in, const struct csv_reader *reader,
                          struct err *err) _must_check_;

uint64_t csv_in_size(const struct csv_in *in);      /* as it was opened */
const char *csv_in_sha256(const struct csv_in *in); /* 64 hex digits, after csv_in_read */

/* Sets ERR_DATA: "billing.csv:12: column 8 (amount): " and the text. Column 0: the line alone. */
enum err_code csv_in_refuse(const struct csv_in *in, const struct csv_fault *at, struct err *err);

#endif
