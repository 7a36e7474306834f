/* Values of input files: see input.h. */
#define _GNU_SOURCE
#include "input.h"
#include "input_value.h"

#include <string.h>

#include "conf.h"
#include "currency.h"
#include "db.h"

#include "ban.h"

enum { TEXT_MAX = 500, SHOWN_MAX = 40 };

/* ---- instants ---- */

static bool take_number(const char **text, int digits, int64_t *ret)
{
    *ret = 0;
    for (int i = 0; i < digits; i++, (*text)++) {
        if (**text < '0' || **text > '9')
            return false;
        *ret = *ret * 10 + (**text - '0');
    }
    return true;
}

static bool take_char(const char **text, char c)
{
    if (**text != c)
        return false;
    (*text)++;
    return true;
}

bool take_zone(const char **text, int *ret_minutes)
{
    int sign = **text == '-' ? -1 : 1;
    int64_t hours, minutes;

    if (take_char(text, 'Z')) {
        *ret_minutes = 0;
        return true;
    }
    if ((!take_char(text, '+') && !take_char(text, '-')) || !take_number(text, 2, &hours) ||
        !take_char(text, ':') || !take_number(text, 2, &minutes) || hours > 14 || minutes > 59)
        return false;
    *ret_minutes = sign * (int)(hours * 60 + minutes);
    return true;
}

/* Days from 1970-01-01; the year begins in March, so that the leap day is its last. */
static int64_t days_from(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;

    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 719469;
}

static const char *take_day(const char **text, int64_t *ret)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year, month, day;
    bool leap;

    if (!take_number(text, 4, &year) || !take_char(text, '-') || !take_number(text, 2, &month) ||
        !take_char(text, '-') || !take_number(text, 2, &day))
        return "is not an instant such as 2026-03-01T00:00:00Z";
    leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (year < 1900 || month < 1 || month > 12 || day < 1 ||
        day > days[month - 1] + (month == 2 && leap))
        return "is a date that does not exist";
    *ret = days_from(year, month, day) * 86400;
    return NULL;
}

/* "T12:30", "T12:30:15", "T12:30:15.123456", or with a blank for the T. */
static const char *take_time(const char **text, int64_t *seconds, int64_t *micros)
{
    int64_t hour, minute, second = 0;
    int scale = 100000;

    if ((!take_char(text, 'T') && !take_char(text, ' ')) || !take_number(text, 2, &hour) ||
        !take_char(text, ':') || !take_number(text, 2, &minute) ||
        (take_char(text, ':') && !take_number(text, 2, &second)))
        return "is not an instant such as 2026-03-01T00:00:00Z";
    if (hour > 23 || minute > 59 || second > 59)
        return "has a time of day that does not exist";
    if (take_char(text, '.')) {
        if (**text < '0' || **text > '9')
            return "is not an instant such as 2026-03-01T00:00:00Z";
        for (; **text >= '0' && **text <= '9'; (*text)++, scale /= 10) {
            if (scale == 0)
                return "has more than six digits behind the second";
            *micros += (**text - '0') * scale;
        }
    }
    *seconds += hour * 3600 + minute * 60 + second;
    return NULL;
}

const char *read_instant(const char *text, bool has_zone, int zone, int64_t *ret)
{
    static const char no_zone[] = "has no zone: write Z or +02:00 behind it, or set zone";
    int64_t seconds = 0, micros = 0;
    const char *fault = take_day(&text, &seconds);

    if (!fault && *text)
        fault = take_time(&text, &seconds, &micros);
    else if (!fault && !has_zone)
        fault = no_zone;
    if (fault)
        return fault;
    if (!*text) {
        if (!has_zone)
            return no_zone;
    } else if (!take_zone(&text, &zone) || *text) {
        return "is not an instant such as 2026-03-01T00:00:00Z";
    }
    *ret = (seconds - zone * 60) * 1000000 + micros;
    return NULL;
}

/* ---- amounts ---- */

const char *read_amount(const char *text, int decimals, int64_t *ret)
{
    bool negative = *text == '-';
    int64_t value = 0;
    size_t whole, behind;

    text += negative;
    whole = strspn(text, "0123456789");
    behind = text[whole] == '.' ? strspn(text + whole + 1, "0123456789") : 0;
    if (whole == 0 || (text[whole] == '.' && behind == 0) ||
        text[whole + behind + (text[whole] == '.')] != '\0' || (whole > 1 && *text == '0'))
        return "is not an amount: write digits and a point, such as 1234.50";
    if (behind > (size_t)decimals)
        return "has more decimals than its currency";
    if (whole + (size_t)decimals > 18)
        return "is too long for an amount";
    for (; *text; text++)
        if (*text != '.')
            value = value * 10 + (*text - '0');
    for (size_t i = behind; i < (size_t)decimals; i++)
        value *= 10;
    if (negative && value == 0)
        return "is less than nothing and nothing: write 0";
    *ret = negative ? -value : value;
    return NULL;
}

/* ---- rows ---- */

/* What a row's values become, for those that depend on others. */
struct values {
    char currency[4];
    int64_t instants[INPUT_COLUMNS];
    bool known[INPUT_COLUMNS];
};

static const char *add_int(const struct input_column *column, const char *text, struct strbuf *copy)
{
    int64_t value;

    if (!parse_int64(text, column->min, column->max, &value) || str_eq(text, "-0"))
        return "is not a whole number in its range";
    db_copy_int(copy, value);
    return NULL;
}

static const char *add_instant(struct input *input, size_t i, const char *text,
                               struct values *values, struct strbuf *copy)
{
    const char *fault = read_instant(text, input->has_zone, input->zone, &values->instants[i]);

    if (fault)
        return fault;
    values->known[i] = true;
    for (size_t j = 0; input->columns[i].since && j < i; j++)
        if (strcmp(input->columns[j].field, input->columns[i].since) == 0 && values->known[j] &&
            values->instants[j] > values->instants[i])
            return "comes before its start";
    db_copy_instant(copy, values->instants[i]);
    return NULL;
}

static const char *add_word(struct input *input, size_t i, const char *text, struct strbuf *copy)
{
    const char *ours = text;

    if (input->places[i].words)
        ours = input_word(input->places[i].words, text);
    if (!ours)
        return "is a word that the settings do not explain";
    if (*ours)
        db_copy_text(copy, ours, strlen(ours));
    else
        db_copy_null(copy);
    return NULL;
}

static const char *add_currency(const char *text, struct values *values, struct strbuf *copy)
{
    if (strlen(text) != 3)
        return "is not a currency such as EUR";
    for (int i = 0; i < 3; i++)
        values->currency[i] =
            (char)(text[i] >= 'a' && text[i] <= 'z' ? text[i] - 'a' + 'A' : text[i]);
    if (currency_decimals(values->currency) < 0) {
        values->currency[0] = '\0';
        return "is not a currency of ISO 4217";
    }
    db_copy_text(copy, values->currency, 3);
    return NULL;
}

static const char *add_amount(const struct input *input, const char *text,
                              const struct values *values, struct strbuf *copy)
{
    int64_t value;
    const char *fault =
        read_amount(text, input->minor_units ? 0 : currency_decimals(values->currency), &value);

    if (fault)
        return fault;
    db_copy_int(copy, value);
    return NULL;
}

static const char *add_value(struct input *input, size_t i, const struct cell *cell,
                             struct values *values, struct strbuf *copy)
{
    const struct input_column *column = &input->columns[i];

    if (!cell->text || cell->len == 0) {
        db_copy_null(copy);
        return column->may_be_empty ? NULL : "is empty";
    }
    if (cell->len > TEXT_MAX)
        return "is longer than 500 bytes";
    switch (column->type) {
    case INPUT_TEXT:
        db_copy_text(copy, cell->text, cell->len);
        return NULL;
    case INPUT_INT:
        return add_int(column, cell->text, copy);
    case INPUT_INSTANT:
        return add_instant(input, i, cell->text, values, copy);
    case INPUT_WORD:
        return add_word(input, i, cell->text, copy);
    case INPUT_CURRENCY:
        return add_currency(cell->text, values, copy);
    case INPUT_AMOUNT:
        return add_amount(input, cell->text, values, copy);
    }
    return NULL;
}

/* "1,234.56" is not an amount...: the start of the text, without what a terminal would obey. */
static const char *reason_of(struct input *input, const struct cell *cell, const char *fault)
{
    size_t len = cell->len < SHOWN_MAX ? cell->len : SHOWN_MAX;

    sb_reset(&input->reason);
    if (!cell->text || cell->len == 0 || text_fault(cell->text, cell->len, false))
        return fault;
    while (len < cell->len && ((unsigned char)cell->text[len] & 0xC0) == 0x80)
        len--;
    sb_addf(&input->reason, "\"%.*s%s\" %s", (int)len, cell->text, len < cell->len ? "..." : "",
            fault);
    return sb_text(&input->reason) ? sb_text(&input->reason) : fault;
}

bool input_judge(struct input *input, const struct csv_row *row, struct strbuf *copy,
                 struct csv_fault *fault)
{
    struct values values = {0};
    uint64_t key = 0;
    bool repeats;

    for (size_t i = 0; i < input->n; i++) {
        static const struct cell nothing = {0};
        size_t column = input->places[i].column;
        const struct cell *cell = column ? &row->fields[column - 1] : &nothing;
        const char *wrong;

        if (!column) {
            db_copy_null(copy);
            continue;
        }
        wrong = add_value(input, i, cell, &values, copy);
        if (!wrong && input->columns[i].key)
            key = seen_hash(key, cell->text, cell->len);
        if (!wrong)
            continue;
        *fault = (struct csv_fault){row->line, column, input->places[i].heading,
                                    reason_of(input, cell, wrong)};
        return false;
    }
    repeats = input->seen && seen_maybe(input->seen, key);
    input->repeats += repeats;
    db_copy_bool(copy, repeats);
    return true;
}
