/* A sheet's part: the same cells whatever the pieces it comes in and whoever takes a row, and
 * nothing that is not well-formed, or runs. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "xlsx_part.h"

#include "ban.h"

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<worksheet><sheetData>"
#define TITLE \
    "<row r=\"1\" spans=\"1:2\"><c r=\"A1\" t=\"inlineStr\"><is><t>a &amp; b</t></is></c></row>"
#define FIRST                                                      \
    "<row r=\"2\"><c r=\"A2\" s=\"3\"><v>12.5</v></c><c r=\"B2\" " \
    "t=\"inlineStr\"><is><t>x&lt;y</t></is></c></row>"
#define OTHER "<row r=\"3\" ht=\"20\"><c r=\"A3\"><v>7</v></c><c r=\"B3\" s=\"1\"/></row>"
#define LAST                                                                   \
    "<row r=\"4\"><c r=\"C4\" t=\"inlineStr\"><is><t xml:space=\"preserve\"> " \
    "\xE2\x82\xAC</t></is></c></row>"
#define TAIL "</sheetData><autoFilter ref=\"A1:B4\"/></worksheet>\n"

static enum err_code read_sheet(const char *text, size_t piece, struct xlsx_sum *ret,
                                struct err *err)
{
    _cleanup_(xlsx_part_freep) struct xlsx_part *part = NULL;
    _cleanup_(xlsx_lists_done) struct xlsx_lists lists = {0};
    size_t len = strlen(text);

    if (xlsx_part_open(&part, "book.xlsx", "xl/worksheets/sheet2.xml", &lists, err) != ERR_OK)
        return err->code;
    for (size_t at = 0; at < len; at += piece)
        if (xlsx_part_add(part, text + at, len - at < piece ? len - at : piece, err) != ERR_OK)
            return err->code;
    return xlsx_part_end(part, ret, err);
}

static struct xlsx_sum expected(void)
{
    struct xlsx_sum sum = {0};

    xlsx_sum_cell(&sum, 0, 0, XLSX_TEXT, "a & b", 5);
    xlsx_sum_cell(&sum, 1, 0, XLSX_NUMBER, "12.5", 4);
    xlsx_sum_cell(&sum, 1, 1, XLSX_TEXT, "x<y", 3);
    xlsx_sum_cell(&sum, 2, 0, XLSX_NUMBER, "7", 1);
    xlsx_sum_cell(&sum, 3, 2, XLSX_TEXT, " \xE2\x82\xAC", 4);
    return sum;
}

/* The cells are the expected ones, whatever the pieces it comes in. */
static void expect_cells(const char *text)
{
    struct xlsx_sum want = expected();

    for (size_t piece = 1; piece <= strlen(text) + 1; piece++) {
        _cleanup_err_ struct err err = {0};
        struct xlsx_sum got;

        if (read_sheet(text, piece, &got, &err) != ERR_OK)
            fail_msg("pieces of %zu: %s", piece, err.message);
        assert_memory_equal(&got, &want, sizeof want);
    }
}

static void test_pieces(void **state _unused_)
{
    expect_cells(HEAD TITLE FIRST OTHER LAST TAIL);
}

/* A row in a comment is none, also where rows of our form are expected. */
static void test_comment(void **state _unused_)
{
    expect_cells(HEAD TITLE "<!-- </row>" FIRST " -->" FIRST OTHER "<!--" LAST "-->" LAST TAIL);
}

static void test_refused(void **state _unused_)
{
    static const char *const bad[] = {
        HEAD TITLE FIRST,
        HEAD TITLE FIRST "</sheetData>",
        HEAD TITLE FIRST "</row>" TAIL,
        HEAD TITLE "<row r=\"2\"><c r=\"A2\"><v>1</v></c>" TAIL,
        HEAD TITLE "<row r=\"2\"><c r=\"A2\"><f>1+1</f><v>2</v></c></row>" TAIL,
        HEAD TITLE "<row r=\"2\"><c r=\"A2\" t=\"s\"><v>1</v></c></row>" TAIL,
        HEAD TITLE "<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>\xFF</t></is></c></row>" TAIL,
        HEAD TITLE "<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>&x;</t></is></c></row>" TAIL,
        HEAD TITLE FIRST TAIL FIRST,
        HEAD TITLE FIRST TAIL "x",
        "",
    };

    for (size_t i = 0; i < COUNT(bad); i++) {
        for (size_t piece = 1; piece <= strlen(bad[i]) + 1; piece += 3) {
            _cleanup_err_ struct err err = {0};
            struct xlsx_sum got;

            if (read_sheet(bad[i], piece, &got, &err) != ERR_IO)
                fail_msg("%s: taken in pieces of %zu", bad[i], piece);
            assert_non_null(strstr(err.message, "book.xlsx"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_comment),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests_name("xlsx_part", tests, NULL, NULL);
}
