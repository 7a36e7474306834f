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

static uint64_t plain(uint64_t number, bool zip64)
{
    return zip64 ? 0xFFFFFFFF : number;
}

/* What an entry's header and its line in the directory have in common. */
static void add_entry(struct strbuf *out, const char *name, const struct pack_sum *sum, bool zip64,
                      size_t extra)
{
    add_little(out, zip64 ? ZIP64 : PLAIN, 2);
    add_little(out, 0, 2); /* flags */
    add_little(out, DEFLATED, 2);
    add_little(out, (uint64_t)FIRST_DAY << 16, 4);
    add_little(out, sum->crc, 4);
    add_little(out, plain(sum->packed, zip64), 4);
    add_little(out, plain(sum->size, zip64), 4);
    add_little(out, strlen(name), 2);
    add_little(out, extra, 2);
}

static void add_zip64(struct strbuf *out, const struct pack_sum *sum, size_t numbers,
                      uint64_t offset)
{
    add_little(out, ZIP64_FIELD, 2);
    add_little(out, 8 * numbers, 2);
    add_little(out, sum->size, 8);
    add_little(out, sum->packed, 8);
    if (numbers == 3)
        add_little(out, offset, 8);
}

static void add_directory_line(struct zip_out *zip, const char *name, const struct pack_sum *sum,
                               bool zip64)
{
    struct strbuf *out = &zip->directory;

    sb_add(out, "PK\1\2", 4);
    add_little(out, PLAIN, 2); /* made by */
    add_entry(out, name, sum, zip64, zip64 ? 28 : 0);
    add_little(out, 0, 2 + 2 + 2 + 4); /* comment, disk, attributes */
    add_little(out, plain(zip->offset, zip64), 4);
    sb_adds(out, name);
    if (zip64)
        add_zip64(out, sum, 3, zip->offset);
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
    bool big = sum->size > plain_max || sum->packed > plain_max;
    _cleanup_sb_ struct strbuf head = {0};

    if (zip->left > 0 || zip->parts == PARTS_MAX)
        return misused(err);
    add_directory_line(zip, name, sum, big || zip->offset > plain_max);
    sb_add(&head, "PK\3\4", 4);
    add_entry(&head, name, sum, big, big ? 20 : 0);
    sb_adds(&head, name);
    if (big)
        add_zip64(&head, sum, 2, 0);
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
    add_little(out, plain(zip->offset, zip64), 4);
    add_little(out, 0, 2);
    if (out->failed)
        return err_nomem(err);
    return put(zip, out->text, out->len, err);
}

void zip_out_done(struct zip_out *zip)
{
    sb_done(&zip->directory);
}
