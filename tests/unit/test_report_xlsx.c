/* Reports as workbooks: what stands in their parts. */
#define _GNU_SOURCE
#include "report_fixture.h"
#include "report_xlsx.h"

#include "ban.h"

/* A part of a workbook as text. */
static void read_part(const char *book, const char *part, struct strbuf *out)
{
    unzFile zip = open_book(book);

    sb_reset(out);
    assert_int_equal(unzLocateFile(zip, part, 1), UNZ_OK);
    add_part(zip, out);
    unzClose(zip);
}

static void expect_in(struct strbuf *text, const char *want)
{
    if (!strstr(sb_text(text), want))
        fail_msg("not found: %s\nin: %s", want, sb_text(text));
}

static void test_workbook(void **state _unused_)
{
    _cleanup_err_ struct err err = {0};
    _cleanup_sb_ struct strbuf part = {0};
    _cleanup_free_ char *path = str_format("%s/plan-changes.xlsx", folder);
    struct report_files files = {0};
    struct stat st;

    expect_ok(make(FORMAT_CSV | FORMAT_XLSX, COUNT(sample), &files, &err), &err);
    assert_int_equal(files.n, 3);
    assert_string_equal(files.files[0].name, "plan-changes.xlsx");
    assert_int_equal(files.files[0].rows, 5);
    assert_int_equal(files.files[0].altered, 1);
    assert_int_equal(files.files[0].n_totals, 2);
    report_files_done(&files);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);

    read_part("plan-changes.xlsx", "xl/workbook.xml", &part);
    expect_in(&part, "<sheet name=\"Summary\" sheetId=\"1\" r:id=\"rId1\"/>"
                     "<sheet name=\"Changes\" sheetId=\"2\" r:id=\"rId2\"/>"
                     "<sheet name=\"Detail\" sheetId=\"3\" r:id=\"rId3\"/>"
                     "<sheet name=\"Run\" sheetId=\"4\" r:id=\"rId4\"/>");
    read_part("plan-changes.xlsx", "docProps/core.xml", &part);
    expect_in(&part, ">2026-03-31T00:00:00Z</dcterms:created>");
    read_part("plan-changes.xlsx", "xl/worksheets/sheet2.xml", &part);
    expect_in(&part, "<autoFilter ref=\"A1:G6\"/>");
    expect_in(&part, "ySplit=\"1\"");
    expect_in(&part, "t=\"inlineStr\"><is><t>=1+1</t></is></c>");
    expect_in(&part, "<v>46111.0430902777"); /* a real date-time */
    expect_in(&part, "<v>46053</v>");        /* a real date */
    expect_in(&part, "<v>12.5</v>");
    expect_in(&part, "<is><t>9007199254740993</t></is>");
    expect_in(&part, "_x000D_\n_x005F_x003D_");
    expect_in(&part, "bad \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD<");
    expect_in(&part, "<is><t>infinity</t></is>");
    expect_in(&part, "<is><t>1899-01-01</t></is>");
    assert_null(strstr(sb_text(&part), "<f>"));
    read_part("plan-changes.xlsx", "xl/worksheets/sheet1.xml", &part);
    expect_in(&part, "As of 2026-03-31 00:00:00 UTC");
    expect_in(&part, "(none)");
    expect_in(&part, "Skipped");
    read_part("plan-changes.xlsx", "xl/charts/chart1.xml", &part);
    expect_in(&part, "Why?");
    read_part("plan-changes.xlsx", "xl/worksheets/sheet4.xml", &part);
    expect_in(&part, "rules.trial");
    expect_in(&part, "Accounts on hold are left out.");
}

/* The Summary counts the 40 most frequent of 45 reasons, r00 to r44; the rest is "other". */
static void test_tally(void **state _unused_)
{
    _cleanup_sb_ struct strbuf part = {0};
    struct report_files files = {0};
    struct report *report = begin(&meta, FORMAT_XLSX, &changes);
    const char *at;

    for (size_t round = 0; round < 3; round++)
        for (size_t i = 0; i < 45; i++) {
            char reason[8];

            snprintf(reason, sizeof reason, "r%02zu", i);
            if (round == 0 || i == 7 || (i == 30 && round == 1) || i == 44)
                must_put(report, ROW("1", "a", reason, NULL, NULL, "1", NULL), 7, NULL);
        }
    finish(report, &files);
    report_files_done(&files);
    read_part("plan-changes.xlsx", "xl/worksheets/sheet1.xml", &part);
    at = strstr(sb_text(&part), ">r07<");
    assert_non_null(at); /* three times */
    assert_true(strncmp(strstr(at, "<v>"), "<v>3<", 5) == 0);
    at = strstr(at, ">r44<");
    assert_non_null(at); /* as often, though it came last of all */
    at = strstr(at, ">r30<");
    assert_non_null(at); /* twice, behind them */
    assert_true(strncmp(strstr(at, "<v>"), "<v>2<", 5) == 0);
    assert_non_null(strstr(at, ">r00<")); /* once: by value */
    at = strstr(at, ">r38<");
    assert_non_null(at); /* the fortieth */
    assert_null(strstr(sb_text(&part), ">r39<"));
    at = strstr(at, ">other<");
    assert_non_null(at);
    assert_true(strncmp(strstr(at, "<v>"), "<v>5<", 5) == 0);
}

/* The style of a cell that holds this number. */
static unsigned long style_of(struct strbuf *sheet, const char *cell, const char *number)
{
    _cleanup_free_ char *before = str_format("<c r=\"%s\" s=\"", cell);
    _cleanup_free_ char *behind = str_format("\"><v>%s</v>", number);
    const char *at = strstr(sb_text(sheet), before);
    unsigned long style;
    char *end;

    assert_non_null(at);
    style = strtoul(at + strlen(before), &end, 10);
    assert_int_equal(strncmp(end, behind, strlen(behind)), 0);
    return style;
}

/* Figures as text: a whole number is a count, one with decimals money, a long one stays whole. */
static void test_amounts(void **state _unused_)
{
    static const char *const figures[][2] = {
        {"At stake, EUR", "1234.50"},    {"At stake, JPY", "98765"},
        {"At stake, KWD", "-0.125"},     {"Most", "12345678901234567.89"},
        {"Many", "9223372036854775808"}, {"None", "0.00"},
    };
    _cleanup_err_ struct err err = {0};
    _cleanup_sb_ struct strbuf part = {0};
    struct report_files files = {0};
    struct report *report;
    unsigned long count;

    expect_ok(report_open(&report, &meta, FORMAT_CSV | FORMAT_XLSX, folder, &err), &err);
    for (size_t i = 0; i < COUNT(figures); i++)
        expect_ok(report_note_amount(report, figures[i][0], figures[i][1], &err), &err);
    expect_ok(report_note_figure(report, "Skipped", 12345, &err), &err);
    expect_ok(report_finish(report, &files, &err), &err);
    report_files_done(&files);
    read_part("plan-changes.xlsx", "xl/worksheets/sheet1.xml", &part);
    expect_in(&part, "<v>-0.125</v>");
    expect_in(&part, "<is><t>12345678901234567.89</t></is>");
    expect_in(&part, "<is><t>9223372036854775808</t></is>");
    count = style_of(&part, "B6", "98765");
    assert_int_equal(count, style_of(&part, "B11", "12345"));
    assert_int_not_equal(count, style_of(&part, "B5", "1234.5"));
    read_part("plan-changes.xlsx", "xl/styles.xml", &part);
    expect_in(&part, "formatCode=\"#,##0.00##\"");
}

/* A full sheet, and one row more than that. */
static void test_full_sheet(void **state _unused_)
{
    static const struct column one[] = {{"N", "n", COL_COUNT, 0, true}, {0}};
    static const struct report_table fits = {.sheet = "Fits", .columns = one},
                                     more = {.name = "more", .sheet = "More", .columns = one};
    _cleanup_err_ struct err err = {0};
    _cleanup_sb_ struct strbuf part = {0};
    struct report_files files = {0};
    struct report *report = begin(&meta, FORMAT_XLSX, &fits);

    for (size_t i = 0; i < 1048575; i++)
        must_put(report, ROW("1"), 1, NULL);
    expect_ok(report_end(report, &err), &err);
    expect_ok(report_begin(report, &more, &err), &err);
    for (size_t i = 0; i < 1048576; i++)
        must_put(report, ROW("1"), 1, NULL);
    finish(report, &files);
    assert_int_equal(files.files[0].rows, 2097151);
    assert_int_equal(files.files[0].totals[1].value, 1048576);
    report_files_done(&files);
    read_part("plan-changes.xlsx", "xl/workbook.xml", &part);
    expect_in(&part, "\"Fits\" sheetId=\"2\" r:id=\"rId2\"/><sheet name=\"More\" sheetId=\"3\" "
                     "r:id=\"rId3\"/><sheet name=\"More 2\" sheetId=\"4\"");
    read_part("plan-changes.xlsx", "xl/worksheets/sheet4.xml", &part);
    expect_in(&part, "<autoFilter ref=\"A1:A2\"/>");
}

/* A sheet whose XML would come near 4 GiB ends, however few rows it has. */
static void test_large_sheet(void **state _unused_)
{
    static const struct column one[] = {{"N", "n", COL_COUNT, 0, true}, {0}};
    static const struct report_table table = {.sheet = "Data", .columns = one};
    const uint64_t usual = xlsx_sheet_bytes;
    _cleanup_sb_ struct strbuf part = {0};
    struct report_files files = {0};
    struct report *report = begin(&meta, FORMAT_XLSX, &table);

    xlsx_sheet_bytes = 400000; /* some 10,000 rows, and more than one block */
    for (size_t i = 0; i < 25000; i++)
        must_put(report, ROW("12345"), 1, NULL);
    finish(report, &files);
    xlsx_sheet_bytes = usual;
    assert_int_equal(files.files[0].rows, 25000);
    report_files_done(&files);
    read_part("plan-changes.xlsx", "xl/workbook.xml", &part);
    expect_in(&part, "\"Data 2\" sheetId=\"3\"");
    expect_in(&part, "\"Data 3\" sheetId=\"4\"");
    read_part("plan-changes.xlsx", "xl/worksheets/sheet2.xml", &part);
    assert_true(part.len > 400000 && part.len < 410000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_workbook),   TEST(test_tally),       TEST(test_amounts),
        TEST(test_full_sheet), TEST(test_large_sheet),
    };

    return cmocka_run_group_tests_name("report_xlsx", tests, NULL, NULL);
}
