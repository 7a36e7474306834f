/* Reports: tables of typed columns, streamed row by row into every wanted format at once.
 *
 * A job declares its tables as data (struct report_table). The runner opens a report, begins a
 * table, hands over row after row as text (as the database sent it), ends the table, and finishes:
 *
 *     report_open(&report, &meta, formats, staging_dir, &err)
 *     report_begin(report, &table, &err)
 *     report_row(report, cells, &err)            once per row, in the order they shall stand
 *     report_end(report, &err)
 *     report_finish(report, &files, &err)        checks and fsyncs every file
 *
 * or report_discard(), which may be called at any time and cannot fail. After any call failed, the
 * report can only be discarded (report_finish then discards it and fails). Memory is bounded: no
 * row is kept. Every file is written below `staging_dir` (mode 0700 until it is published);
 * publish.c moves it.
 *
 * The bytes depend on the data and the meta alone: no clock, no locale.
 */
#ifndef LAPSE_REPORT_H
#define LAPSE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"

struct sql;

/* What a column holds, how it comes from the database, and what becomes of it. */
enum column_type {
    COL_ID,       /* whole number. CSV bare, XLSX text (ids are not to be added up) */
    COL_COUNT,    /* whole number. CSV bare, XLSX number (text beyond 2^53) */
    COL_DECIMAL1, /* "12.3". CSV bare, XLSX number with one decimal */
    COL_AMOUNT,   /* "1234.50", any number of decimals. CSV bare, XLSX number (text beyond 15
                     digits) with at least two decimals */
    COL_TEXT,     /* any text. CSV guarded and quoted as needed, XLSX text */
    COL_DATE,     /* "2026-03-31". CSV bare, XLSX date */
    COL_DATE_NA,  /* a date or the words "N/A". CSV bare, XLSX date or text */
    COL_INSTANT,  /* ISO instant in UTC as PostgreSQL prints it ("2026-03-31 01:02:03.456+00"),
                     or infinity. CSV "2026-03-31T01:02:03Z" (fraction dropped), XLSX date-time */
};
/* NaN and infinities of the database pass as the words they are: bare in CSV, text in XLSX. So do
   dates that Excel cannot hold (before 1900-03-01, after 9999-12-31, BC). */

struct column {
    const char *header; /* fixed: others read it */
    const char *field;  /* the name of the result column that feeds it */
    enum column_type type;
    int width;  /* of the XLSX column, in characters */
    bool total; /* COL_COUNT only: added up, in the manifest and on the Summary sheet */
};

struct report_table {
    const char *name;  /* "" or NULL: <job>.csv; "detail": <job>-detail.csv */
    const char *sheet; /* sheet title, at most 28 characters ("Invitations") */
    const struct sql *query;
    const struct column *columns; /* ended by a column without header */
    const char *tally; /* field whose values are counted on the Summary sheet, with a chart;
                          NULL for none. The 40 most frequent are shown, the rest is
                          "other" (2,000 values are told apart) */
    const char *const *tally_order; /* values that stand first, in this order and not by how often
                                       they came, ended by NULL; NULL for none */
    const char *question;           /* what that chart answers: "Why did plans change?" */
    const char *split;              /* field by whose value the table is also cut into one CSV each,
                                       <job>-<value>.csv; rows with one value come together. NULL for none.
                                       In the name all but [A-Za-z0-9._-] becomes "_", so does a leading
                                       dot, and a name that is taken gets "-2", "-3" ... behind it */
    const char *when;      /* "profile=documented": only where the option has that value; or NULL */
    bool no_formula_guard; /* a CSV that only machines read */
    /* Where its rows come account by account, each from its account's rows alone: cuts the accounts
       into slices of about slice_rows rows (account_id: the last of each), and the query is asked
       for one after the other. NULL: for all at once. */
    const struct sql *slices;
};

/* One value as text; text NULL is SQL NULL. Borrowed until the call returns. */
struct cell {
    const char *text;
    size_t len;
};

struct report_setting {
    const char *name, *value;
};

/* What is the same for the whole report. Everything is borrowed and must outlive it. */
struct report_meta {
    const char *job;   /* "expire-invitations": also the files' name */
    const char *title; /* "Expired invitations" */
    const char *as_of; /* "2026-03-31T00:00:00Z" */
    const char *version;
    const struct report_setting *settings; /* printed on the sheet `Run` */
    size_t n_settings;
    const char *const *notes; /* sentences a reader must know, on the sheet `Run` */
    size_t n_notes;
    bool bom; /* start each CSV with a byte order mark */
};

enum report_format {
    FORMAT_CSV = 1,
    FORMAT_XLSX = 2,
};

/* "csv,xlsx" to a set of enum report_format; false for anything else, doubled or empty. */
bool report_formats_parse(const char *text, unsigned *ret_formats);

/* A file that a report made, as the manifest tells of it. */
struct report_total {
    const char *header; /* borrowed from the column */
    int64_t value;
};

struct report_file {
    char *name;       /* "expire-invitations.csv", below the staging folder */
    uint64_t rows;    /* data rows, without headers; of a workbook: of all its tables */
    uint64_t altered; /* cells that could not be written as they are: guarded, cleaned, cut */
    struct report_total *totals; /* of every column with .total */
    size_t n_totals;
};

struct report_files {
    struct report_file *files;
    size_t n;
};

void report_files_done(struct report_files *files);

struct report;

/* Opens `formats` for the report in the existing folder `staging_dir`. */
enum err_code report_open(struct report **ret, const struct report_meta *meta, unsigned formats,
                          const char *staging_dir, struct err *err) _must_check_;

enum err_code report_begin(struct report *report, const struct report_table *table,
                           struct err *err) _must_check_;

/* A further figure for the Summary sheet ("Skipped: a trial is live", 3), before finish. */
enum err_code report_note_figure(struct report *report, const char *label, int64_t value,
                                 struct err *err) _must_check_;

/* The same for a number as text, as COL_AMOUNT takes it: one with decimals ("1234.50") is shown as
   an amount of money (1,234.50), a whole one like any figure. A text of another form, or NULL, is
   ERR_INTERNAL and names the label. */
enum err_code report_note_amount(struct report *report, const char *label, const char *value,
                                 struct err *err) _must_check_;

/* One row: cells[i] belongs to columns[i]; cell n_columns.. are not read. A cell that does not
   match its column's form is ERR_INTERNAL and names table, row and column. `split_value` is the
   text of the split field, NULL where the table has none. */
enum err_code report_row(struct report *report, const struct cell *cells,
                         const struct cell *split_value, const struct cell *tally_value,
                         struct err *err) _must_check_;

enum err_code report_end(struct report *report, struct err *err) _must_check_;

/* Completes, checks (every workbook is read back and compared) and fsyncs all files, frees the
   report, and appends what was made to `files`, which the caller owns. After a failure the report
   is freed as well, its files are removed and `files` is as before. A file that cannot be created
   is ERR_CANTCREAT; one that cannot be written, or was not written whole, ERR_IO. */
enum err_code report_finish(struct report *report, struct report_files *files,
                            struct err *err) _must_check_;

void report_discard(struct report *report); /* NULL is nothing */
void report_discardp(struct report **report);
#define _cleanup_report_ _cleanup_(report_discardp)

size_t column_count(const struct column *columns);

/* Rows written to the table that is open, or was last. */
uint64_t report_rows(const struct report *report);

#endif
