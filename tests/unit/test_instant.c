/* Instants: what WHEN may be, what it may not, and writing that reads back. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "instant.h"

static const struct {
    const char *text, *utc;
} good[] = {
    {"1970-01-01", "1970-01-01T00:00:00Z"},
    {"2026-03-31", "2026-03-31T00:00:00Z"},
    {"2024-02-29", "2024-02-29T00:00:00Z"},
    {"2000-02-29", "2000-02-29T00:00:00Z"},
    {"9999-12-31", "9999-12-31T00:00:00Z"},
    {"9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"},
    {"2026-03-31T02:00:00Z", "2026-03-31T02:00:00Z"},
    {"2026-03-31T02:00:00+02:00", "2026-03-31T00:00:00Z"},
    {"2026-03-31T01:00:00+02:00", "2026-03-30T23:00:00Z"},
    {"2025-12-31T23:30:00-05:45", "2026-01-01T05:15:00Z"},
    {"2024-02-28T23:00:00-14:00", "2024-02-29T13:00:00Z"},
    {"2026-03-31T02:00:00+00:00", "2026-03-31T02:00:00Z"},
    {"2026-03-31T02:00:00-00:00", "2026-03-31T02:00:00Z"},
    {"2026-03-31T02:00:00.000Z", "2026-03-31T02:00:00Z"},
    {"2026-03-31T02:00:00.000000+01:00", "2026-03-31T01:00:00Z"},
    {"2026-03-31T02:00:00.0Z", "2026-03-31T02:00:00Z"},
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        _cleanup_err_ struct err err = {0};
        char text[INSTANT_SIZE];
        struct instant instant;

        if (instant_parse(good[i].text, "--as-of", &instant, &err) != ERR_OK)
            fail_msg("%s", err.message);
        assert_string_equal(instant_format(instant, text), good[i].utc);
    }
}

static const struct {
    const char *text, *message;
} bad[] = {
    {"", "--as-of: the value is not a date or an instant"},
    {"now", "--as-of: \"now\" is not a date or an instant"},
    {"today", "is not a date or an instant"},
    {"infinity", "--as-of: \"infinity\" is not a date or an instant"},
    {"-infinity", "is not a date or an instant"},
    {"2026-02-30", "--as-of: \"2026-02-30\" is a date that does not exist"},
    {"2026-02-29", "is a date that does not exist"},
    {"1900-02-29", "is a date that does not exist"},
    {"2100-02-29", "is a date that does not exist"},
    {"2026-04-31", "is a date that does not exist"},
    {"2026-13-01", "is a date that does not exist"},
    {"2026-00-01", "is a date that does not exist"},
    {"2026-01-00", "is a date that does not exist"},
    {"2026-1-1", "is not a date or an instant"},
    {"20260101", "is not a date or an instant"},
    {"01/02/2026", "is not a date or an instant"},
    {" 2026-01-01", "is not a date or an instant"},
    {"2026-01-01 ", "is not a date or an instant"},
    {"2026-01-01x", "is not a date or an instant"},
    {"2026-01", "is not a date or an instant"},
    {"12026-01-01", "is not a date or an instant"},
    {"-2026-01-01", "is not a date or an instant"},
    {"+026-01-01", "is not a date or an instant"},
    {"\xd9\xa2\xd9\xa0\xd9\xa2\xd9\xa6-01-01", "is not a date or an instant"},
    {"2026-01-01\n", "--as-of: the value is not a date or an instant"},
    {"1969-12-31", "is outside 1970-01-01T00:00:00Z to 9999-12-31T23:59:59Z"},
    {"0000-01-01", "is outside 1970-01-01T00:00:00Z"},
    {"1970-01-01T00:00:00+00:01", "is outside 1970-01-01T00:00:00Z"},
    {"9999-12-31T23:59:59-00:01", "is outside 1970-01-01T00:00:00Z"},
    {"2026-01-01T02:00:00", "--as-of: \"2026-01-01T02:00:00\" has no zone"},
    {"2026-01-01T02:00:00.5", "is not a whole second"},
    {"2026-01-01T02:00:00.000", "has no zone"},
    {"2026-01-01T02:00:00.500Z", "is not a whole second"},
    {"2026-01-01T02:00:00.000001Z", "is not a whole second"},
    {"2026-01-01T02:00:00.0000000Z", "has a fraction that is not of one to six digits"},
    {"2026-01-01T02:00:00.Z", "has a fraction that is not of one to six digits"},
    {"2026-01-01T02:00:00,0Z", "is not a date or an instant"},
    {"2026-01-01 02:00:00Z", "is not a date or an instant"},
    {"2026-01-01t02:00:00Z", "is not a date or an instant"},
    {"2026-01-01T02:00:00z", "is not a date or an instant"},
    {"2026-01-01T02:00:00ZZ", "is not a date or an instant"},
    {"2026-01-01T02:00:00 Z", "is not a date or an instant"},
    {"2026-01-01T02:00:00UTC", "is not a date or an instant"},
    {"2026-01-01T02:00Z", "is not a date or an instant"},
    {"2026-01-01T", "is not a date or an instant"},
    {"2026-01-01Z", "is not a date or an instant"},
    {"2026-01-01T24:00:00Z", "has the hour 24"},
    {"2026-01-01T25:00:00Z", "has a time of day that does not exist"},
    {"2026-01-01T02:60:00Z", "has a time of day that does not exist"},
    {"2026-01-01T02:00:61Z", "has a time of day that does not exist"},
    {"2016-12-31T23:59:60Z", "is a leap second"},
    {"2026-01-01T02:00:00+2", "has a zone that is not like +02:00"},
    {"2026-01-01T02:00:00+0200", "has a zone that is not like +02:00"},
    {"2026-01-01T02:00:00+02", "has a zone that is not like +02:00"},
    {"2026-01-01T02:00:00+14:01", "has a zone that does not exist"},
    {"2026-01-01T02:00:00+02:60", "has a zone that does not exist"},
    {"2026-01-01T02:00:00+02:00:00", "is not a date or an instant"},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        _cleanup_err_ struct err err = {0};
        struct instant instant = {42};

        if (instant_parse(bad[i].text, "--as-of", &instant, &err) != ERR_USAGE)
            fail_msg("\"%s\" was taken", bad[i].text);
        assert_int_equal(instant.seconds, 42);
        if (!strstr(err.message, bad[i].message) || strchr(err.message, '\n'))
            fail_msg("\"%s\" does not hold \"%s\"", err.message, bad[i].message);
        assert_int_equal(strncmp(err.message, "--as-of: ", 9), 0);
        assert_non_null(strstr(err.hint, "2026-03-31T02:00:00Z"));
    }
}

/* Every prefix and every changed byte of a good instant is judged without harm. */
static void test_damaged(void **state)
{
    static const char whole[] = "2026-03-31T02:00:00.000000+02:00";

    (void)state;
    for (size_t i = 0; i < sizeof whole - 1; i++) {
        for (int c = 0; c < 256; c++) {
            _cleanup_err_ struct err err = {0};
            char text[sizeof whole], utc[INSTANT_SIZE];
            struct instant instant = {0};

            memcpy(text, whole, sizeof whole);
            text[i] = (char)c; /* 0 cuts it */
            if (instant_parse(text, "--as-of", &instant, &err) == ERR_OK)
                assert_int_equal(strlen(instant_format(instant, utc)), INSTANT_SIZE - 1);
        }
    }
}

/* Against the C library, whose UTC calendar needs no zone: every day, and odd seconds. */
static void test_calendar(void **state)
{
    (void)state;
    for (int64_t seconds = 0; seconds <= INSTANT_MAX; seconds += 86400 + 12345) {
        _cleanup_err_ struct err err = {0};
        char text[INSTANT_SIZE], day[DAY_SIZE], expected[64];
        struct instant back;
        struct tm tm;
        time_t t = seconds;

        gmtime_r(&t, &tm);
        snprintf(expected, sizeof expected, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        instant_format((struct instant){seconds}, text);
        if (strcmp(text, expected) != 0)
            fail_msg("%s, not %s", text, expected);
        assert_int_equal(instant_parse(text, "--as-of", &back, &err), ERR_OK);
        assert_int_equal(back.seconds, seconds);
        assert_int_equal(strncmp(instant_format_day(back, day), text, 10), 0);
        assert_int_equal(instant_parse(day, "--as-of", &back, &err), ERR_OK);
        assert_int_equal(back.seconds, instant_day((struct instant){seconds}).seconds);
        assert_int_equal(back.seconds, seconds - seconds % 86400);
    }
}

static void test_limits(void **state)
{
    char text[INSTANT_SIZE], day[DAY_SIZE];

    (void)state;
    assert_string_equal(instant_format((struct instant){0}, text), "1970-01-01T00:00:00Z");
    assert_string_equal(instant_format((struct instant){INSTANT_MAX}, text),
                        "9999-12-31T23:59:59Z");
    assert_string_equal(instant_format_day((struct instant){INSTANT_MAX}, day), "9999-12-31");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),    cmocka_unit_test(test_bad),
        cmocka_unit_test(test_damaged), cmocka_unit_test(test_calendar),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests_name("instant", tests, NULL, NULL);
}
