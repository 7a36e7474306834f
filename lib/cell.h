/* Cells: the form a value takes on its way from the database into a file. Pure functions, no files.
 *
 *     cell_read(column->type, &cell, &value)           checked once, for every format
 *     cell_csv_text(&out, &value, guard)               what a CSV shows of a VALUE_TEXT
 *     cell_workbook_text(&out, text, len)              what a workbook shows of any text
 *
 * The column's type decides, never the look of the value: a number is written bare (a guard would
 * corrupt -5), a text is guarded against being read as a formula. What cannot be written as it is
 * becomes something visible (U+FFFD, a leading ', a mark at the cut), and the functions say so by
 * returning true, so that it can be counted.
 */
#ifndef LAPSE_CELL_H
#define LAPSE_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "report.h"
#include "util.h"

enum value_kind {
    VALUE_NULL,   /* SQL NULL: nothing in any format */
    VALUE_TEXT,   /* somebody's text: to be cleaned, guarded, quoted */
    VALUE_BARE,   /* a checked form that is text in a workbook: ids, infinity, N/A, 2^53 and more */
    VALUE_NUMBER, /* a checked form that is a number, date or date-time in a workbook */
};

/* What a text holds, found in one pass for all formats. */
enum text_trait {
    TEXT_HIGH = 1,       /* a byte of 128 and more: to be checked as UTF-8 */
    TEXT_CONTROL = 2,    /* a control character */
    TEXT_QUOTE = 4,      /* a comma, quote, CR or LF: to be quoted in CSV */
    TEXT_UNDERSCORE = 8, /* perhaps _xHHHH_ */
};

/* One typed cell. Do not copy it: `text` may point into `form`. */
struct value {
    enum value_kind kind;
    unsigned traits;  /* of VALUE_TEXT: a set of enum text_trait */
    const char *text; /* as it is written bare; borrowed from the row, or `form` */
    size_t len;
    double number;   /* VALUE_NUMBER: as a workbook holds it; dates are days since 1899-12-30 */
    int64_t integer; /* COL_ID and COL_COUNT */
    char form[48];
};

/* Reads a cell as `type`; false when it does not have that type's form. */
bool cell_read(enum column_type type, const struct cell *cell, struct value *ret);

/* The set of enum text_trait of a text. */
unsigned text_traits(const char *text, size_t len);

/* Decodes the character at text[0] (len > 0). Returns its bytes; for bytes that are not UTF-8 the
   code is UINT32_MAX and the length that of the longest part to replace by one U+FFFD. */
size_t utf8_decode(const char *text, size_t len, uint32_t *ret_code);

/* Would a spreadsheet read this text of a CSV as a formula? Its first character is one of = + - @
   TAB CR or a full-width = + - @, possibly behind blanks or invisible marks. */
bool text_is_formula(const char *text, size_t len);

/* Does this text need quotes in a CSV? Empty text does: without quotes it would be NULL. */
bool text_needs_quotes(const char *text, size_t len, unsigned traits);

/* Appends a VALUE_TEXT as valid UTF-8, behind a ' when `guard` is on and it looks like a formula.
   True when it was altered. Quoting is the writer's. */
bool cell_csv_text(struct strbuf *out, const struct value *value, bool guard);

/* The same without any appending: is the value's text good for a CSV as it stands? */
bool cell_csv_plain(const struct value *value, bool guard);

/* Appends a text as XML 1.0 and Excel can hold it: bad bytes, U+FFFE, U+FFFF and control
   characters become U+FFFD; CR becomes _x000D_ and a literal _xHHHH_ _x005F_xHHHH_, as Excel
   itself stores them; more than 32,767 UTF-16 units are cut with a mark. True when altered. */
bool cell_workbook_text(struct strbuf *out, const char *text, size_t len, unsigned traits);

#define WORKBOOK_TEXT_MAX 32767
#define WORKBOOK_CUT_MARK "\xE2\x80\xA6 [cut]"

/* An ISO date or instant in UTC, as for COL_DATE and COL_INSTANT. `ret->kind` is VALUE_NUMBER when
   a workbook can hold it. */
bool cell_read_date(const char *text, size_t len, struct value *ret);
bool cell_read_instant(const char *text, size_t len, struct value *ret);

/* A whole or decimal number; at most `max_decimals`, at least `min_decimals` behind the point. */
bool cell_read_integer(const char *text, size_t len, int64_t *ret);
bool cell_read_decimal(const char *text, size_t len, size_t min_decimals, size_t max_decimals,
                       struct value *ret);

#endif
