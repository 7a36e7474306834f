/* Parsing of numbers, nearest words, growing strings, clean-up; errors and their statuses. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "util.h"

static void test_parse_int64(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        {"0", 0},
        {"7", 7},
        {"-7", -7},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
    };
    static const char *const bad[] = {
        "",
        "-",
        "+1",
        " 1",
        "1 ",
        "01",
        "00",
        "-01",
        "1.0",
        "1e3",
        "0x1",
        "1a",
        "--1",
        "1,000",
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999999",
        "\xd9\xa3",
    };
    int64_t value;

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        if (!parse_int64(good[i].text, INT64_MIN, INT64_MAX, &value))
            fail_msg("%s is refused", good[i].text);
        assert_true(value == good[i].value);
    }
    value = 42;
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (parse_int64(bad[i], INT64_MIN, INT64_MAX, &value))
            fail_msg("\"%s\" is taken", bad[i]);
        assert_int_equal(value, 42); /* set only on success */
    }
    assert_true(parse_int64("5", 5, 5, &value));
    assert_false(parse_int64("4", 5, 9, &value));
    assert_false(parse_int64("10", 5, 9, &value));
}

static void test_nearest_word(void **state)
{
    static const char *const words[] = {"formats", "dir", "retention", "csv_bom"};
    char long_word[200];

    (void)state;
    assert_string_equal(nearest_word("format", words, COUNT(words)), "formats");
    assert_string_equal(nearest_word("fromats", words, COUNT(words)), "formats");
    assert_string_equal(nearest_word("retension", words, COUNT(words)), "retention");
    assert_string_equal(nearest_word("dir", words, COUNT(words)), "dir");
    assert_null(nearest_word("xyzzy", words, COUNT(words)));
    assert_null(nearest_word("format", words, 0));
    memset(long_word, 'x', sizeof long_word - 1);
    long_word[sizeof long_word - 1] = '\0';
    assert_null(nearest_word(long_word, words, COUNT(words)));
}

static void test_strbuf(void **state)
{
    _cleanup_sb_ struct strbuf sb = {0};
    const char *kept;

    (void)state;
    assert_string_equal(sb_text(&sb), "");
    sb_adds(&sb, "");
    assert_string_equal(sb_text(&sb), "");
    sb_addf(&sb, "%s-%d", "a", 7);
    sb_add(&sb, "xyz", 2);
    assert_string_equal(sb_text(&sb), "a-7xy");
    assert_int_equal(sb.len, 5);
    sb_reset(&sb);
    assert_string_equal(sb_text(&sb), "");
    for (int i = 0; i < 1000; i++)
        sb_addf(&sb, "%03d,", i);
    assert_int_equal(sb.len, 4000);
    assert_int_equal(strlen(sb_text(&sb)), 4000);
    assert_int_equal(strncmp(sb.text + 3996, "999,", 5), 0);
    kept = sb.text;
    sb_reset(&sb);
    sb_adds(&sb, "x");
    assert_ptr_equal(sb.text, kept); /* memory is kept */
    sb_add(&sb, "x", SIZE_MAX / 2);  /* more than there can be */
    assert_true(sb.failed);
    assert_null(sb_text(&sb));
    sb_adds(&sb, "y");
    sb_addf(&sb, "%d", 1);
    assert_null(sb_text(&sb));
    sb_done(&sb);
    assert_string_equal(sb_text(&sb), "");
}

static void test_ownership(void **state)
{
    char *text = str_format("%d", 5), *taken = TAKE_PTR(text);
    FILE *f = fopen("/dev/null", "r");
    int fd = open("/dev/null", O_RDONLY), number = fd;

    (void)state;
    assert_null(text);
    assert_string_equal(taken, "5");
    freep(&taken);
    assert_null(taken);
    freep(&taken);
    errno = ERANGE;
    closep(&fd);
    assert_int_equal(fd, -1);
    assert_int_equal(errno, ERANGE);
    assert_int_equal(fcntl(number, F_GETFD), -1);
    closep(&fd);
    fclosep(&f);
    assert_null(f);
    fclosep(&f);
    assert_true(str_eq(NULL, NULL));
    assert_true(str_eq("a", "a"));
    assert_false(str_eq("a", NULL));
    assert_false(str_eq(NULL, "a"));
    assert_false(str_eq("a", "b"));
}

static void test_first_cause_wins(void **state)
{
    _cleanup_err_ struct err err = {0};

    (void)state;
    assert_int_equal(err_status(&err), 0);
    assert_int_equal(err_set(&err, ERR_DATA, "line %d", 3), ERR_DATA);
    assert_int_equal(err_set(&err, ERR_IO, "later"), ERR_DATA);
    assert_int_equal(err_sys(&err, ERR_IO, EIO, "later"), ERR_DATA);
    assert_int_equal(err_nomem(&err), ERR_DATA);
    assert_int_equal(err_signal(&err, SIGTERM), ERR_DATA);
    err_hint(&err, "do %s", "this");
    err_hint(&err, "do that");
    err_detail(&err, "detail");
    err_detail(&err, "more");
    err_prefix(&err, "%s:%d", "a.csv", 1);
    assert_string_equal(err.message, "a.csv:1: line 3");
    assert_string_equal(err.hint, "do this");
    assert_string_equal(err.detail, "detail");
    assert_int_equal(err_status(&err), 65);
    err_done(&err);
    assert_int_equal(err.code, ERR_OK);
    assert_null(err.message);
    err_prefix(&err, "nothing to prefix");
    assert_null(err.message);
    err_done(&err);
}

/* What the system says decides the status where it is plain. */
static void test_system_errors(void **state)
{
    static const struct {
        enum err_code code, expected;
        int errnum;
    } rows[] = {
        {ERR_IO, ERR_IO, EIO},
        {ERR_IO, ERR_NOMEM, ENOMEM},
        {ERR_CONFIG, ERR_NOMEM, EMFILE},
        {ERR_CONFIG, ERR_NOMEM, ENFILE},
        {ERR_INTERNAL, ERR_NOMEM, EAGAIN},
        {ERR_IO, ERR_NOPERM, EACCES},
        {ERR_IO, ERR_NOPERM, EPERM},
        {ERR_CANTCREAT, ERR_CANTCREAT, EROFS},
        {ERR_CONFIG, ERR_CONFIG, EACCES},
        {ERR_NOINPUT, ERR_NOINPUT, ENOENT},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        _cleanup_err_ struct err err = {0};

        assert_int_equal(err_sys(&err, rows[i].code, rows[i].errnum, "could not open \"%s\"", "x"),
                         rows[i].expected);
        assert_int_equal(strncmp(err.message, "could not open \"x\": ", 20), 0);
    }
}

static void test_memory_and_signals(void **state)
{
    _cleanup_err_ struct err err = {0};

    (void)state;
    assert_int_equal(err_nomem(&err), ERR_NOMEM);
    assert_string_equal(err.message, "out of memory");
    err_prefix(&err, "place");
    assert_string_equal(err.message, "place: out of memory");
    assert_int_equal(err_status(&err), 71);
    err_done(&err);
    assert_int_equal(err_nomem(&err), ERR_NOMEM);
    err_done(&err); /* frees nothing that is not its own */
    assert_int_equal(err_signal(&err, SIGTERM), ERR_SIGNAL);
    assert_string_equal(err.message, "stopped by signal SIGTERM");
    assert_int_equal(err_status(&err), 128 + SIGTERM);
}

/* design.md's exit statuses, each with a meaning, and no other. */
static void test_statuses(void **state)
{
    static const int expected[] = {0, 64, 65, 66, 69, 70, 71, 73, 74, 75, 77, 78, 80, 81, 82, 83};
    const char *meaning;
    int status;

    (void)state;
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_true(err_list(i, &status, &meaning));
        assert_int_equal(status, expected[i]);
        assert_ptr_equal(meaning, err_meaning(status));
        assert_true(strlen(meaning) > 0);
    }
    assert_false(err_list(COUNT(expected), &status, &meaning));
    assert_null(err_meaning(1));
    assert_null(err_meaning(72));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_int64),
        cmocka_unit_test(test_nearest_word),
        cmocka_unit_test(test_strbuf),
        cmocka_unit_test(test_ownership),
        cmocka_unit_test(test_first_cause_wins),
        cmocka_unit_test(test_system_errors),
        cmocka_unit_test(test_memory_and_signals),
        cmocka_unit_test(test_statuses),
    };

    return cmocka_run_group_tests_name("util", tests, NULL, NULL);
}
