/* Packages: pieces packed apart unpack as one, by either engine, and are the same wherever in
 * memory that was; the zip opens, is the same every time, and takes neither more nor less than a
 * part was said to have. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <minizip/unzip.h>
#include <zlib.h>
#ifdef HAVE_ISAL
#include <isa-l/crc.h>
#endif

#include "zip_out.h"

#include "ban.h"

static char *folder;

static int set_up(_unused_ void **state)
{
    folder = strdup("/tmp/test_zip_out.XXXXXX");
    return folder && mkdtemp(folder) ? 0 : -1;
}

static int tear_down(_unused_ void **state)
{
    _cleanup_free_ char *path = str_format("%s/t.zip", folder);

    unlink(path);
    rmdir(folder);
    free(folder);
    return 0;
}

static void expect_ok(enum err_code code, const struct err *err)
{
    if (code != ERR_OK)
        fail_msg("error %d: %s", (int)code, err->message);
}

static enum err_code keep(void *context, const void *data, size_t len, _unused_ struct err *err)
{
    sb_add(context, data, len);
    return ERR_OK;
}

/* Three pieces: words, noise that does not get smaller, nothing. */
static void pack_pieces(enum pack_engine engine, struct strbuf *text, struct strbuf *packed,
                        struct pack_sum *ret)
{
    _cleanup_err_ struct err err = {0};
    struct pack_sum piece;
    struct pack *pack;
    unsigned random = 1;

    expect_ok(pack_open(&pack, engine, keep, packed, &err), &err);
    for (size_t i = 0; i < 30000; i++) {
        char word[32];
        int len = snprintf(word, sizeof word, "row %zu of many, ", i);

        sb_add(text, word, (size_t)len);
        expect_ok(pack_add(pack, word, (size_t)len, &err), &err);
    }
    expect_ok(pack_end(pack, false, ret, &err), &err);
    for (size_t i = 0; i < 500000; i++) {
        char byte = (char)((random = random * 1664525 + 1013904223) >> 24);

        sb_add(text, &byte, 1);
    }
    expect_ok(pack_add(pack, text->text + ret->size, text->len - ret->size, &err), &err);
    expect_ok(pack_end(pack, false, &piece, &err), &err);
    pack_sum_add(ret, &piece);
    expect_ok(pack_end(pack, true, &piece, &err), &err);
    pack_sum_add(ret, &piece);
    pack_free(pack);
    assert_int_equal(ret->size, text->len);
    assert_int_equal(ret->packed, packed->len);
    assert_int_equal(ret->crc, crc32(0, (const Bytef *)text->text, (uInt)text->len));
}

/* Unpacks with pieces of 7,777 bytes in and 5,000 out. */
static enum unpack_state unpack_all(enum pack_engine engine, const struct strbuf *packed,
                                    struct strbuf *ret, size_t *ret_left)
{
    struct unpack *unpack = unpack_new(engine);
    enum unpack_state state = UNPACK_MORE;
    size_t at = 0, got = 0;
    char out[5000];

    while (state == UNPACK_MORE && (got > 0 || at < packed->len)) {
        if (got == 0) {
            size_t n = packed->len - at < 7777 ? packed->len - at : 7777;

            unpack_feed(unpack, packed->text + at, n);
            at += n;
        }
        state = unpack_take(unpack, out, sizeof out, &got);
        sb_add(ret, out, got);
    }
    *ret_left = unpack_left(unpack) + packed->len - at;
    unpack_free(unpack);
    return state;
}

/* What one packs the other unpacks; a stream cut off does not end, and what follows is left. */
static void check_engines(enum pack_engine packer, enum pack_engine unpacker)
{
    _cleanup_sb_ struct strbuf text = {0}, packed = {0}, out = {0}, more = {0}, cut = {0};
    struct pack_sum sum;
    size_t left;

    pack_pieces(packer, &text, &packed, &sum);
    assert_true(packed.len < text.len);
    assert_int_equal(unpack_all(unpacker, &packed, &out, &left), UNPACK_END);
    assert_int_equal(left, 0);
    assert_int_equal(out.len, text.len);
    assert_memory_equal(out.text, text.text, text.len);
    sb_add(&packed, "xyz", 3);
    assert_int_equal(unpack_all(unpacker, &packed, &more, &left), UNPACK_END);
    assert_int_equal(left, 3);
    packed.len -= 4;
    assert_int_equal(unpack_all(unpacker, &packed, &cut, &left), UNPACK_MORE);
    packed.text[packed.len / 2] ^= 0x55;
    memset(packed.text + packed.len / 4, 0xFF, 100);
    sb_reset(&out);
    if (unpack_all(unpacker, &packed, &out, &left) != UNPACK_BAD)
        assert_int_not_equal(pack_crc(0, out.text, out.len), sum.crc);
}

static void test_pack(_unused_ void **state)
{
    check_engines(PACK_ZLIB, PACK_ZLIB);
    check_engines(PACK_ZLIB, pack_best());
    check_engines(pack_best(), PACK_ZLIB);
    check_engines(pack_best(), pack_best());
}

#ifdef HAVE_ISAL
/* Where ISA-L has four bytes in its table of what it has seen. */
static unsigned slot_of(uint32_t bytes)
{
    return crc32_iscsi((unsigned char *)&bytes, sizeof bytes, 0) & 8191;
}

static void pack_text(struct pack *pack, const struct strbuf *text)
{
    _cleanup_err_ struct err err = {0};
    struct pack_sum sum;

    expect_ok(pack_add(pack, text->text, text->len, &err), &err);
    expect_ok(pack_end(pack, true, &sum, &err), &err);
    pack_free(pack);
}

/* Four bytes that begin a text which ISA-L, left to itself, packs otherwise by `a` than by `b`: its
   third byte, put where the address of `a` says, hides the first ones from when they come again. */
static uint32_t word_hidden_by(const struct pack *a, const struct pack *b)
{
    unsigned slot = slot_of((uint32_t)((uintptr_t)a >> 16));

    assert_int_not_equal(slot, slot_of((uint32_t)((uintptr_t)b >> 16)));
    for (uint32_t word = 0x61616161;; word++)
        if (slot_of(word) == slot)
            return word;
}

static void test_pack_anywhere(_unused_ void **state)
{
    _cleanup_sb_ struct strbuf text = {0}, by_a = {0}, by_b = {0};
    _cleanup_err_ struct err err = {0};
    struct pack *a, *b;
    uint32_t word;

    expect_ok(pack_open(&a, PACK_ISAL, keep, &by_a, &err), &err);
    expect_ok(pack_open(&b, PACK_ISAL, keep, &by_b, &err), &err);
    word = word_hidden_by(a, b);
    for (int i = 0; i < 40; i++) {
        sb_add(&text, (const char *)&word, sizeof word);
        sb_addf(&text, " r=\"%d\"><c r=\"A%d\"/></row>", i, i * i);
    }
    pack_text(a, &text);
    pack_text(b, &text);
    assert_int_equal(by_a.len, by_b.len);
    assert_memory_equal(by_a.text, by_b.text, by_b.len);
}
#endif

static void write_zip(const struct strbuf *packed, const struct pack_sum *sum)
{
    _cleanup_err_ struct err err = {0};
    struct zip_out zip = {0};

    expect_ok(outfile_open(&zip.file, folder, "t.zip", &err), &err);
    expect_ok(zip_out_part(&zip, "a/b.xml", sum, &err), &err);
    expect_ok(zip_out_write(&zip, packed->text, 10, &err), &err);
    expect_ok(zip_out_write(&zip, packed->text + 10, packed->len - 10, &err), &err);
    expect_ok(zip_out_part(&zip, "c", sum, &err), &err);
    expect_ok(zip_out_write(&zip, packed->text, packed->len, &err), &err);
    expect_ok(zip_out_end(&zip, &err), &err);
    expect_ok(outfile_finish(zip.file, &err), &err);
    zip_out_done(&zip);
}

static void test_zip(_unused_ void **state)
{
    _cleanup_sb_ struct strbuf text = {0}, packed = {0};
    _cleanup_free_ char *path = str_format("%s/t.zip", folder), *bytes = NULL;
    _cleanup_err_ struct err err = {0};
    char first[65], again[65];
    struct pack_sum sum;
    uint64_t size;
    unzFile file;

    pack_pieces(pack_best(), &text, &packed, &sum);
    write_zip(&packed, &sum);
    expect_ok(file_sha256(path, first, &size, &err), &err);
    bytes = malloc(text.len);
    file = unzOpen64(path);
    assert_non_null(file);
    assert_int_equal(unzLocateFile(file, "c", 1), UNZ_OK);
    assert_int_equal(unzOpenCurrentFile(file), UNZ_OK);
    assert_int_equal(unzReadCurrentFile(file, bytes, (unsigned)text.len), text.len);
    assert_int_equal(unzCloseCurrentFile(file), UNZ_OK);
    assert_memory_equal(bytes, text.text, text.len);
    unzClose(file);
    unlink(path);
    write_zip(&packed, &sum);
    expect_ok(file_sha256(path, again, &size, &err), &err);
    assert_string_equal(first, again);
}

/* A part beyond 4 GiB has its size in zip64, where minizip does not look; it and what comes behind
   it can be opened. */
static void test_zip64(_unused_ void **state)
{
    _cleanup_sb_ struct strbuf text = {0}, packed = {0};
    _cleanup_free_ char *path = str_format("%s/t.zip", folder);
    struct pack_sum sum, large;
    unsigned char extra[32], want[8] = {0, 0, 0, 0x40, 1};
    unz_file_info64 info;
    unzFile file;

    pack_pieces(pack_best(), &text, &packed, &sum);
    large = sum;
    large.size = (uint64_t)5 << 30; /* what it unpacks to is not looked at here */
    write_zip(&packed, &large);
    file = unzOpen64(path);
    assert_non_null(file);
    for (int rc = unzGoToFirstFile(file); rc != UNZ_END_OF_LIST_OF_FILE;
         rc = unzGoToNextFile(file)) {
        assert_int_equal(rc, UNZ_OK);
        assert_int_equal(
            unzGetCurrentFileInfo64(file, &info, NULL, 0, extra, sizeof extra, NULL, 0), UNZ_OK);
        assert_int_equal(info.uncompressed_size, UINT32_MAX);
        assert_int_equal(info.size_file_extra, 12);
        assert_memory_equal(extra, "\1\0\10\0", 4);
        assert_memory_equal(extra + 4, want, sizeof want);
        assert_int_equal(info.compressed_size, packed.len);
        assert_int_equal(unzOpenCurrentFile2(file, NULL, NULL, 1), UNZ_OK);
        unzCloseCurrentFile(file);
    }
    unzClose(file);
}

static void test_misuse(_unused_ void **state)
{
    _cleanup_err_ struct err err = {0}, more = {0}, early = {0};
    const struct pack_sum sum = {.size = 3, .packed = 3};
    struct zip_out zip = {0};

    expect_ok(outfile_open(&zip.file, folder, "t.zip", &err), &err);
    expect_ok(zip_out_part(&zip, "a", &sum, &err), &err);
    assert_int_equal(zip_out_write(&zip, "four", 4, &more), ERR_INTERNAL);
    assert_int_equal(zip_out_end(&zip, &early), ERR_INTERNAL);
    zip_out_done(&zip);
    outfile_discard(zip.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pack, set_up, tear_down),
#ifdef HAVE_ISAL
        cmocka_unit_test(test_pack_anywhere),
#endif
        cmocka_unit_test_setup_teardown(test_zip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_zip64, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_misuse, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("zip_out", tests, NULL, NULL);
}
