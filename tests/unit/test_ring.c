/* Bytes to a thread of its own: all come, in order, in blocks of any length; an error comes back
 * and stays; closing early loses nobody. (Rings with several readers: test_fanout.) */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ring.h"
#include "util.h"

#include "ban.h"

enum { BYTES = 3 * 1000 * 1000 };

/* Checks what it gets; fails at a byte. */
struct reading {
    size_t bytes, fail_at;
};

static unsigned char byte_at(size_t i)
{
    return (unsigned char)(i * 31 + i / 251);
}

static enum err_code read_bytes(void *context, const void *data, size_t len, struct err *err)
{
    struct reading *reading = context;
    const unsigned char *bytes = data;

    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != byte_at(reading->bytes))
            return err_set(err, ERR_INTERNAL, "not byte %zu", reading->bytes);
        if (++reading->bytes == reading->fail_at)
            return err_set(err, ERR_IO, "no more");
    }
    return ERR_OK;
}

/* In pieces of growing length: none, one, many, more than a block; every other one in place. */
static enum err_code put_all(struct relay *relay, const unsigned char *bytes, struct err *err)
{
    size_t done = 0;

    for (size_t piece = 0; done < BYTES; piece = piece * 3 + 1) {
        size_t n = piece < BYTES - done ? piece : BYTES - done;
        enum err_code code;

        if (piece % 2 == 0 && n <= RELAY_BLOCK) {
            memcpy(relay_room(relay), bytes + done, n);
            code = relay_give(relay, n, err);
        } else {
            code = relay_put(relay, bytes + done, n, err);
        }
        if (code != ERR_OK)
            return code;
        done += n;
    }
    return relay_drain(relay, err);
}

static void test_relay(void **state)
{
    for (size_t fail_at = 0; fail_at <= BYTES; fail_at += BYTES / 8) {
        _cleanup_err_ struct err err = {0}, again = {0};
        struct reading reading = {.fail_at = fail_at};
        struct relay *relay;
        enum err_code code;

        assert_int_equal(relay_open(&relay, read_bytes, &reading, &err), ERR_OK);
        code = put_all(relay, *state, &err);
        assert_int_equal(code, fail_at ? ERR_IO : ERR_OK);
        assert_int_equal(relay_drain(relay, &again), code);
        relay_close(relay);
        assert_int_equal(reading.bytes, fail_at ? fail_at : BYTES);
    }
}

static void test_close_early(void **state)
{
    for (size_t n = 0; n < BYTES; n += 170000) {
        _cleanup_err_ struct err err = {0};
        struct reading reading = {0};
        struct relay *relay;

        assert_int_equal(relay_open(&relay, read_bytes, &reading, &err), ERR_OK);
        assert_int_equal(relay_put(relay, *state, n, &err), ERR_OK);
        relay_close(relay);
        assert_true(reading.bytes <= n);
    }
    relay_close(NULL);
}

static enum err_code take_nothing(_unused_ void *context, _unused_ size_t slot,
                                  _unused_ struct err *err)
{
    return ERR_OK;
}

static void test_readers(void **state _unused_)
{
    _cleanup_err_ struct err err = {0};
    struct ring *ring;

    assert_int_equal(ring_open(&ring, &err), ERR_OK);
    for (int i = 0; i < RING_READERS; i++)
        assert_int_equal(ring_reader(ring, take_nothing, NULL, &err), ERR_OK);
    assert_int_equal(ring_reader(ring, take_nothing, NULL, &err), ERR_INTERNAL);
    ring_close(ring);
}

static int make_bytes(void **state)
{
    unsigned char *bytes = malloc(BYTES);

    for (size_t i = 0; bytes && i < BYTES; i++)
        bytes[i] = byte_at(i);
    *state = bytes;
    return bytes ? 0 : -1;
}

static int free_bytes(void **state)
{
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relay),
        cmocka_unit_test(test_close_early),
        cmocka_unit_test(test_readers),
    };

    return cmocka_run_group_tests_name("ring", tests, make_bytes, free_bytes);
}
