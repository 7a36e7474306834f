/* The forms of cells: what is read, what is altered, what is guarded. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cell.h"

#include "ban.h"

#define FFFD "\xEF\xBF\xBD"

static void test_utf8(_unused_ void **state)
{
    static const struct {
        const char *text;
        uint32_t code;
        size_t bytes;
    } cases[] = {
        {"a", 'a', 1},
        {"\xC3\xA9", 0xE9, 2},
        {"\xE2\x82\xAC", 0x20AC, 3},
        {"\xEF\xBF\xBF", 0xFFFF, 3},
        {"\xF0\x9F\x98\x80", 0x1F600, 4},
        {"\xF4\x8F\xBF\xBF", 0x10FFFF, 4},
        {"\x80", UINT32_MAX, 1},             /* continuation alone */
        {"\xC0\xAF", UINT32_MAX, 1},         /* overlong */
        {"\xE0\x80\xAF", UINT32_MAX, 1},     /* overlong */
        {"\xED\xA0\x80", UINT32_MAX, 1},     /* surrogate */
        {"\xF4\x90\x80\x80", UINT32_MAX, 1}, /* beyond U+10FFFF */
        {"\xF5\x80", UINT32_MAX, 1},
        {"\xFF", UINT32_MAX, 1},
        {"\xE2\x82", UINT32_MAX, 2}, /* cut off */
        {"\xF0\x9F\x98", UINT32_MAX, 3},
        {"\xE2\x82x", UINT32_MAX, 2}, /* broken off */
        {"\xC3", UINT32_MAX, 1},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t code;
        size_t bytes = utf8_decode(cases[i].text, strlen(cases[i].text), &code);

        if (bytes != cases[i].bytes || code != cases[i].code)
            fail_msg("case %zu: %zu bytes, code %x", i, bytes, code);
    }
}

static void test_formula(_unused_ void **state)
{
    static const char *const yes[] = {
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "=",
        "-",
        " =1",
        "  \t",
        "\n=1",
        "\xC2\xA0=1",     /* no-break space */
        "\xE2\x80\x8B=1", /* zero width space */
        "\xE2\x80\x8E=1", /* left-to-right mark */
        "\xE2\x80\xAE=1", /* right-to-left override */
        "\xE2\x81\xA6=1", /* isolate */
        "\xD8\x9C=1",     /* Arabic letter mark */
        "\xEF\xBB\xBF=1", /* byte order mark */
        "\xE3\x80\x80 \xC2\xAD@x",
        "\xEF\xBC\x9D"
        "1", /* full-width = + - @ */
        "\xEF\xBC\x8B"
        "1",
        "\xEF\xBC\x8D"
        "1",
        "\xEF\xBC\xA0"
        "x",
        " \xEF\xBC\x9D"
        "1",
        "=cmd|' /C calc'!A0",
        "@",
    };
    static const char *const no[] = {"",    " ",     "a=1", "1-1",          "x@example.com",
                                     "'=1", "\"=1",  "(1)", "\xE2\x88\x92", /* minus sign U+2212 */
                                     "0",   "\xFF=1"};

    for (size_t i = 0; i < COUNT(yes); i++)
        if (!text_is_formula(yes[i], strlen(yes[i])))
            fail_msg("not guarded: case %zu \"%s\"", i, yes[i]);
    for (size_t i = 0; i < COUNT(no); i++)
        if (text_is_formula(no[i], strlen(no[i])))
            fail_msg("guarded: case %zu \"%s\"", i, no[i]);
}

static void test_quotes(_unused_ void **state)
{
    static const char *const yes[] = {"", "a,b", "a\"b", "a\rb", "a\nb", " a", "a ", "\ta", "a\t"};
    static const char *const no[] = {"a", "a b", "a'b", "a;b", "a\tb", "\xC3\xA9"};

    for (size_t i = 0; i < COUNT(yes); i++)
        assert_true(text_needs_quotes(yes[i], strlen(yes[i]), text_traits(yes[i], strlen(yes[i]))));
    for (size_t i = 0; i < COUNT(no); i++)
        assert_false(text_needs_quotes(no[i], strlen(no[i]), text_traits(no[i], strlen(no[i]))));
}

/* What a CSV makes of a text, against what is expected. */
static void expect_csv(const char *text, bool guard, const char *want, bool altered)
{
    _cleanup_sb_ struct strbuf out = {0};
    struct cell cell = {text, strlen(text)};
    struct value value;

    assert_true(cell_read(COL_TEXT, &cell, &value));
    assert_int_equal(value.kind, VALUE_TEXT);
    assert_int_equal(cell_csv_text(&out, &value, guard), altered);
    assert_string_equal(sb_text(&out), want);
    assert_int_equal(cell_csv_plain(&value, guard), !altered);
}

static void test_csv_text(_unused_ void **state)
{
    expect_csv("plain", true, "plain", false);
    expect_csv("", true, "", false);
    expect_csv("M\xC3\xBCller", true, "M\xC3\xBCller", false);
    expect_csv("M\xFCller", true, "M" FFFD "ller", true);
    expect_csv("a\xED\xA0\x80z", true, "a" FFFD FFFD FFFD "z", true);
    expect_csv("\xE2\x82", true, FFFD, true);
    expect_csv("a\x01z", true, "a\x01z", false);             /* a CSV can hold it */
    expect_csv("\xEF\xBF\xBF", true, "\xEF\xBF\xBF", false); /* and U+FFFF */
    expect_csv("=1", true, "'=1", true);
    expect_csv("=1", false, "=1", false);
    expect_csv("=\xFF", true, "'=" FFFD, true);
    expect_csv("-5", true, "'-5", true);
}

static void expect_workbook(const char *text, const char *want, bool altered)
{
    _cleanup_sb_ struct strbuf out = {0};

    assert_int_equal(cell_workbook_text(&out, text, strlen(text), text_traits(text, strlen(text))),
                     altered);
    assert_string_equal(sb_text(&out), want);
}

static void test_workbook_text(_unused_ void **state)
{
    expect_workbook("plain, \"x\"", "plain, \"x\"", false);
    expect_workbook("=1+1", "=1+1", false);
    expect_workbook("a\tb\nc", "a\tb\nc", false);
    expect_workbook("a\rb", "a_x000D_b", false);
    expect_workbook("a\x01z\x1F", "a" FFFD "z" FFFD, true);
    expect_workbook("\x7F", "\x7F", false);
    expect_workbook("\xEF\xBF\xBE\xEF\xBF\xBF", FFFD FFFD, true);
    expect_workbook("M\xFCller", "M" FFFD "ller", true);
    expect_workbook("\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80", false);
    expect_workbook("_x003D_1", "_x005F_x003D_1", false);
    expect_workbook("_x003d_", "_x005F_x003d_", false);
    expect_workbook("_x0041_x0042_", "_x005F_x0041_x005F_x0042_", false);
    expect_workbook("_x000D\r", "_x005F_x000D_x000D_", false);
    expect_workbook("_x00_ snake_case _xyz_ _x12345_", "_x00_ snake_case _xyz_ _x12345_", false);
    expect_workbook("_X003D_", "_X003D_", false); /* Excel reads the small x only */
}

/* `n` times `unit`, then what a workbook makes of it. */
static void expect_cut(const char *unit, size_t n, size_t want_units, bool altered)
{
    _cleanup_sb_ struct strbuf in = {0}, out = {0};
    size_t units = 0;
    uint32_t code;

    for (size_t i = 0; i < n; i++)
        sb_adds(&in, unit);
    assert_int_equal(cell_workbook_text(&out, in.text, in.len, text_traits(in.text, in.len)),
                     altered);
    for (size_t i = 0; i<out.len; units += code> 0xFFFF ? 2 : 1)
        i += utf8_decode(out.text + i, out.len - i, &code);
    assert_int_equal(units, want_units);
    assert_int_equal(strlen(out.text), out.len);
    if (altered)
        assert_string_equal(out.text + out.len - strlen(WORKBOOK_CUT_MARK), WORKBOOK_CUT_MARK);
    else
        assert_string_equal(out.text, in.text);
}

static void test_cut(_unused_ void **state)
{
    const char *emoji = "\xF0\x9F\x98\x80";

    expect_cut("a", 32767, 32767, false);
    expect_cut("a", 32768, 32767, true);
    expect_cut("a", 100000, 32767, true);
    expect_cut("\xC3\xA9", 32767, 32767, false);
    expect_cut("\xC3\xA9", 32768, 32767, true);
    expect_cut(emoji, 16383, 32766, false); /* two units each */
    expect_cut(emoji, 16384, 32767, true);
    expect_cut(emoji, 40000, 32767, true);
    expect_cut("ab\n", 10922, 32766, false);
    expect_cut("ab\n", 10923, 32767, true);
}

/* Reads `text` as `type`; kind is -1 where it must be refused. `bare` NULL: as it came. */
static void expect_form(enum column_type type, const char *text, int kind, const char *bare,
                        double number)
{
    struct cell cell = {text, strlen(text)};
    struct value value;
    bool ok = cell_read(type, &cell, &value);

    if (ok != (kind >= 0))
        fail_msg("\"%s\" as %d was %s", text, (int)type, ok ? "accepted" : "refused");
    if (!ok)
        return;
    if ((int)value.kind != kind)
        fail_msg("\"%s\" as %d has kind %d", text, (int)type, (int)value.kind);
    if (!bare)
        bare = text;
    if (value.len != strlen(bare) || memcmp(value.text, bare, value.len) != 0)
        fail_msg("\"%s\" as %d became \"%.*s\"", text, (int)type, (int)value.len, value.text);
    if (kind == VALUE_NUMBER && (value.number < number || value.number > number))
        fail_msg("\"%s\" as %d became %.17g", text, (int)type, value.number);
}

static void refuse(enum column_type type, const char *text)
{
    expect_form(type, text, -1, NULL, 0);
}

static void test_null(_unused_ void **state)
{
    struct cell cell = {NULL, 0};

    for (int type = COL_ID; type <= COL_INSTANT; type++) {
        struct value value;

        assert_true(cell_read((enum column_type)type, &cell, &value));
        assert_int_equal(value.kind, VALUE_NULL);
    }
}

static void test_numbers(_unused_ void **state)
{
    static const char *const bad[] = {"",    "-",    "+1", " 1",   "1 ",      "0x1",
                                      "1e3", "01",   "00", "-0",   "1.",      "--1",
                                      "1,0", "NaN1", "x",  "1.0.", "\xD9\xA1"};

    expect_form(COL_ID, "0", VALUE_BARE, NULL, 0);
    expect_form(COL_ID, "-17", VALUE_BARE, NULL, 0);
    expect_form(COL_ID, "9223372036854775807", VALUE_BARE, NULL, 0);
    expect_form(COL_ID, "-9223372036854775808", VALUE_BARE, NULL, 0);
    refuse(COL_ID, "9223372036854775808");
    refuse(COL_ID, "-9223372036854775809");
    refuse(COL_ID, "123456789012345678901");
    expect_form(COL_COUNT, "0", VALUE_NUMBER, NULL, 0);
    expect_form(COL_COUNT, "-17", VALUE_NUMBER, NULL, -17);
    expect_form(COL_COUNT, "9007199254740992", VALUE_NUMBER, NULL, 9007199254740992.0);
    expect_form(COL_COUNT, "9007199254740993", VALUE_BARE, NULL, 0);
    expect_form(COL_COUNT, "-9007199254740993", VALUE_BARE, NULL, 0);
    expect_form(COL_DECIMAL1, "12.3", VALUE_NUMBER, NULL, 12.3);
    expect_form(COL_DECIMAL1, "-0.1", VALUE_NUMBER, NULL, -0.1);
    expect_form(COL_DECIMAL1, "100.0", VALUE_NUMBER, NULL, 100);
    expect_form(COL_DECIMAL1, "NaN", VALUE_BARE, NULL, 0);
    refuse(COL_DECIMAL1, "12");
    refuse(COL_DECIMAL1, "12.34");
    refuse(COL_DECIMAL1, "01.0");
    refuse(COL_DECIMAL1, ".5");
    expect_form(COL_AMOUNT, "12", VALUE_NUMBER, NULL, 12);
    expect_form(COL_AMOUNT, "1234.50", VALUE_NUMBER, NULL, 1234.5);
    expect_form(COL_AMOUNT, "0.07", VALUE_NUMBER, NULL, 0.07);
    expect_form(COL_AMOUNT, "-0.00001", VALUE_NUMBER, NULL, -0.00001);
    expect_form(COL_AMOUNT, "1234567890123.45", VALUE_NUMBER, NULL, 1234567890123.45);
    expect_form(COL_AMOUNT, "12345678901234.56", VALUE_BARE, NULL, 0);
    expect_form(COL_AMOUNT, "-Infinity", VALUE_BARE, NULL, 0);
    for (size_t i = 0; i < COUNT(bad); i++) {
        refuse(COL_ID, bad[i]);
        refuse(COL_COUNT, bad[i]);
        refuse(COL_DECIMAL1, bad[i]);
        if (strcmp(bad[i], "-0") != 0)
            refuse(COL_AMOUNT, bad[i]);
    }
}

static void test_dates(_unused_ void **state)
{
    static const char *const bad[] = {"",           "2026-02-30",  "2026-13-01",  "2026-00-01",
                                      "2026-01-00", "2025-02-29",  "1900-02-29",  "2026-1-01",
                                      "2026-01-1",  "2026-01-01 ", " 2026-01-01", "20260101",
                                      "01/02/2026", "2026-01-01T", "02026-01-01", "0000-01-01",
                                      "now",        "-2026-01-01", "N/a",         "2026-01-01 AD"};

    expect_form(COL_DATE, "2026-03-31", VALUE_NUMBER, NULL, 46112);
    expect_form(COL_DATE, "1900-03-01", VALUE_NUMBER, NULL, 61);
    expect_form(COL_DATE, "1900-02-28", VALUE_BARE, NULL, 0);
    expect_form(COL_DATE, "1899-12-29", VALUE_BARE, NULL, 0);
    expect_form(COL_DATE, "0001-01-01", VALUE_BARE, NULL, 0);
    expect_form(COL_DATE, "2000-02-29", VALUE_NUMBER, NULL, 36585);
    expect_form(COL_DATE, "9999-12-31", VALUE_NUMBER, NULL, 2958465);
    expect_form(COL_DATE, "10000-01-01", VALUE_BARE, NULL, 0);
    expect_form(COL_DATE, "12026-01-01", VALUE_BARE, NULL, 0);
    expect_form(COL_DATE, "5874897-12-31", VALUE_BARE, NULL, 0);
    expect_form(COL_DATE, "0044-03-15 BC", VALUE_BARE, NULL, 0);
    expect_form(COL_DATE, "0001-02-29 BC", VALUE_BARE, NULL, 0);
    expect_form(COL_DATE, "infinity", VALUE_BARE, NULL, 0);
    expect_form(COL_DATE, "-infinity", VALUE_BARE, NULL, 0);
    refuse(COL_DATE, "N/A");
    expect_form(COL_DATE_NA, "N/A", VALUE_BARE, NULL, 0);
    expect_form(COL_DATE_NA, "2026-03-31", VALUE_NUMBER, NULL, 46112);
    for (size_t i = 0; i < COUNT(bad); i++) {
        refuse(COL_DATE, bad[i]);
        refuse(COL_DATE_NA, bad[i]);
        refuse(COL_INSTANT, bad[i]);
    }
}

static void test_instants(_unused_ void **state)
{
    static const char *const bad[] = {
        "2026-03-31",
        "2026-03-31 01:02:03",
        "2026-03-31 01:02+00",
        "2026-03-31 24:00:00+00",
        "2026-03-31 01:60:00+00",
        "2026-03-31 01:02:60+00",
        "2026-03-31 01:02:03+02",
        "2026-03-31 01:02:03-00",
        "2026-03-31 01:02:03+00:30",
        "2026-03-31 01:02:03.+00",
        "2026-03-31 01:02:03.1234567+00",
        "2026-03-31 01:02:03+00 AD",
        "2026-03-31 01:02:03+0000",
        "2025-02-29 00:00:00+00",
        "2026-03-31 1:02:03+00",
    };
    const double day = 46112;

    expect_form(COL_INSTANT, "2026-03-31 00:00:00+00", VALUE_NUMBER, "2026-03-31T00:00:00Z", day);
    expect_form(COL_INSTANT, "2026-03-31 12:00:00.999999+00", VALUE_NUMBER, "2026-03-31T12:00:00Z",
                day + 0.5);
    expect_form(COL_INSTANT, "2026-03-31T01:02:03Z", VALUE_NUMBER, "2026-03-31T01:02:03Z",
                day + 3723.0 / 86400);
    expect_form(COL_INSTANT, "2026-03-31 06:00:00+00:00", VALUE_NUMBER, "2026-03-31T06:00:00Z",
                day + 0.25);
    expect_form(COL_INSTANT, "1900-02-28 00:00:00+00", VALUE_BARE, "1900-02-28T00:00:00Z", 0);
    expect_form(COL_INSTANT, "12026-01-01 00:00:00+00", VALUE_BARE, "12026-01-01T00:00:00Z", 0);
    expect_form(COL_INSTANT, "294276-12-31 23:59:59.9+00", VALUE_BARE, "294276-12-31T23:59:59Z", 0);
    expect_form(COL_INSTANT, "0044-03-15 01:02:03+00 BC", VALUE_BARE, "0044-03-15T01:02:03Z BC", 0);
    expect_form(COL_INSTANT, "infinity", VALUE_BARE, NULL, 0);
    expect_form(COL_INSTANT, "-infinity", VALUE_BARE, NULL, 0);
    for (size_t i = 0; i < COUNT(bad); i++)
        refuse(COL_INSTANT, bad[i]);
}

/* Nothing is read beyond the length, and no prefix of a good form that is not one passes. */
static void test_prefixes(_unused_ void **state)
{
    const char *good = "2026-03-31 01:02:03.456+00";

    for (size_t len = 0; len < strlen(good); len++) {
        char *exact = malloc(len ? len : 1); /* so that valgrind and ASan see a read too far */
        struct cell cell = {exact, len};
        struct value value;

        assert_non_null(exact);
        memcpy(exact, good, len);
        for (int type = COL_ID; type <= COL_INSTANT; type++)
            if (type != COL_TEXT && cell_read((enum column_type)type, &cell, &value))
                assert_true(
                    (len == 10 && (type == COL_DATE || type == COL_DATE_NA)) ||
                    (len <= 4 && (type == COL_ID || type == COL_COUNT || type == COL_AMOUNT)));
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8),          cmocka_unit_test(test_formula),
        cmocka_unit_test(test_quotes),        cmocka_unit_test(test_csv_text),
        cmocka_unit_test(test_workbook_text), cmocka_unit_test(test_cut),
        cmocka_unit_test(test_null),          cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_dates),         cmocka_unit_test(test_instants),
        cmocka_unit_test(test_prefixes),
    };

    return cmocka_run_group_tests_name("cell", tests, NULL, NULL);
}
