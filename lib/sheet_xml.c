/* Rows of a sheet as XML, and back: see sheet_xml.h. */
#define _GNU_SOURCE
#include "sheet_xml.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cell.h"

#include "ban.h"

/* More than a cell has besides its text: <c r="XFD1048576" s="4294967295" t="inlineStr"><is>
   <t xml:space="preserve"></t></is></c>. A character takes five bytes at most: &amp; */
enum { CELL_ROOM = 128, ESCAPED_MAX = 5 };

#define PUT(at, literal) (memcpy(at, literal, sizeof(literal) - 1), (at) + sizeof(literal) - 1)

/* ---- numbers ---- */

static char *put_digits(char *at, uint64_t number)
{
    char digits[20];
    size_t n = 0;

    do
        digits[n++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (n > 0)
        *at++ = digits[--n];
    return at;
}

/* 16 digits of a number from 1 to below 1e15 that is not whole. The double is mantissa * 2^-shift,
   exactly; times a power of ten it is cut by the shift, and rounded as printf does, half to even.
 */
static char *put_fraction(char *at, double number)
{
    int exponent;
    uint64_t mantissa = (uint64_t)ldexp(frexp(number, &exponent), 53), tens = 1, digits, part;
    unsigned shift = (unsigned)(53 - exponent), decimals = 16;
    unsigned __int128 scaled, rest, half;

    for (uint64_t left = (uint64_t)number; left > 0; left /= 10)
        decimals--;
    for (unsigned i = 0; i < decimals; i++)
        tens *= 10;
    scaled = (unsigned __int128)mantissa * tens;
    half = (unsigned __int128)1 << (shift - 1);
    digits = (uint64_t)(scaled >> shift);
    rest = scaled - ((unsigned __int128)digits << shift);
    digits += rest > half || (rest == half && (digits & 1));
    at = put_digits(at, digits / tens);
    part = digits % tens;
    if (part == 0)
        return at;
    *at++ = '.';
    for (unsigned i = decimals; i-- > 0; part /= 10)
        at[i] = (char)('0' + part % 10);
    for (at += decimals; at[-1] == '0'; at--)
        ;
    return at;
}

size_t sheet_number_text(double number, char ret[SHEET_NUMBER_MAX])
{
    double size = fabs(number);
    char *at = ret;

    if (!(size < 1e15) || (size < 1 && size != 0))
        return (size_t)snprintf(ret, SHEET_NUMBER_MAX, "%.16G", number);
    if (number < 0)
        *at++ = '-';
    at = size == (double)(uint64_t)size ? put_digits(at, (uint64_t)size) : put_fraction(at, size);
    *at = '\0';
    return (size_t)(at - ret);
}

/* ---- writing ---- */

void sheet_row_begin(struct sheet_rows *rows, uint32_t row)
{
    char *at;

    rows->row = row;
    rows->number_len = (size_t)(put_digits(rows->number, (uint64_t)row + 1) - rows->number);
    rows->start = rows->xml.len;
    if (!sb_room(&rows->xml, CELL_ROOM))
        return;
    at = PUT(rows->xml.text + rows->xml.len, "<row r=\"");
    at = mempcpy(at, rows->number, rows->number_len);
    at = PUT(at, "\">");
    rows->empty = rows->xml.len = (size_t)(at - rows->xml.text);
}

void sheet_row_end(struct sheet_rows *rows)
{
    if (rows->xml.len == rows->empty)
        rows->xml.len = rows->start;
    else
        sb_adds(&rows->xml, "</row>");
}

void sheet_rows_done(struct sheet_rows *rows)
{
    sb_done(&rows->xml);
}

/* "A" for 0, "XFD" for 16383. */
static char *put_letters(char *at, uint32_t column)
{
    if (column >= 26)
        at = put_letters(at, column / 26 - 1);
    *at++ = (char)('A' + column % 26);
    return at;
}

/* <c r="A2" s="1" */
static char *put_start(const struct sheet_rows *rows, uint32_t column, uint32_t style)
{
    char *at = PUT(rows->xml.text + rows->xml.len, "<c r=\"");

    at = put_letters(at, column);
    at = mempcpy(at, rows->number, rows->number_len);
    *at++ = '"';
    if (style == 0)
        return at;
    at = PUT(at, " s=\"");
    at = put_digits(at, style);
    *at++ = '"';
    return at;
}

static char *put_escaped(char *at, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        switch (text[i]) {
        case '&':
            at = PUT(at, "&amp;");
            break;
        case '<':
            at = PUT(at, "&lt;");
            break;
        case '>':
            at = PUT(at, "&gt;");
            break;
        default:
            *at++ = text[i];
        }
    }
    return at;
}

/* Blanks at a text's ends are lost unless they are declared. */
static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

void sheet_put_text(struct sheet_rows *rows, uint32_t column, uint32_t style, const char *text,
                    size_t len)
{
    char *at;

    if (len == 0 || !sb_room(&rows->xml, CELL_ROOM + ESCAPED_MAX * len))
        return;
    xlsx_sum_cell(rows->sum, rows->row, column, XLSX_TEXT, text, len);
    at = put_start(rows, column, style);
    if (is_blank(text[0]) || is_blank(text[len - 1]))
        at = PUT(at, " t=\"inlineStr\"><is><t xml:space=\"preserve\">");
    else
        at = PUT(at, " t=\"inlineStr\"><is><t>");
    at = put_escaped(at, text, len);
    at = PUT(at, "</t></is></c>");
    rows->xml.len = (size_t)(at - rows->xml.text);
}

void sheet_put_number(struct sheet_rows *rows, uint32_t column, uint32_t style, double number)
{
    char text[SHEET_NUMBER_MAX], *at;
    size_t len = sheet_number_text(number, text);

    if (!sb_room(&rows->xml, CELL_ROOM))
        return;
    xlsx_sum_cell(rows->sum, rows->row, column, XLSX_NUMBER, text, len);
    at = put_start(rows, column, style);
    at = PUT(at, "><v>");
    at = mempcpy(at, text, len);
    at = PUT(at, "</v></c>");
    rows->xml.len = (size_t)(at - rows->xml.text);
}

/* ---- reading ---- */

/* Where reading stands. Once `more` or `strange` is set, nothing else is taken. */
struct reader {
    const char *at, *end;
    bool more, strange;
};

static bool good(const struct reader *reader)
{
    return !reader->more && !reader->strange;
}

/* Is the next thing this literal? Then it is taken. Inline: its length is known where it stands. */
static inline __attribute__((always_inline)) bool take(struct reader *reader, const char *literal,
                                                       size_t len)
{
    size_t left = (size_t)(reader->end - reader->at);

    if (!good(reader))
        return false;
    if (left < len) {
        reader->more = memcmp(reader->at, literal, left) == 0;
        return false;
    }
    if (memcmp(reader->at, literal, len) != 0)
        return false;
    reader->at += len;
    return true;
}

#define TAKE(reader, literal) take(reader, literal, sizeof(literal) - 1)

static inline __attribute__((always_inline)) void expect(struct reader *reader, const char *literal,
                                                         size_t len)
{
    if (!take(reader, literal, len) && !reader->more)
        reader->strange = true;
}

#define EXPECT(reader, literal) expect(reader, literal, sizeof(literal) - 1)

static uint32_t take_number(struct reader *reader)
{
    const char *start = reader->at;
    uint64_t number = 0;

    if (!good(reader))
        return 0;
    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9' &&
           number <= UINT32_MAX)
        number = number * 10 + (uint64_t)(*reader->at++ - '0');
    reader->more = reader->at == reader->end;
    reader->strange = (reader->at == start && !reader->more) || number > UINT32_MAX;
    return (uint32_t)number;
}

static uint32_t take_letters(struct reader *reader)
{
    uint32_t column = 0;

    while (good(reader) && reader->at < reader->end && *reader->at >= 'A' && *reader->at <= 'Z' &&
           column < 100000)
        column = column * 26 + (uint32_t)(*reader->at++ - 'A' + 1);
    reader->strange |= column == 0 && reader->at < reader->end;
    reader->more |= reader->at == reader->end;
    return column - 1;
}

/* The bytes that a text or number is made of as they stand: 0 ends it, 1 is plain, 2 begins an
   entity, 3 a longer character, 4 has no place here. */
static const unsigned char byte_kind[256] = {
    [0 ... 8] = 4,     [11 ... 31] = 4, ['\t'] = 1,         ['\n'] = 1,
    [' ' ... '%'] = 1, ['&'] = 2,       ['\'' ... ';'] = 1, ['<'] = 0,
    ['='] = 1,         ['>'] = 4,       ['?' ... 127] = 1,  [128 ... 255] = 3,
};

static char take_entity(struct reader *reader)
{
    if (TAKE(reader, "&amp;"))
        return '&';
    if (TAKE(reader, "&lt;"))
        return '<';
    if (TAKE(reader, "&gt;"))
        return '>';
    reader->strange = !reader->more;
    return 0;
}

static void take_long_character(struct reader *reader)
{
    size_t left = (size_t)(reader->end - reader->at);
    uint32_t code;
    size_t bytes = utf8_decode(reader->at, left, &code);

    if (code == UINT32_MAX && left < 4)
        reader->more = true;
    else if (code == UINT32_MAX || code == 0xFFFE || code == 0xFFFF)
        reader->strange = true;
    else
        reader->at += bytes;
}

/* All up to the next <, without its entities: either as it stands or, where it has any, in `text`.
 */
static void take_text(struct reader *reader, struct strbuf *text, const char **ret, size_t *ret_len)
{
    const char *start = reader->at;
    bool copied = false;

    sb_reset(text);
    while (good(reader)) {
        unsigned kind;
        char c;

        while (reader->at < reader->end && byte_kind[(unsigned char)*reader->at] == 1)
            reader->at++;
        if (reader->at == reader->end) {
            reader->more = true;
            break;
        }
        kind = byte_kind[(unsigned char)*reader->at];
        if (kind == 0)
            break;
        if (kind == 3) {
            take_long_character(reader);
        } else if (kind == 2) {
            sb_add(text, start, (size_t)(reader->at - start));
            c = take_entity(reader);
            sb_add(text, &c, 1);
            start = reader->at;
            copied = true;
        } else {
            reader->strange = true;
        }
    }
    if (copied)
        sb_add(text, start, (size_t)(reader->at - start));
    reader->strange |= text->failed;
    *ret = copied ? text->text : start;
    *ret_len = copied ? text->len : (size_t)(reader->at - start);
}

/* What follows <c r=" in row `row`, from 0. */
static void take_cell(struct reader *reader, uint32_t row, struct xlsx_sum *sum,
                      struct strbuf *text)
{
    uint32_t column = take_letters(reader);
    const char *value = NULL;
    size_t len = 0;

    if (take_number(reader) != row + 1 && good(reader))
        reader->strange = true;
    EXPECT(reader, "\"");
    if (TAKE(reader, " s=\"")) {
        take_number(reader);
        EXPECT(reader, "\"");
    }
    if (TAKE(reader, "><v>")) {
        take_text(reader, text, &value, &len);
        EXPECT(reader, "</v></c>");
        if (good(reader))
            xlsx_sum_cell(sum, row, column, XLSX_NUMBER, value, len);
        return;
    }
    EXPECT(reader, " t=\"inlineStr\"><is><t");
    TAKE(reader, " xml:space=\"preserve\"");
    EXPECT(reader, ">");
    take_text(reader, text, &value, &len);
    EXPECT(reader, "</t></is></c>");
    if (good(reader))
        xlsx_sum_cell(sum, row, column, XLSX_TEXT, value, len);
}

size_t sheet_row_read(const char *xml, size_t len, struct xlsx_sum *sum, struct strbuf *text)
{
    struct reader reader = {.at = xml, .end = xml + len};
    struct xlsx_sum after = *sum;
    uint32_t row;

    EXPECT(&reader, "<row r=\"");
    row = take_number(&reader) - 1;
    EXPECT(&reader, "\">");
    while (TAKE(&reader, "<c r=\""))
        take_cell(&reader, row, &after, text);
    EXPECT(&reader, "</row>");
    if (!good(&reader))
        return reader.strange ? 0 : SHEET_ROW_MORE;
    *sum = after;
    return (size_t)(reader.at - xml);
}
