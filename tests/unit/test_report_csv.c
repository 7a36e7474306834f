/* Reports as CSV: the exact bytes, and the files that a table is cut into. */
#define _GNU_SOURCE
#include "report_fixture.h"

#include "ban.h"

#define HEADER "Account ID,Account,Reason,Effective At,Since,Seats,Utilisation\r\n"

static void test_csv(void **state _unused_)
{
    _cleanup_err_ struct err err = {0};
    struct report_files files = {0};

    expect_ok(make(FORMAT_CSV, COUNT(sample), &files, &err), &err);
    expect_file("plan-changes.csv",
                HEADER "1,Acme,trial_ended,2026-03-30T01:02:03Z,2026-01-31,5,12.5\r\n"
                       "2,'=1+1,cancelled,,,-3,0.0\r\n"
                       "9007199254740993,\"\",,infinity,1899-01-01,,\r\n"
                       "-4,\"a \"\"b\"\", c\r\n_x003D_\",cancelled,1969-12-31T23:59:59Z,infinity,"
                       "9007199254740993,NaN\r\n"
                       "5,bad \xEF\xBF\xBD\xEF\xBF\xBF\x01,cancelled,,,0,-0.1\r\n");
    expect_file("plan-changes-detail.csv", HEADER);
    assert_int_equal(files.n, 2);
    assert_string_equal(files.files[0].name, "plan-changes.csv");
    assert_int_equal(files.files[0].rows, 5);
    assert_int_equal(files.files[0].altered, 2);
    assert_int_equal(files.files[0].n_totals, 1);
    assert_string_equal(files.files[0].totals[0].header, "Seats");
    assert_int_equal(files.files[0].totals[0].value, 9007199254740995);
    assert_string_equal(files.files[1].name, "plan-changes-detail.csv");
    assert_int_equal(files.files[1].rows, 0);
    report_files_done(&files);
}

static void test_bom_and_no_guard(void **state _unused_)
{
    static const struct column two[] = {
        {"A, B", "a", COL_TEXT, 0, false}, {"C", "c", COL_COUNT, 0, false}, {0}};
    static const struct report_table table = {
        .name = NULL, .sheet = "T", .columns = two, .no_formula_guard = true};
    struct report_meta with_bom = meta;
    struct report_files files = {0};
    struct report *report;

    with_bom.bom = true;
    report = begin(&with_bom, FORMAT_CSV, &table);
    must_put(report, ROW("=1", "-1"), 2, NULL);
    assert_int_equal(report_rows(report), 1);
    finish(report, &files);
    expect_file("plan-changes.csv", "\xEF\xBB\xBF\"A, B\",C\r\n=1,-1\r\n");
    assert_int_equal(files.files[0].altered, 0);
    report_files_done(&files);
}

static void test_split(void **state _unused_)
{
    static const struct column two[] = {
        {"Email", "email", COL_TEXT, 0, false}, {"N", "n", COL_COUNT, 0, true}, {0}};
    static const struct report_table table = {
        .name = "", .sheet = "T", .columns = two, .split = "account_id"};
    static const char *const rows[][3] = {
        {"a", "1", "10"},   {"b", "2", "10"},  {"c", "4", "a/b"}, {"d", "8", "a_b"},
        {"e", "16", "a b"}, {"f", "32", ".x"}, {"g", "64", NULL}, {"=", "128", "\xC3\xA9.de"}};
    static const char *const names[] = {"plan-changes-10.csv",    "plan-changes-a_b.csv",
                                        "plan-changes-a_b-2.csv", "plan-changes-a_b-3.csv",
                                        "plan-changes-_x.csv",    "plan-changes-_.csv",
                                        "plan-changes-__.de.csv", "plan-changes.csv"};
    _cleanup_err_ struct err err = {0};
    struct report_files files = {0};
    struct report *report = begin(&meta, FORMAT_CSV, &table);

    for (size_t i = 0; i < COUNT(rows); i++)
        must_put(report, rows[i], 2, rows[i][2]);
    finish(report, &files);
    assert_int_equal(files.n, COUNT(names));
    for (size_t i = 0; i < COUNT(names); i++)
        assert_string_equal(files.files[i].name, names[i]);
    expect_file("plan-changes-10.csv", "Email,N\r\na,1\r\nb,2\r\n");
    expect_file("plan-changes-a_b-2.csv", "Email,N\r\nd,8\r\n");
    assert_int_equal(files.files[0].rows, 2);
    assert_int_equal(files.files[0].totals[0].value, 3);
    assert_int_equal(files.files[6].altered, 1);
    assert_int_equal(files.files[7].rows, 8);
    assert_int_equal(files.files[7].totals[0].value, 255);
    assert_int_equal(files.files[7].altered, 1);
    report_files_done(&files);

    empty_folder();
    report = begin(&meta, FORMAT_CSV, &table);
    must_put(report, rows[0], 2, "1");
    must_put(report, rows[0], 2, "2");
    must_put(report, rows[0], 2, "1"); /* comes back */
    assert_int_equal(report_end(report, &err), ERR_INTERNAL);
    report_discard(report);
    assert_int_equal(count_files(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_csv),
        TEST(test_bom_and_no_guard),
        TEST(test_split),
    };

    return cmocka_run_group_tests_name("report_csv", tests, NULL, NULL);
}
