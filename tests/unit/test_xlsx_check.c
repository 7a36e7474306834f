/* No workbook passes that is torn, altered, or holds something else than was written. */
#define _GNU_SOURCE
#include "report_fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "xlsx_check.h"

#include "ban.h"

enum { ROWS_TORN = 400 };

/* Makes the workbook where no file may grow beyond `limit`; what became of it. */
static int make_limited(rlim_t limit)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        struct rlimit rlimit = {limit, limit};
        struct report_files files = {0};
        struct err err = {0};
        int null = open("/dev/null", O_WRONLY);

        dup2(null, STDERR_FILENO); /* libxlsxwriter may complain */
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &rlimit);
        _exit((int)make(FORMAT_XLSX, ROWS_TORN, &files, &err));
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_torn(void **state _unused_)
{
    _cleanup_sb_ struct strbuf whole = {0}, limited = {0};
    _cleanup_err_ struct err err = {0};
    struct report_files files = {0};
    size_t refused = 0, accepted = 0;

    expect_ok(make(FORMAT_XLSX, ROWS_TORN, &files, &err), &err);
    report_files_done(&files);
    read_named("plan-changes.xlsx", &whole);
    empty_folder();
    for (rlim_t limit = 0; limit < 150000; limit += 211) {
        int code = make_limited(limit);

        if (code == ERR_OK) {
            read_named("plan-changes.xlsx", &limited);
            assert_int_equal(limited.len, whole.len);
            assert_memory_equal(limited.text, whole.text, whole.len);
            accepted++;
        } else {
            if (code != ERR_IO)
                fail_msg("limit %lu: status %d", (unsigned long)limit, code);
            assert_int_equal(count_files(), 0);
            refused++;
        }
        empty_folder();
    }
    print_message("%zu torn workbooks refused, %zu whole ones accepted\n", refused, accepted);
    assert_true(refused > 3 && accepted > 0);
}

static void sum_text(struct xlsx_sum *sum, uint32_t row, uint32_t column, const char *text)
{
    xlsx_sum_cell(sum, row, column, XLSX_TEXT, text, strlen(text));
}

static void sum_number(struct xlsx_sum *sum, uint32_t row, uint32_t column, const char *text)
{
    xlsx_sum_cell(sum, row, column, XLSX_NUMBER, text, strlen(text));
}

/* What a workbook of one table with one row must hold, cell by cell. */
static void expected_sheets(struct xlsx_sheet sheets[3])
{
    struct xlsx_sum *summary = &sheets[0].sum, *table = &sheets[1].sum, *run = &sheets[2].sum;

    sheets[0] = (struct xlsx_sheet){.name = "Summary"};
    sheets[1] = (struct xlsx_sheet){.name = "T"};
    sheets[2] = (struct xlsx_sheet){.name = "Run"};
    sum_text(summary, 0, 0, "Title");
    sum_text(summary, 1, 0, "As of 2026-03-31 00:00:00 UTC");
    sum_text(summary, 3, 0, "T");
    sum_text(summary, 4, 0, "Rows");
    sum_number(summary, 4, 1, "1");
    sum_text(summary, 5, 0, "N");
    sum_number(summary, 5, 1, "-42");
    sum_text(table, 0, 0, "Email");
    sum_text(table, 0, 1, "N");
    sum_text(table, 1, 0, "someone@example.com");
    sum_number(table, 1, 1, "-42");
    sum_text(run, 0, 0, "Run");
    sum_text(run, 1, 0, "Job");
    sum_text(run, 1, 1, "small");
    sum_text(run, 2, 0, "Report");
    sum_text(run, 2, 1, "Title");
    sum_text(run, 3, 0, "As of");
    sum_text(run, 3, 1, "2026-03-31 00:00:00 UTC");
    sum_text(run, 4, 0, "lapse version");
    sum_text(run, 4, 1, "1");
}

static void make_small(void)
{
    static const struct report_meta small = {
        .job = "small", .title = "Title", .as_of = "2026-03-31T00:00:00Z", .version = "1"};
    static const struct column two[] = {
        {"Email", "email", COL_TEXT, 0, false}, {"N", "n", COL_COUNT, 0, true}, {0}};
    static const struct report_table table = {.sheet = "T", .columns = two};
    struct report *report = begin(&small, FORMAT_XLSX, &table);
    struct report_files files = {0};

    must_put(report, ROW("someone@example.com", "-42"), 2, NULL);
    finish(report, &files);
    report_files_done(&files);
}

static enum err_code check_bytes(const char *data, size_t len, const struct xlsx_sheet *sheets,
                                 size_t n)
{
    _cleanup_free_ char *path = str_format("%s/other.xlsx", folder);
    _cleanup_err_ struct err err = {0};
    enum err_code code;

    write_named("other.xlsx", data, len);
    code = xlsx_check(path, sheets, n, &err);
    assert_true(code == ERR_OK || (code == ERR_IO && strstr(err.message, "other.xlsx")));
    return code;
}

/* Every part of a workbook, name and bytes, one behind the other. */
static void read_parts(const char *book, struct strbuf *out)
{
    unzFile zip = open_book(book);
    char name[256];
    int rc;

    sb_reset(out);
    for (rc = unzGoToFirstFile(zip); rc == UNZ_OK; rc = unzGoToNextFile(zip)) {
        assert_int_equal(unzGetCurrentFileInfo64(zip, NULL, name, sizeof name, NULL, 0, NULL, 0),
                         UNZ_OK);
        sb_adds(out, name);
        add_part(zip, out);
    }
    assert_int_equal(rc, UNZ_END_OF_LIST_OF_FILE);
    unzClose(zip);
}

/* Flips every 25th bit, one after the other. A few mean nothing (padding, a copy taken from another
   place that holds the same): accepted is only what unpacks to the same bytes. */
static void check_flips(struct strbuf *book, const struct xlsx_sheet *sheets)
{
    _cleanup_sb_ struct strbuf whole = {0}, parts = {0};
    size_t accepted = 0, n = 0;

    read_parts("small.xlsx", &whole);
    for (size_t i = 0; i < 8 * book->len; i += 25, n++) {
        book->text[i / 8] = (char)(book->text[i / 8] ^ 1 << i % 8);
        if (check_bytes(book->text, book->len, sheets, 3) == ERR_OK) {
            read_parts("other.xlsx", &parts);
            assert_int_equal(parts.len, whole.len);
            assert_memory_equal(parts.text, whole.text, whole.len);
            accepted++;
        }
        book->text[i / 8] = (char)(book->text[i / 8] ^ 1 << i % 8);
    }
    print_message("%zu flipped bits, %zu of them without a meaning\n", n, accepted);
    assert_true(accepted < n / 100 + 3);
}

static void test_check(void **state _unused_)
{
    _cleanup_sb_ struct strbuf book = {0};
    struct xlsx_sheet sheets[3], other[3];

    make_small();
    read_named("small.xlsx", &book);
    expected_sheets(sheets);
    assert_int_equal(check_bytes(book.text, book.len, sheets, 3), ERR_OK);
    for (size_t len = 0; len < book.len; len += 3)
        assert_int_equal(check_bytes(book.text, len, sheets, 3), ERR_IO);
    assert_int_equal(check_bytes(book.text, book.len - 1, sheets, 3), ERR_IO);
    check_flips(&book, sheets);
    sb_add(&book, "x", 1);
    assert_int_equal(check_bytes(book.text, book.len, sheets, 3), ERR_IO);
    book.len--;

    assert_int_equal(check_bytes(book.text, book.len, sheets, 2), ERR_IO);
    expected_sheets(other);
    other[1].name = "U";
    assert_int_equal(check_bytes(book.text, book.len, other, 3), ERR_IO);
    expected_sheets(other);
    other[1].sum.hash ^= 1;
    assert_int_equal(check_bytes(book.text, book.len, other, 3), ERR_IO);
    expected_sheets(other);
    sum_text(&other[1].sum, 1, 2, "x");
    assert_int_equal(check_bytes(book.text, book.len, other, 3), ERR_IO);
    assert_int_equal(check_bytes("PK", 2, sheets, 3), ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_torn),
        TEST(test_check),
    };

    return cmocka_run_group_tests_name("xlsx_check", tests, NULL, NULL);
}
