/* Instants and days: see instant.h. */
#define _GNU_SOURCE
#include "instant.h"

#include <stdlib.h>
#include <string.h>

#include "conf.h"

#include "ban.h"

enum { DAY = 86400, ZONE_MAX = 14 * 60 }; /* seconds; minutes, the furthest zone in use */

/* Days from 1970-01-01 to a date of the Gregorian calendar, counted in years from March on so that
   the leap day is the last of its year. */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t days_before_month = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5;

    return 365 * y + y / 4 - y / 100 + y / 400 + days_before_month + day - 1 - 719468;
}

static bool is_leap_year(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap_year(year));
}

/* Exactly n digits at *text, which moves behind them. */
static bool take_digits(const char **text, int n, int64_t *ret)
{
    int64_t value = 0;

    for (int i = 0; i < n; i++, (*text)++) {
        if (**text < '0' || **text > '9')
            return false;
        value = value * 10 + (**text - '0');
    }
    *ret = value;
    return true;
}

static bool take_char(const char **text, char c)
{
    if (**text != c)
        return false;
    (*text)++;
    return true;
}

/* What keeps a text from being an instant; NULL: nothing. */
static const char *take_date(const char **text, int64_t *ret)
{
    int64_t year, month, day;

    if (!take_digits(text, 4, &year) || !take_char(text, '-') || !take_digits(text, 2, &month) ||
        !take_char(text, '-') || !take_digits(text, 2, &day))
        return "is not a date or an instant";
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return "is a date that does not exist";
    *ret = days_from_date(year, month, day) * DAY;
    return NULL;
}

/* Digits behind the point; all must be 0. */
static const char *take_fraction(const char **text)
{
    size_t digits = strspn(*text, "0123456789");
    size_t zeros = strspn(*text, "0");

    *text += digits;
    if (digits == 0 || digits > 6)
        return "has a fraction that is not of one to six digits";
    return zeros == digits ? NULL : "is not a whole second";
}

static const char *take_time(const char **text, int64_t *ret)
{
    int64_t hour, minute, second;

    if (!take_digits(text, 2, &hour) || !take_char(text, ':') || !take_digits(text, 2, &minute) ||
        !take_char(text, ':') || !take_digits(text, 2, &second))
        return "is not a date or an instant";
    if (hour == 24)
        return "has the hour 24: write 00:00:00 of the next day";
    if (second == 60)
        return "is a leap second, which the database does not know";
    if (hour > 23 || minute > 59 || second > 59)
        return "has a time of day that does not exist";
    *ret += hour * 3600 + minute * 60 + second;
    return take_char(text, '.') ? take_fraction(text) : NULL;
}

static const char *take_zone(const char **text, int64_t *ret)
{
    int64_t hours, minutes, sign = **text == '-' ? 1 : -1; /* UTC is the local time less the zone */

    if (**text == '\0')
        return "has no zone";
    if (take_char(text, 'Z'))
        return NULL;
    if (!take_char(text, '+') && !take_char(text, '-'))
        return "is not a date or an instant";
    if (!take_digits(text, 2, &hours) || !take_char(text, ':') || !take_digits(text, 2, &minutes))
        return "has a zone that is not like +02:00";
    if (minutes > 59 || hours * 60 + minutes > ZONE_MAX)
        return "has a zone that does not exist";
    *ret += sign * (hours * 60 + minutes) * 60;
    return NULL;
}

static const char *parse(const char *text, int64_t *ret)
{
    const char *fault = take_date(&text, ret);

    if (!fault && *text == 'T') {
        text++;
        fault = take_time(&text, ret);
        if (!fault)
            fault = take_zone(&text, ret);
    }
    if (!fault && *text != '\0')
        fault = "is not a date or an instant";
    if (!fault && (*ret < 0 || *ret > INSTANT_MAX))
        fault = "is outside 1970-01-01T00:00:00Z to 9999-12-31T23:59:59Z";
    return fault;
}

enum err_code instant_parse(const char *text, const char *option, struct instant *ret,
                            struct err *err)
{
    size_t len = strlen(text);
    int64_t seconds;
    const char *fault = parse(text, &seconds);

    if (!fault) {
        ret->seconds = seconds;
        return ERR_OK;
    }
    if (len == 0 || len > 60 || text_fault(text, len, false))
        err_set(err, ERR_USAGE, "%s: the value %s", option, fault);
    else
        err_set(err, ERR_USAGE, "%s: \"%s\" %s", option, text, fault);
    err_hint(err, "write a date such as 2026-03-31, which means its 00:00:00 UTC, or an instant "
                  "with its zone such as 2026-03-31T02:00:00Z or 2026-03-31T04:00:00+02:00");
    return err->code;
}

/* ---- writing ---- */

struct instant instant_day(struct instant instant)
{
    return (struct instant){instant.seconds - instant.seconds % DAY};
}

/* `n` digits of a number, with zeros before. */
static char *put_digits(char *to, int64_t number, int n)
{
    for (int i = n - 1; i >= 0; i--, number /= 10)
        to[i] = (char)('0' + number % 10);
    return to + n;
}

static char *put_date(char *to, int64_t seconds)
{
    int64_t days = seconds / DAY, year, month = 1;

    if (seconds < 0 || seconds > INSTANT_MAX)
        abort();              /* no instant_parse yielded it */
    year = 1970 + days / 366; /* never too late */
    while (days_from_date(year + 1, 1, 1) <= days)
        year++;
    days -= days_from_date(year, 1, 1);
    while (days >= days_in_month(year, month))
        days -= days_in_month(year, month++);
    to = put_digits(to, year, 4);
    *to++ = '-';
    to = put_digits(to, month, 2);
    *to++ = '-';
    return put_digits(to, days + 1, 2);
}

char *instant_format_day(struct instant instant, char ret[static DAY_SIZE])
{
    *put_date(ret, instant.seconds) = '\0';
    return ret;
}

char *instant_format(struct instant instant, char ret[static INSTANT_SIZE])
{
    int64_t second = instant.seconds % DAY;
    char *to = put_date(ret, instant.seconds);

    *to++ = 'T';
    to = put_digits(to, second / 3600, 2);
    *to++ = ':';
    to = put_digits(to, second / 60 % 60, 2);
    *to++ = ':';
    to = put_digits(to, second % 60, 2);
    *to++ = 'Z';
    *to = '\0';
    return ret;
}
