/* Writes a zip package: see zip_out.h. */
#define _GNU_SOURCE
#include "zip_out.h"

#include <string.h>

#include "ban.h"

enum {
    PLAIN = 20, /* the zip version that deflate asks for */
    ZIP64 = 45,
    DEFLATED = 8,
    FIRST_DAY = 0x21, /* 1980-01-01 as DOS has it */
    ZIP64_FIELD = 1,
    PARTS_MAX = 0xFFFE,
};

static const uint64_t plain_max = 0xFFFFFFFE; /* 0xFFFFFFFF says "see zip64" */

static void add_little(struct strbuf *out, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++, number >>= 8)
        sb_add(out, &(char){(char)(number & 0xFF)}, 1);
}

/* What an entry's header and its line in the directory have in common; `packed` and `size` as these
   tell them. */
static void add_entry(struct strbuf *out, const char *name, uint32_t crc, uint64_t packed,
                      uint64_t size, size_t extra)
{
    add_little(out, extra > 0 ? ZIP64 : PLAIN, 2);
    add_little(out, 0, 2); /* flags */
    add_little(out, DEFLATED, 2);
    add_little(out, (uint64_t)FIRST_DAY << 16, 4);
    add_little(out, crc, 4);
    add_little(out, packed, 4);
    add_little(out, size, 4);
    add_little(out, strlen(name), 2);
    add_little(out, extra, 2);
}

static uint64_t plain(uint64_t number)
{
    return number > plain_max ? plain_max + 1 : number;
}

/* The numbers that do not fit into a line of the directory, and only these: minizip as Debian has
   it cannot read them, and does without the size alone. */
static void add_zip64(struct strbuf *out, const uint64_t numbers[static 3])
{
    size_t n = 0;

    for (size_t i = 0; i < 3; i++)
        n += numbers[i] > plain_max;
    if (n == 0)
        return;
    add_little(out, ZIP64_FIELD, 2);
    add_little(out, 8 * n, 2);
    for (size_t i = 0; i < 3; i++)
        if (numbers[i] > plain_max)
            add_little(out, numbers[i], 8);
}

static void add_directory_line(struct zip_out *zip, const char *name, const struct pack_sum *sum)
{
    const uint64_t numbers[] = {sum->size, sum->packed, zip->offset};
    _cleanup_sb_ struct strbuf extra = {0};
    struct strbuf *out = &zip->directory;

    add_zip64(&extra, numbers);
    sb_add(out, "PK\1\2", 4);
    add_little(out, PLAIN, 2); /* made by */
    add_entry(out, name, sum->crc, plain(sum->packed), plain(sum->size), extra.len);
    add_little(out, 0, 2 + 2 + 2 + 4); /* comment, disk, attributes */
    add_little(out, plain(zip->offset), 4);
    sb_adds(out, name);
    sb_add(out, sb_text(&extra), extra.len);
    out->failed |= extra.failed;
}

/* A header has both sizes in its zip64 where one of them needs it. */
static void add_header(struct strbuf *out, const char *name, const struct pack_sum *sum)
{
    sb_add(out, "PK\3\4", 4);
    if (sum->size <= plain_max && sum->packed <= plain_max) {
        add_entry(out, name, sum->crc, sum->packed, sum->size, 0);
        sb_adds(out, name);
        return;
    }
    add_entry(out, name, sum->crc, plain_max + 1, plain_max + 1, 20);
    sb_adds(out, name);
    add_little(out, ZIP64_FIELD, 2);
    add_little(out, 16, 2);
    add_little(out, sum->size, 8);
    add_little(out, sum->packed, 8);
}

static enum err_code put(struct zip_out *zip, const void *data, size_t len, struct err *err)
{
    zip->offset += len;
    return outfile_write(zip->file, data, len, err);
}

static enum err_code misused(struct err *err)
{
    return err_set(err, ERR_INTERNAL, "a part of a zip does not have the length it was said to");
}

enum err_code zip_out_part(struct zip_out *zip, const char *name, const struct pack_sum *sum,
                           struct err *err)
{
    _cleanup_sb_ struct strbuf head = {0};

    if (zip->left > 0 || zip->parts == PARTS_MAX)
        return misused(err);
    add_directory_line(zip, name, sum);
    add_header(&head, name, sum);
    if (head.failed || zip->directory.failed)
        return err_nomem(err);
    zip->parts++;
    zip->left = sum->packed;
    return put(zip, head.text, head.len, err);
}

enum err_code zip_out_write(struct zip_out *zip, const void *data, size_t len, struct err *err)
{
    if (len > zip->left)
        return misused(err);
    zip->left -= len;
    return put(zip, data, len, err);
}

/* The end of a zip64's directory, and where that end is. */
static void add_end64(struct strbuf *out, const struct zip_out *zip, uint64_t size)
{
    sb_add(out, "PK\6\6", 4);
    add_little(out, 44, 8); /* what follows */
    add_little(out, ZIP64, 2);
    add_little(out, ZIP64, 2);
    add_little(out, 0, 4 + 4);
    add_little(out, zip->parts, 8);
    add_little(out, zip->parts, 8);
    add_little(out, size, 8);
    add_little(out, zip->offset, 8);
    sb_add(out, "PK\6\7", 4);
    add_little(out, 0, 4);
    add_little(out, zip->offset + size, 8);
    add_little(out, 1, 4);
}

enum err_code zip_out_end(struct zip_out *zip, struct err *err)
{
    struct strbuf *out = &zip->directory;
    uint64_t size = out->len;
    bool zip64 = zip->offset > plain_max;

    if (zip->left > 0)
        return misused(err);
    if (zip64)
        add_end64(out, zip, size);
    sb_add(out, "PK\5\6", 4);
    add_little(out, 0, 4);
    add_little(out, zip->parts, 2);
    add_little(out, zip->parts, 2);
    add_little(out, size, 4);
    add_little(out, plain(zip->offset), 4);
    add_little(out, 0, 2);
    if (out->failed)
        return err_nomem(err);
    return put(zip, out->text, out->len, err);
}

void zip_out_done(struct zip_out *zip)
{
    sb_done(&zip->directory);
}
