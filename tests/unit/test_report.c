/* What holds for a report in every format: which calls and values are refused, the same bytes every
   time, and nothing left behind by a failure. */
#define _GNU_SOURCE
#include "report_fixture.h"

#include <errno.h>
#include <time.h>

#include "ban.h"

static void test_formats(void **state _unused_)
{
    static const char *const bad[] = {"", ",", "csv,", ",csv", "csv,csv", "CSV", "pdf", "csv xlsx"};
    unsigned formats = 0;

    assert_true(report_formats_parse("csv", &formats));
    assert_int_equal(formats, FORMAT_CSV);
    assert_true(report_formats_parse("xlsx,csv", &formats));
    assert_int_equal(formats, FORMAT_CSV | FORMAT_XLSX);
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(report_formats_parse(bad[i], &formats));
}

static void test_same_bytes(void **state _unused_)
{
    static const char *const names[] = {"plan-changes.csv", "plan-changes-detail.csv",
                                        "plan-changes.xlsx"};
    static const char *const zones[] = {"UTC", "Asia/Kathmandu", "America/New_York"};
    static const char *const locales[] = {"C", "de_DE.UTF-8", "C.UTF-8"};
    struct strbuf first[3] = {{0}}, again = {0};

    for (size_t round = 0; round < COUNT(zones); round++) {
        _cleanup_err_ struct err err = {0};
        struct report_files files = {0};

        setenv("TZ", zones[round], 1);
        setenv("LC_ALL", locales[round], 1);
        tzset();
        expect_ok(make(FORMAT_CSV | FORMAT_XLSX, COUNT(sample), &files, &err), &err);
        report_files_done(&files);
        for (size_t i = 0; i < COUNT(names); i++) {
            read_named(names[i], round == 0 ? &first[i] : &again);
            if (round == 0)
                continue;
            assert_int_equal(again.len, first[i].len);
            assert_memory_equal(again.text, first[i].text, again.len);
        }
        empty_folder();
        if (round == 0)
            usleep(1100 * 1000); /* another second on the clock */
    }
    unsetenv("TZ");
    unsetenv("LC_ALL");
    for (size_t i = 0; i < COUNT(names); i++)
        sb_done(&first[i]);
    sb_done(&again);
}

static void test_order_of_calls(void **state _unused_)
{
    static const struct report_table summary = {.sheet = "summary", .columns = columns},
                                     run = {.sheet = "Run", .columns = columns},
                                     strange = {.sheet = "a/b", .columns = columns},
                                     nothing = {.sheet = "N", .columns = columns + 7};
    static const struct report_table *const refused[] = {&summary, &run, &strange, &nothing};
    struct report *report;

    for (size_t i = 0; i < COUNT(refused) + 3; i++) {
        _cleanup_err_ struct err err = {0};

        expect_ok(report_open(&report, &meta, FORMAT_XLSX, folder, &err), &err);
        if (i < COUNT(refused)) {
            assert_int_equal(report_begin(report, refused[i], &err), ERR_INTERNAL);
        } else if (i == COUNT(refused)) {
            assert_int_equal(put(report, sample[0], 7, NULL, &err), ERR_INTERNAL);
        } else if (i == COUNT(refused) + 1) {
            assert_int_equal(report_end(report, &err), ERR_INTERNAL);
        } else {
            expect_ok(report_begin(report, &changes, &err), &err);
            assert_int_equal(report_begin(report, &changes, &err), ERR_INTERNAL);
        }
        report_discard(report);
        assert_int_equal(count_files(), 0);
    }
    report_discard(NULL);
}

static void test_bad_cell(void **state _unused_)
{
    _cleanup_err_ struct err err = {0}, second = {0}, third = {0};
    struct report_files files = {0};
    struct report *report = begin(&meta, FORMAT_CSV | FORMAT_XLSX, &changes);

    must_put(report, sample[0], 7, NULL);
    assert_int_equal(put(report, ROW("2", "b", "c", NULL, NULL, "1e5", NULL), 7, NULL, &err),
                     ERR_INTERNAL);
    assert_string_equal(err.message, "table \"Changes\", row 2, column \"Seats\": the value does "
                                     "not have the column's form");
    assert_string_equal(err.detail, "value: 1e5");
    assert_int_equal(put(report, sample[0], 7, NULL, &second), ERR_INTERNAL);
    assert_int_equal(report_finish(report, &files, &third), ERR_INTERNAL);
    assert_int_equal(files.n, 0);
    assert_int_equal(count_files(), 0);
}

static void test_overflow(void **state _unused_)
{
    _cleanup_err_ struct err err = {0};
    _cleanup_report_ struct report *report = begin(&meta, FORMAT_CSV, &changes);
    const char *const *row = ROW("1", "b", "c", NULL, NULL, "9223372036854775807", NULL);

    must_put(report, row, 7, NULL);
    assert_int_equal(put(report, row, 7, NULL, &err), ERR_INTERNAL);
}

static void test_amounts_of_no_form(void **state _unused_)
{
    static const char *const bad[] = {"", "12,5", "1.", ".5", "01", "1e3", "twelve", NULL};
    struct report *report;

    for (size_t i = 0; i < COUNT(bad); i++) {
        _cleanup_err_ struct err err = {0};
        struct report_files files = {0};

        expect_ok(report_open(&report, &meta, FORMAT_CSV, folder, &err), &err);
        assert_int_equal(report_note_amount(report, "At stake", bad[i], &err), ERR_INTERNAL);
        assert_non_null(strstr(err.message, "At stake"));
        err_done(&err);
        assert_int_equal(report_finish(report, &files, &err), ERR_INTERNAL);
        assert_int_equal(files.n, 0);
    }
}

static void test_no_folder(void **state _unused_)
{
    _cleanup_err_ struct err err = {0}, second = {0};
    struct report *report = NULL;

    assert_int_equal(report_open(&report, &meta, FORMAT_XLSX, "/nowhere", &err), ERR_CANTCREAT);
    assert_null(report);
    write_named("plan-changes.xlsx", "x", 1);
    assert_int_equal(report_open(&report, &meta, FORMAT_XLSX, folder, &second), ERR_CANTCREAT);
    expect_file("plan-changes.xlsx", "x"); /* somebody else's stays */
}

static int fault_at = -1; /* which step of the file system fails; -1 for none */

int fs_fault(const char *call _unused_)
{
    return fault_at >= 0 && fault_at-- == 0 ? ENOSPC : 0;
}

/* A failure in each step of the file system, one after the other. */
static void test_faults(void **state _unused_)
{
    bool done = false;

    for (int at = 0; !done; at++) {
        _cleanup_err_ struct err err = {0};
        struct report_files files = {0};
        enum err_code code;

        assert_in_range(at, 0, 100);
        fault_at = at;
        code = make(FORMAT_CSV | FORMAT_XLSX, COUNT(sample), &files, &err);
        done = code == ERR_OK && fault_at >= 0;
        fault_at = -1;
        if (!done) {
            assert_true(err.code == ERR_IO || err.code == ERR_CANTCREAT);
            assert_non_null(strstr(err.message, folder));
            assert_int_equal(files.n, 0);
            assert_int_equal(count_files(), 0);
        }
        report_files_done(&files);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_formats),   TEST(test_same_bytes), TEST(test_order_of_calls),
        TEST(test_bad_cell),  TEST(test_overflow),   TEST(test_amounts_of_no_form),
        TEST(test_no_folder), TEST(test_faults),
    };

    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
