/* Rows to several sinks at once: each gets all of them, in order, however slow the others are; an
 * error of one comes back, and closing early loses nobody. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fanout.h"

#include "ban.h"

enum { ROWS = 5000 };

/* Counts what it gets; fails at a row, or dawdles. */
struct counter {
    struct sink base;
    size_t rows, fail_at;
    bool slow;
};

static enum err_code count_row(struct sink *sink, const struct value *values,
                               const struct cell *split, struct err *err)
{
    struct counter *counter = (struct counter *)sink;
    const struct timespec moment = {.tv_nsec = 20000};
    char want[32];

    snprintf(want, sizeof want, "row %zu", counter->rows);
    if (values[0].len != strlen(want) || memcmp(values[0].text, want, values[0].len) != 0 ||
        values[1].number != (double)counter->rows || split->len != values[0].len)
        return err_set(err, ERR_INTERNAL, "not %s", want);
    counter->rows++;
    if (counter->rows == counter->fail_at)
        return err_set(err, ERR_IO, "no more");
    if (counter->slow && counter->rows % 16 == 0)
        nanosleep(&moment, NULL);
    return ERR_OK;
}

static const struct sink_ops counting = {.row = count_row};

static enum err_code put_rows(struct fanout *fanout, size_t first, size_t n, struct err *err)
{
    for (size_t i = first; i < first + n; i++) {
        struct fanout_row row;
        char text[32];
        size_t len = (size_t)snprintf(text, sizeof text, "row %zu", i);
        size_t bytes = i % 1000 == 7 ? 300000 : len; /* now and then more than a batch holds */

        if (fanout_row(fanout, bytes, &row, err) != ERR_OK)
            return err->code;
        memcpy(row.text, text, len);
        row.values[0] = (struct value){.kind = VALUE_TEXT, .text = row.text, .len = len};
        row.values[1] = (struct value){.kind = VALUE_NUMBER, .number = (double)i};
        *row.split = (struct cell){row.text, len};
    }
    return ERR_OK;
}

static void expect_ok(enum err_code code, const struct err *err)
{
    if (code != ERR_OK)
        fail_msg("error %d: %s", (int)code, err->message);
}

static void test_all(void **state _unused_)
{
    _cleanup_err_ struct err err = {0};
    struct counter quick = {.base.ops = &counting}, slow = {.base.ops = &counting, .slow = true};
    struct sink *sinks[] = {&quick.base, NULL, &slow.base};
    struct fanout *fanout;

    expect_ok(fanout_open(&fanout, sinks, 3, &err), &err);
    expect_ok(fanout_columns(fanout, 2, &err), &err);
    expect_ok(put_rows(fanout, 0, ROWS, &err), &err);
    expect_ok(fanout_drain(fanout, &err), &err);
    assert_int_equal(quick.rows, ROWS);
    assert_int_equal(slow.rows, ROWS);
    expect_ok(fanout_columns(fanout, 3, &err), &err);
    quick.rows = slow.rows = 0;
    expect_ok(put_rows(fanout, 0, 3, &err), &err);
    expect_ok(fanout_drain(fanout, &err), &err);
    expect_ok(fanout_drain(fanout, &err), &err);
    assert_int_equal(quick.rows, 3);
    assert_int_equal(slow.rows, 3);
    fanout_close(fanout);
}

/* The other one goes on meanwhile; the error is the row's, and nothing comes behind it. */
static void test_error(void **state _unused_)
{
    for (size_t fail_at = 1; fail_at < 3000; fail_at += 271) {
        _cleanup_err_ struct err err = {0}, again = {0};
        struct counter bad = {.base.ops = &counting, .fail_at = fail_at},
                       slow = {.base.ops = &counting, .slow = true};
        struct sink *sinks[] = {&slow.base, &bad.base};
        struct fanout *fanout;

        expect_ok(fanout_open(&fanout, sinks, 2, &err), &err);
        expect_ok(fanout_columns(fanout, 2, &err), &err);
        if (put_rows(fanout, 0, ROWS, &err) == ERR_OK)
            assert_int_equal(fanout_drain(fanout, &err), ERR_IO);
        assert_int_equal(err.code, ERR_IO);
        assert_string_equal(err.message, "no more");
        assert_int_equal(fanout_drain(fanout, &again), ERR_IO);
        fanout_close(fanout);
        assert_int_equal(bad.rows, fail_at);
    }
}

static void test_close_early(void **state _unused_)
{
    for (size_t n = 0; n < 3000; n += 173) {
        _cleanup_err_ struct err err = {0};
        struct counter quick = {.base.ops = &counting},
                       slow = {.base.ops = &counting, .slow = true};
        struct sink *sinks[] = {&quick.base, &slow.base};
        struct fanout *fanout;

        expect_ok(fanout_open(&fanout, sinks, 2, &err), &err);
        expect_ok(fanout_columns(fanout, 2, &err), &err);
        expect_ok(put_rows(fanout, 0, n, &err), &err);
        fanout_close(fanout);
        assert_true(quick.rows <= n && slow.rows <= n);
    }
    fanout_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_error),
        cmocka_unit_test(test_close_early),
    };

    return cmocka_run_group_tests_name("fanout", tests, NULL, NULL);
}
