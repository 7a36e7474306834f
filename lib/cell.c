/* Cells: see cell.h. */
#define _GNU_SOURCE
#include "cell.h"

#include <string.h>

#include "ban.h"

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

/* What each byte says about a text: the table behind text_traits. */
static const unsigned char byte_traits[256] = {
    [0 ... '\t'] = TEXT_CONTROL,
    ['\n'] = TEXT_CONTROL | TEXT_QUOTE,
    ['\v' ... '\f'] = TEXT_CONTROL,
    ['\r'] = TEXT_CONTROL | TEXT_QUOTE,
    [14 ... 31] = TEXT_CONTROL,
    [127] = TEXT_CONTROL,
    [','] = TEXT_QUOTE,
    ['"'] = TEXT_QUOTE,
    ['_'] = TEXT_UNDERSCORE,
    [128 ... 255] = TEXT_HIGH,
};

unsigned text_traits(const char *text, size_t len)
{
    unsigned traits = 0;

    for (size_t i = 0; i < len; i++)
        traits |= byte_traits[(unsigned char)text[i]];
    return traits;
}

/* How many bytes a character with this first byte has, and the bounds of its second byte, which
   shut out overlong forms, surrogates and what lies beyond U+10FFFF. 0 for no first byte. */
static size_t utf8_shape(unsigned char first, unsigned char *ret_low, unsigned char *ret_high)
{
    *ret_low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    *ret_high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (first < 0x80)
        return 1;
    if (first < 0xC2 || first > 0xF4)
        return 0;
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

size_t utf8_decode(const char *text, size_t len, uint32_t *ret_code)
{
    const unsigned char *bytes = (const unsigned char *)text;
    unsigned char low, high;
    size_t want = utf8_shape(bytes[0], &low, &high);
    uint32_t code;

    *ret_code = bytes[0];
    if (want == 1)
        return 1;
    *ret_code = UINT32_MAX;
    if (want == 0)
        return 1;
    code = bytes[0] & (0xFFU >> (want + 1));
    for (size_t i = 1; i < want; i++) {
        if (i >= len || bytes[i] < low || bytes[i] > high)
            return i;
        code = code << 6 | (bytes[i] & 0x3F);
        low = 0x80;
        high = 0xBF;
    }
    *ret_code = code;
    return want;
}

/* Blanks, and marks that nobody sees: a formula may hide behind them. */
static bool is_invisible(uint32_t code)
{
    switch (code) {
    case ' ':
    case '\n':
    case '\v':
    case '\f':
    case 0x85:   /* next line */
    case 0xA0:   /* no-break space */
    case 0xAD:   /* soft hyphen */
    case 0x034F: /* combining grapheme joiner */
    case 0x061C: /* Arabic letter mark */
    case 0x1680: /* Ogham space */
    case 0x180E: /* Mongolian vowel separator */
    case 0x202F: /* narrow no-break space */
    case 0x205F: /* mathematical space */
    case 0x3000: /* ideographic space */
    case 0xFEFF: /* byte order mark */
        return true;
    default:
        return (code >= 0x2000 && code <= 0x200F)     /* spaces, zero width, direction marks */
               || (code >= 0x2028 && code <= 0x202E)  /* separators, embeddings, overrides */
               || (code >= 0x2060 && code <= 0x206F); /* word joiner, isolates */
    }
}

static bool starts_formula(uint32_t code)
{
    switch (code) {
    case '=':
    case '+':
    case '-':
    case '@':
    case '\t':
    case '\r':
    case 0xFF1D: /* full-width = + - @ */
    case 0xFF0B:
    case 0xFF0D:
    case 0xFF20:
        return true;
    default:
        return false;
    }
}

bool text_is_formula(const char *text, size_t len)
{
    uint32_t code;

    for (size_t i = 0; i < len;) {
        i += utf8_decode(text + i, len - i, &code);
        if (!is_invisible(code))
            return starts_formula(code);
    }
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool text_needs_quotes(const char *text, size_t len, unsigned traits)
{
    return len == 0 || (traits & TEXT_QUOTE) || is_blank(text[0]) || is_blank(text[len - 1]);
}

static bool utf8_is_valid(const char *text, size_t len)
{
    uint32_t code;

    for (size_t i = 0; i < len;) {
        i += utf8_decode(text + i, len - i, &code);
        if (code == UINT32_MAX)
            return false;
    }
    return true;
}

bool cell_csv_plain(const struct value *value, bool guard)
{
    return !(guard && text_is_formula(value->text, value->len)) &&
           !((value->traits & TEXT_HIGH) && !utf8_is_valid(value->text, value->len));
}

bool cell_csv_text(struct strbuf *out, const struct value *value, bool guard)
{
    const char *text = value->text;
    bool altered = false;
    size_t done = 0;
    uint32_t code;

    if (guard && text_is_formula(text, value->len)) {
        sb_add(out, "'", 1);
        altered = true;
    }
    for (size_t i = 0; i < value->len;) {
        size_t bytes = utf8_decode(text + i, value->len - i, &code);

        if (code == UINT32_MAX) {
            sb_add(out, text + done, i - done);
            sb_add(out, replacement, 3);
            done = i + bytes;
            altered = true;
        }
        i += bytes;
    }
    sb_add(out, text + done, value->len - done);
    return altered;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Would Excel read what begins here as an escape? Also when the closing _ is that of the escape
   which a CR is about to become. */
static bool is_escape(const char *text, size_t len)
{
    return len >= 7 && text[0] == '_' && text[1] == 'x' && is_hex(text[2]) && is_hex(text[3]) &&
           is_hex(text[4]) && is_hex(text[5]) && (text[6] == '_' || text[6] == '\r');
}

static bool is_xml(uint32_t code)
{
    if (code < 0x20)
        return code == '\t' || code == '\n';
    return code != UINT32_MAX && code != 0xFFFE && code != 0xFFFF;
}

/* One character as a workbook holds it. */
struct piece {
    const char *text;
    size_t len, units; /* bytes, UTF-16 units */
    bool altered;
};

/* The next piece of a text; returns the bytes it stands for. */
static size_t next_piece(const char *text, size_t len, struct piece *ret)
{
    uint32_t code;
    size_t bytes = utf8_decode(text, len, &code);

    if (code == '\r')
        *ret = (struct piece){"_x000D_", 7, 7, false};
    else if (code == '_' && is_escape(text, len))
        *ret = (struct piece){"_x005F_", 7, 7, false};
    else if (is_xml(code))
        *ret = (struct piece){text, bytes, code > 0xFFFF ? 2 : 1, false};
    else
        *ret = (struct piece){replacement, 3, 1, true};
    return bytes;
}

static size_t plain_run(const char *text, size_t len)
{
    size_t n = 0;

    while (n < len && (byte_traits[(unsigned char)text[n]] & ~(unsigned)TEXT_QUOTE) == 0)
        n++;
    return n;
}

bool cell_workbook_text(struct strbuf *out, const char *text, size_t len, unsigned traits)
{
    const size_t mark_units = 7, room = WORKBOOK_TEXT_MAX - mark_units;
    size_t units = 0, keep = out->len; /* where to cut if it comes to that */
    bool altered = false;

    if ((traits & ~(unsigned)TEXT_QUOTE) == 0 && len <= WORKBOOK_TEXT_MAX) {
        sb_add(out, text, len);
        return false;
    }
    for (size_t i = 0; i < len;) {
        size_t left = units < room ? room - units : 0;
        size_t run = plain_run(text + i, len - i < left ? len - i : left);
        struct piece piece;

        if (run > 0) {
            piece = (struct piece){text + i, run, run, false};
            i += run;
        } else {
            i += next_piece(text + i, len - i, &piece);
        }
        if (units + piece.units > WORKBOOK_TEXT_MAX) {
            if (!out->failed)
                out->len = keep;
            sb_adds(out, WORKBOOK_CUT_MARK);
            return true;
        }
        sb_add(out, piece.text, piece.len);
        units += piece.units;
        altered |= piece.altered;
        if (units <= room)
            keep = out->len;
    }
    return altered;
}

bool cell_read_integer(const char *text, size_t len, int64_t *ret)
{
    size_t i = len > 0 && text[0] == '-';
    int64_t value = 0;

    if (i == len || len > 20 || (text[i] == '0' && len > 1))
        return false;
    for (; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, text[i] - '0', &value))
            return false; /* negative, so that INT64_MIN fits */
    }
    if (text[0] != '-' && __builtin_sub_overflow(0, value, &value))
        return false;
    *ret = value;
    return true;
}

static bool is_word(const char *text, size_t len, const char *word)
{
    return len == strlen(word) && memcmp(text, word, len) == 0;
}

static bool is_infinity(const char *text, size_t len)
{
    return is_word(text, len, "infinity") || is_word(text, len, "-infinity");
}

static void set_bare(struct value *ret, const char *text, size_t len)
{
    ret->kind = VALUE_BARE;
    ret->text = text;
    ret->len = len;
}

/* Up to 15 digits are exact, and so is the power of ten: one division rounds correctly, whatever
   the locale. */
static double scaled(int64_t digits, size_t decimals)
{
    static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

    return (double)digits / powers[decimals];
}

bool cell_read_decimal(const char *text, size_t len, size_t min_decimals, size_t max_decimals,
                       struct value *ret)
{
    size_t start = len > 0 && text[0] == '-', whole = 0, decimals = 0, digits = 0, i = start;
    int64_t number = 0;

    set_bare(ret, text, len);
    if (is_word(text, len, "NaN") || is_word(text, len, "Infinity") ||
        is_word(text, len, "-Infinity"))
        return true;
    for (; i < len && text[i] != '.'; i++)
        whole++;
    if (i < len)
        decimals = len - i - 1;
    if (whole == 0 || (text[start] == '0' && whole > 1) || (i < len && decimals == 0) ||
        decimals < min_decimals || decimals > max_decimals)
        return false;
    for (i = start; i < len; i++) {
        if (text[i] == '.' && i == start + whole)
            continue;
        if (text[i] < '0' || text[i] > '9')
            return false;
        if (++digits <= 15)
            number = number * 10 + (text[i] - '0');
    }
    if (digits <= 15) {
        ret->kind = VALUE_NUMBER;
        ret->number = scaled(start ? -number : number, decimals);
    }
    return true;
}

/* Days since 1970-01-01 in the Gregorian calendar (H. Hinnant, "days from civil"). */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
    int64_t shifted = month <= 2 ? year - 1 : year;
    int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
    int64_t year_of_era = shifted - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static bool digits_at(const char *text, size_t n, int64_t max, int64_t *ret)
{
    int64_t value = 0;

    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (text[i] - '0');
    }
    *ret = value;
    return value <= max;
}

/* A 29 February where there is none; only BC, whose years count otherwise, may have it. */
#define NO_DAY INT64_MIN

/* "YYYY-MM-DD" with four to seven digits of year at the start of the text. Returns its length, 0
   when there is none; the days count from 1899-12-30, as Excel counts. */
static size_t read_day(const char *text, size_t len, bool *ret_holdable, int64_t *ret_days)
{
    static const int month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    size_t n = 0;
    int64_t year, month, day;

    while (n < len && n < 8 && text[n] != '-')
        n++;
    if (n < 4 || n > 7 || len < n + 6 || text[n] != '-' || text[n + 3] != '-' ||
        (n > 4 && text[0] == '0'))
        return 0;
    if (!digits_at(text, n, 9999999, &year) || !digits_at(text + n + 1, 2, 12, &month) ||
        !digits_at(text + n + 4, 2, 31, &day) || year < 1 || month < 1 || day < 1 ||
        day > month_days[month - 1])
        return 0;
    if (month == 2 && day == 29 && (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0)))
        *ret_days = NO_DAY;
    else
        *ret_days = days_from_civil(year, month, day) + 25569;
    *ret_holdable = *ret_days >= 61 && year <= 9999; /* 1900-03-01: Excel has a 1900-02-29 before */
    return n + 6;
}

/* Is what follows a date nothing, or " BC"? */
static bool era_ends(const char *rest, size_t len, bool *ret_bc)
{
    *ret_bc = is_word(rest, len, " BC");
    return len == 0 || *ret_bc;
}

bool cell_read_date(const char *text, size_t len, struct value *ret)
{
    bool holdable = false, bc;
    int64_t days = 0;
    size_t n;

    set_bare(ret, text, len);
    if (is_infinity(text, len))
        return true;
    n = read_day(text, len, &holdable, &days);
    if (n == 0 || !era_ends(text + n, len - n, &bc) || (days == NO_DAY && !bc))
        return false;
    if (holdable && !bc) {
        ret->kind = VALUE_NUMBER;
        ret->number = (double)days;
    }
    return true;
}

/* " hh:mm:ss[.ffffff]" and the zone UTC; returns its length or 0. */
static size_t read_time(const char *text, size_t len, int64_t *ret_seconds)
{
    int64_t hour, minute, second;
    size_t n = 9;

    if (len < 10 || (text[0] != ' ' && text[0] != 'T') || text[3] != ':' || text[6] != ':' ||
        !digits_at(text + 1, 2, 23, &hour) || !digits_at(text + 4, 2, 59, &minute) ||
        !digits_at(text + 7, 2, 59, &second))
        return 0;
    if (text[n] == '.') {
        size_t point = n++;

        while (n < len && text[n] >= '0' && text[n] <= '9')
            n++;
        if (n == point + 1 || n > point + 7)
            return 0;
    }
    *ret_seconds = hour * 3600 + minute * 60 + second;
    if (len - n >= 6 && memcmp(text + n, "+00:00", 6) == 0)
        return n + 6;
    if (len - n >= 3 && memcmp(text + n, "+00", 3) == 0)
        return n + 3;
    return len - n >= 1 && text[n] == 'Z' ? n + 1 : 0;
}

bool cell_read_instant(const char *text, size_t len, struct value *ret)
{
    bool holdable = false, bc;
    int64_t days = 0, seconds;
    size_t day, time;

    set_bare(ret, text, len);
    if (is_infinity(text, len))
        return true;
    day = read_day(text, len, &holdable, &days);
    if (day == 0)
        return false;
    time = read_time(text + day, len - day, &seconds);
    if (time == 0 || !era_ends(text + day + time, len - day - time, &bc) || (days == NO_DAY && !bc))
        return false;
    memcpy(ret->form, text, day + 9);
    ret->form[day] = 'T';
    ret->form[day + 9] = 'Z';
    memcpy(ret->form + day + 10, " BC", 3);
    ret->text = ret->form;
    ret->len = day + 10 + (bc ? 3 : 0);
    if (holdable && !bc) {
        ret->kind = VALUE_NUMBER;
        ret->number = (double)days + (double)seconds / 86400;
    }
    return true;
}

/* COL_COUNT: a number as long as a double holds it exactly. */
static bool read_count(const struct cell *cell, struct value *ret)
{
    const int64_t exact = INT64_C(1) << 53;

    if (!cell_read_integer(cell->text, cell->len, &ret->integer))
        return false;
    if (ret->integer >= -exact && ret->integer <= exact) {
        ret->kind = VALUE_NUMBER;
        ret->number = (double)ret->integer;
    }
    return true;
}

bool cell_read(enum column_type type, const struct cell *cell, struct value *ret)
{
    set_bare(ret, cell->text, cell->len);
    ret->integer = 0;
    if (!cell->text) {
        ret->kind = VALUE_NULL;
        return true;
    }
    switch (type) {
    case COL_TEXT:
        ret->kind = VALUE_TEXT;
        ret->traits = text_traits(cell->text, cell->len);
        return true;
    case COL_ID:
        return cell_read_integer(cell->text, cell->len, &ret->integer);
    case COL_COUNT:
        return read_count(cell, ret);
    case COL_DECIMAL1:
        return cell_read_decimal(cell->text, cell->len, 1, 1, ret);
    case COL_AMOUNT:
        return cell_read_decimal(cell->text, cell->len, 0, 1000, ret);
    case COL_DATE:
        return cell_read_date(cell->text, cell->len, ret);
    case COL_DATE_NA:
        return is_word(cell->text, cell->len, "N/A") || cell_read_date(cell->text, cell->len, ret);
    case COL_INSTANT:
        return cell_read_instant(cell->text, cell->len, ret);
    }
    return false;
}
