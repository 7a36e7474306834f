/* Rows of a sheet: the XML byte for byte, numbers as printf has them, and that only rows of the
   written form are read back. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sheet_xml.h"

#include "ban.h"

static void put_sample(struct sheet_rows *rows)
{
    sheet_row_begin(rows, 1);
    sheet_put_text(rows, 0, 0, "a & <b> \xC3\xA9", 10);
    sheet_put_text(rows, 1, 3, "", 0);
    sheet_put_text(rows, 27, 12, " x\n", 3);
    sheet_put_number(rows, 16383, 1, -12.5);
    sheet_row_end(rows);
    sheet_row_begin(rows, 2);
    sheet_row_end(rows);
    sheet_row_begin(rows, 1048575);
    sheet_put_number(rows, 0, 0, 46053);
    sheet_row_end(rows);
}

static const char sample[] =
    "<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>a &amp; &lt;b&gt; \xC3\xA9</t></is></c>"
    "<c r=\"AB2\" s=\"12\" t=\"inlineStr\"><is><t xml:space=\"preserve\"> x\n</t></is></c>"
    "<c r=\"XFD2\" s=\"1\"><v>-12.5</v></c></row>"
    "<row r=\"1048576\"><c r=\"A1048576\"><v>46053</v></c></row>";

static void test_written(_unused_ void **state)
{
    struct xlsx_sum sum = {0};
    struct sheet_rows rows = {.sum = &sum};

    put_sample(&rows);
    assert_string_equal(sb_text(&rows.xml), sample);
    assert_int_equal(sum.rows, 2);
    assert_int_equal(sum.cells, 4);
    sheet_rows_done(&rows);
}

/* What was written is read whole; cut anywhere it wants more, and the sum stays as it was. */
static void test_read(_unused_ void **state)
{
    struct xlsx_sum sum = {0}, again = {0}, untouched = {0};
    struct sheet_rows rows = {.sum = &sum};
    _cleanup_sb_ struct strbuf text = {0};
    size_t first;

    put_sample(&rows);
    first = sheet_row_read(rows.xml.text, rows.xml.len, &again, &text);
    assert_memory_equal(rows.xml.text + first - 6, "</row><row", 10);
    for (size_t len = 0; len < first; len++) {
        _cleanup_free_ char *exact = malloc(len ? len : 1);

        memcpy(exact, rows.xml.text, len);
        assert_true(sheet_row_read(exact, len, &untouched, &text) == SHEET_ROW_MORE);
    }
    assert_int_equal(untouched.cells, 0);
    assert_int_equal(sheet_row_read(rows.xml.text + first, rows.xml.len - first, &again, &text),
                     rows.xml.len - first);
    assert_memory_equal(&again, &sum, sizeof sum);
    sheet_rows_done(&rows);
}

static void test_strange(_unused_ void **state)
{
    static const char *const rows[] = {
        "",
        "<row r=\"1\" spans=\"1:2\"></row>",
        "<row r=\"\"></row>",
        "<row r=\"99999999999\"></row>",
        "<row r=\"1\"><c r=\"A2\"><v>1</v></c></row>", /* another row's cell */
        "<row r=\"1\"><c r=\"1\"><v>1</v></c></row>",
        "<row r=\"1\"><c r=\"A1\"><f>1+1</f><v>2</v></c></row>",
        "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c></row>",
        "<row r=\"1\"><c r=\"A1\"><v>1<v></c></row>",
        "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>a>b</t></is></c></row>",
        "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>&quot;</t></is></c></row>",
        "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>\x01</t></is></c></row>",
        "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>\r</t></is></c></row>",
        "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>\xC3(</t></is></c></row>",
        "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>\xEF\xBF\xBF</t></is></c></row>",
        "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>a</t></is></c></rows>",
    };
    _cleanup_sb_ struct strbuf text = {0};

    for (size_t i = 1; i < COUNT(rows); i++) {
        struct xlsx_sum sum = {0};

        if (sheet_row_read(rows[i], strlen(rows[i]), &sum, &text) != 0)
            fail_msg("was read: %s", rows[i]);
        assert_int_equal(sum.cells, 0);
    }
}

static void expect_number(double number)
{
    char text[SHEET_NUMBER_MAX], want[SHEET_NUMBER_MAX];

    snprintf(want, sizeof want, "%.16G", number);
    assert_int_equal(sheet_number_text(number, text), strlen(want));
    assert_string_equal(text, want);
}

static void test_numbers(_unused_ void **state)
{
    static const double some[] = {1.5,     0.1,       -0.5, 1e14,  123456789012345.5,
                                  1e15,    -1e300,    1e-9, 9.999, 9.9999999999999999,
                                  46111.5, 999999.25, 1,    -7,    9007199254740992.0};
    uint64_t random = 1;

    expect_number(0);
    for (size_t i = 0; i < COUNT(some); i++)
        expect_number(some[i]);
    for (size_t i = 0; i < 300000; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        expect_number((double)(random >> 50) * 4 + (double)(random >> 16 & 0x1FFFF) / 86400);
        expect_number((double)(int64_t)(random >> (random >> 58)) / 1000);
        expect_number((double)(random >> 20) / (double)(UINT64_C(1) << (random & 63)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_strange),
        cmocka_unit_test(test_numbers),
    };

    return cmocka_run_group_tests_name("sheet_xml", tests, NULL, NULL);
}
