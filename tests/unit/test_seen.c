/* Keys that may have come before: none is missed, and hardly one is taken for another. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "seen.h"

/* An invoice and its line, as files have them. */
static uint64_t key(unsigned n)
{
    char invoice[32], line[8];

    snprintf(invoice, sizeof invoice, "INV-%07u", n / 4);
    snprintf(line, sizeof line, "%u", n % 4 + 1);
    return seen_hash(seen_hash(0, invoice, strlen(invoice)), line, strlen(line));
}

static unsigned maybes(struct seen *seen, unsigned from, unsigned to)
{
    unsigned n = 0;

    for (unsigned i = from; i < to; i++)
        n += seen_maybe(seen, key(i));
    return n;
}

static void test_keys(void **state)
{
    struct seen *seen = seen_new();

    (void)state;
    assert_non_null(seen);
    assert_in_range(maybes(seen, 0, 1000000), 0, 5);
    assert_int_equal(maybes(seen, 0, 1000000), 1000000);
    assert_in_range(maybes(seen, 1000000, 4000000), 0, 2000);
    assert_int_equal(maybes(seen, 0, 4000000), 4000000);
    seen_free(seen);
    seen_free(NULL);
}

static void test_parts(void **state)
{
    (void)state;
    assert_true(seen_hash(seen_hash(0, "INV-1", 5), "11", 2) !=
                seen_hash(seen_hash(0, "INV-11", 6), "1", 1));
    assert_true(seen_hash(seen_hash(0, "", 0), "a", 1) != seen_hash(seen_hash(0, "a", 1), "", 0));
    assert_true(seen_hash(0, "", 0) != seen_hash(seen_hash(0, "", 0), "", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_keys), cmocka_unit_test(test_parts)};

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("seen", tests, NULL, NULL);
}
