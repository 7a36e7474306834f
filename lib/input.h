/* Input files: what a job expects in a CSV file, and how a row of it is judged.
 *
 * A job names the columns it reads (struct input_column, in job.h's struct job_input). What a
 * provider calls them, and how it writes dates, amounts and words, are settings of the job:
 *
 *   column_<field>   the heading of that column; empty: the file has none (where that may be)
 *   separator        comma, semicolon or tab
 *   zone             of instants that say none: UTC or +02:00; not set: such an instant is bad
 *   amounts          major ("10.50") or minor ("1050") units of the currency
 *   the setting that `words` names, "theirs=ours,theirs=ours"
 *
 * input_open reads these, input_headings finds the columns in a file, input_judge turns a row into
 * the fields of a COPY row (db.h), or says what is wrong with it.
 */
#ifndef LAPSE_INPUT_H
#define LAPSE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "csv_in.h"
#include "seen.h"
#include "util.h"

enum input_type {
    INPUT_TEXT,     /* as it is, up to 500 bytes; for the database text */
    INPUT_INT,      /* whole number within [min, max]; bigint */
    INPUT_INSTANT,  /* 2026-03-01T00:00:00Z; with a zone of the settings also 2026-03-01 00:00;
                       timestamptz */
    INPUT_WORD,     /* a word of the setting `words`; where that is not set any text; text */
    INPUT_CURRENCY, /* a code of ISO 4217, in any case; char(3) */
    INPUT_AMOUNT,   /* exact money in the row's currency; bigint, in minor units */
};

struct input_column {
    const char *field; /* column of the staged table; NULL ends a list */
    enum input_type type;
    bool may_be_absent; /* the file may lack the column */
    bool may_be_empty;  /* a row may say nothing */
    bool key;           /* no two rows should have the same in all of these */
    int64_t min, max;   /* INPUT_INT */
    const char *words;  /* INPUT_WORD: key of the setting */
    const char *ours;   /* INPUT_WORD: what a word may stand for ("paid|open|void"), or NULL: any */
    const char *since;  /* INPUT_INSTANT: a field before it, whose instant may not be later */
};

enum { INPUT_COLUMNS = 16, INPUT_KEY_SIZE = 48 };

/* A job's setting by key; NULL: not set. */
typedef const char *(*input_setting_fn)(void *context, const char *key);

struct input_words;

struct input {
    const char *section; /* "job.reconcile-billing", for messages; borrowed */
    const struct input_column *columns;
    size_t n;
    char separator;
    bool minor_units, has_zone;
    int zone; /* minutes east of UTC */
    struct input_place {
        const char *heading; /* "" where the file has none; borrowed from the settings */
        size_t column;       /* in the file, from 1; 0: none */
        struct input_words *words;
    } places[INPUT_COLUMNS];
    struct strbuf reason; /* of the last fault */
    struct seen *seen;    /* the keys of good rows; NULL where the file lacks a part of them */
    uint64_t repeats;     /* good rows whose key may have come before: none is missed */
};

/* ERR_CONFIG for a setting that makes no sense. */
enum err_code input_open(struct input *input, const char *section,
                         const struct input_column *columns, input_setting_fn setting,
                         void *context, struct err *err) _must_check_;
void input_done(struct input *input);
#define _cleanup_input_ _cleanup_(input_done)

/* Finds the columns. ERR_DATA for one that is missing, with the heading and what it may be called;
   `ret_ignored` counts headings that nobody asked for. */
enum err_code input_headings(struct input *input, const struct csv_in *in,
                             const struct csv_row *row, size_t *ret_ignored,
                             struct err *err) _must_check_;

/* Appends the row's fields to `copy`, in the order of the columns, and (boolean) whether its key
   may have come before; or false, and what is wrong: `fault` borrows from the input until the next
   call. */
bool input_judge(struct input *input, const struct csv_row *row, struct strbuf *copy,
                 struct csv_fault *fault);

/* The place of a field in the file: its column from 1 (0: none) and heading. */
size_t input_place(const struct input *input, const char *field, const char **ret_heading);

void input_column_key(const struct input_column *column, char ret[static INPUT_KEY_SIZE]);

#endif
