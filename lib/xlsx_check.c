/* Reads a workbook back and compares it with what was written: see xlsx_check.h. */
#define _GNU_SOURCE
#include "xlsx_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <minizip/unzip.h>
#include <zlib.h>

#include "fs.h"
#include "pack.h"
#include "ring.h"
#include "xlsx_part.h"

#include "ban.h"

enum {
    BLOCK = 128 * 1024,
    NAME_MAX_BYTES = 256,
    EXTRA_MAX = 32,
    ZIP64_VERSION = 45,
    ZIP64_FIELD = 1
};

/* A part of the package. */
struct part {
    char *name;          /* "xl/worksheets/sheet1.xml" */
    struct xlsx_sum sum; /* of a worksheet */
};

/* What comes out of an entry, on the thread that reads it. */
struct unpacked {
    struct xlsx_part *part;
    uint64_t size;
    uint32_t crc;
};

struct check {
    const char *path;
    unzFile zip;
    int fd;
    uint64_t offset;       /* where the next record of the zip has to begin */
    unz_file_info64 first; /* the first entry: what all have in common */
    struct part *parts;
    size_t n_parts;
    struct xlsx_lists lists;
    struct relay *relay; /* to the thread that reads what is unpacked */
    struct unpacked unpacked;
    struct err *err;
};

#define damaged(check, ...) xlsx_damaged((check)->err, (check)->path, __VA_ARGS__)

/* ---- the parts ---- */

static void unpack_freep(struct unpack **unpack)
{
    unpack_free(*unpack);
}

static enum err_code take_unpacked(void *context, const void *data, size_t len, struct err *err)
{
    struct unpacked *unpacked = context;

    unpacked->size += len;
    unpacked->crc = pack_crc(unpacked->crc, data, len);
    return xlsx_part_add(unpacked->part, data, len, err);
}

/* Unpacks the entry, which ends at the check's offset, and has it read. minizip would look neither
   for the end of the stream nor, unless all was read, at the checksum. */
static enum err_code unpack_part(struct check *check, const unz_file_info64 *info, const char *name,
                                 struct xlsx_part *part, struct err *err)
{
    const struct unpacked *unpacked = &check->unpacked;
    _cleanup_(unpack_freep) struct unpack *unpack = unpack_new(pack_best());
    _cleanup_free_ unsigned char *block = malloc(BLOCK);
    enum unpack_state state = UNPACK_MORE;
    uint64_t at = check->offset - info->compressed_size;
    size_t got = 0;

    if (!unpack || !block)
        return err_nomem(err);
    check->unpacked = (struct unpacked){.part = part};
    while (state == UNPACK_MORE) {
        if (got == 0) {
            uint64_t left = check->offset - at;
            ssize_t n = fs_inject("read") < 0
                            ? -1
                            : pread(check->fd, block, left < BLOCK ? left : BLOCK, (off_t)at);

            if (n < 0 && errno == EINTR)
                continue;
            if (n < 0)
                err_sys(err, ERR_IO, errno, "could not read \"%s\"", check->path);
            if (n <= 0)
                break; /* what was given is read to its end all the same */
            unpack_feed(unpack, block, (size_t)n);
            at += (uint64_t)n;
        }
        state = unpack_take(unpack, relay_room(check->relay), RELAY_BLOCK, &got);
        if (relay_give(check->relay, got, err) != ERR_OK)
            return err->code;
    }
    if (relay_drain(check->relay, err) != ERR_OK)
        return err->code;
    if (state != UNPACK_END || unpack_left(unpack) > 0 || at != check->offset ||
        unpacked->size != info->uncompressed_size || unpacked->crc != info->crc)
        return damaged(check, "part \"%s\" does not unpack", name);
    return ERR_OK;
}

static enum err_code read_part_data(struct check *check, const unz_file_info64 *info,
                                    struct part *ret, struct err *err)
{
    _cleanup_(xlsx_part_freep) struct xlsx_part *part = NULL;

    if (xlsx_part_open(&part, check->path, ret->name, &check->lists, err) != ERR_OK ||
        unpack_part(check, info, ret->name, part, err) != ERR_OK)
        return err->code;
    return xlsx_part_end(part, &ret->sum, err);
}

/* ---- the zip ---- */

static uint32_t little16(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
}

/* minizip as Debian has it does not find the size of a part beyond 4 GiB, which is in `extra`. */
static void find_size(unz_file_info64 *info, const unsigned char *extra)
{
    if (info->uncompressed_size != UINT32_MAX || info->size_file_extra < 12 ||
        little16(extra) != ZIP64_FIELD)
        return;
    info->uncompressed_size = 0;
    for (int i = 0; i < 8; i++)
        info->uncompressed_size |= (uint64_t)extra[4 + i] << 8 * i;
}

/* The entry's own header must stand where the last entry ended, and say what the directory says. */
static enum err_code check_header(struct check *check, const unz_file_info64 *info,
                                  const char *name)
{
    unsigned char head[30 + NAME_MAX_BYTES];
    size_t len = strlen(name);
    uint64_t data = unzGetCurrentFileZStreamPos64(check->zip);
    uint32_t version, extra;

    if (pread(check->fd, head, 30 + len, (off_t)check->offset) != (ssize_t)(30 + len))
        return damaged(check, "part \"%s\" does not begin where it should", name);
    version = little16(head + 4);
    extra = little16(head + 28);
    if (memcmp(head, "PK\3\4", 4) != 0 || little16(head + 26) != len ||
        memcmp(head + 30, name, len) != 0 || info->flag != 0 || little16(head + 6) != 0 ||
        (version != info->version_needed && !(version == ZIP64_VERSION && extra > 0)) ||
        (little16(head + 10) | little16(head + 12) << 16) != info->dosDate)
        return damaged(check, "part \"%s\" does not begin where it should", name);
    if (data != check->offset + 30 + len + extra)
        return damaged(check, "part \"%s\" has a gap", name);
    check->offset = data + info->compressed_size;
    return ERR_OK;
}

static struct part *add_part(struct check *check, const char *name)
{
    struct part *grown = reallocarray(check->parts, check->n_parts + 1, sizeof *grown);
    char *copy = strdup(name);

    if (grown)
        check->parts = grown;
    if (!grown || !copy) {
        free(copy);
        return NULL;
    }
    grown[check->n_parts] = (struct part){.name = copy};
    return &grown[check->n_parts++];
}

/* What nobody reads must be as for the first entry, or someone has touched it. */
static bool is_ordinary(struct check *check, const unz_file_info64 *info)
{
    if (check->n_parts == 0)
        check->first = *info;
    return info->version == check->first.version && info->external_fa == check->first.external_fa &&
           info->internal_fa <= 1 && info->disk_num_start == 0 && info->size_file_comment == 0;
}

/* Reads the entry the directory points at; adds to `ret_directory` what it takes there. */
static enum err_code read_part(struct check *check, uint64_t *ret_directory, struct err *err)
{
    unsigned char extra[EXTRA_MAX];
    char name[NAME_MAX_BYTES];
    unz_file_info64 info;
    struct part *part;

    if (unzGetCurrentFileInfo64(check->zip, &info, name, sizeof name, extra, sizeof extra, NULL,
                                0) != UNZ_OK ||
        info.size_filename >= sizeof name || strlen(name) != info.size_filename ||
        !is_ordinary(check, &info))
        return damaged(check, "its directory cannot be read");
    find_size(&info, extra);
    *ret_directory += 46 + info.size_filename + info.size_file_extra + info.size_file_comment;
    part = add_part(check, name);
    if (!part)
        return err_nomem(err);
    if (info.compression_method != Z_DEFLATED ||
        unzOpenCurrentFile2(check->zip, NULL, NULL, 1) != UNZ_OK)
        return damaged(check, "part \"%s\" cannot be opened", name);
    if (check_header(check, &info, name) != ERR_OK)
        return err->code;
    if (read_part_data(check, &info, part, err) != ERR_OK)
        return err->code;
    if (unzCloseCurrentFile(check->zip) != UNZ_OK)
        return damaged(check, "part \"%s\" cannot be closed", name);
    return ERR_OK;
}

static void put32(unsigned char *bytes, uint64_t number)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(number >> 8 * i);
}

/* Behind the last entry comes the directory, then its end, then nothing. */
static enum err_code check_end(struct check *check, uint64_t directory, struct err *err)
{
    enum { END = 22 };
    unsigned char mark[4], end[END], want[END] = "PK\5\6";
    struct stat st;
    uint64_t left;

    if (fstat(check->fd, &st) < 0)
        return err_sys(err, ERR_IO, errno, "could not read \"%s\"", check->path);
    left = (uint64_t)st.st_size - check->offset - directory;
    want[8] = want[10] = (unsigned char)check->n_parts;
    want[9] = want[11] = (unsigned char)(check->n_parts >> 8);
    put32(want + 12, directory);
    put32(want + 16, check->offset);
    if (pread(check->fd, mark, 4, (off_t)check->offset) != 4 || memcmp(mark, "PK\1\2", 4) != 0 ||
        pread(check->fd, end, END, (off_t)(check->offset + directory)) != END || left != END ||
        memcmp(end, want, END) != 0)
        return damaged(check, "it does not end where it should");
    return ERR_OK;
}

static enum err_code read_parts(struct check *check, struct err *err)
{
    uint64_t directory = 0;
    int rc = unzGoToFirstFile(check->zip);

    for (; rc == UNZ_OK; rc = unzGoToNextFile(check->zip))
        if (read_part(check, &directory, err) != ERR_OK)
            return err->code;
    if (rc != UNZ_END_OF_LIST_OF_FILE)
        return damaged(check, "its directory cannot be read");
    return check_end(check, directory, err);
}

/* ---- what was read against what was written ---- */

static const struct part *find_part(const struct check *check, const char *name)
{
    for (size_t i = 0; i < check->n_parts; i++)
        if (strcmp(check->parts[i].name, name) == 0)
            return &check->parts[i];
    return NULL;
}

/* The list names neither itself nor relations: these have their type by their ending. */
static bool is_listed(const char *name)
{
    const char *ending = strrchr(name, '.');

    return strcmp(name, "[Content_Types].xml") != 0 && !(ending && strcmp(ending, ".rels") == 0);
}

/* Every part that is listed is there, and the other way round. */
static enum err_code compare_parts(struct check *check)
{
    size_t listed = 0;

    for (size_t i = 0; i < check->lists.types.n; i++)
        if (!find_part(check,
                       check->lists.types.items[i].key + (*check->lists.types.items[i].key == '/')))
            return damaged(check, "part \"%s\" is missing", check->lists.types.items[i].key);
    for (size_t i = 0; i < check->n_parts; i++)
        listed += is_listed(check->parts[i].name);
    if (listed != check->lists.types.n)
        return damaged(check, "%zu parts are listed, %zu are there", check->lists.types.n, listed);
    return ERR_OK;
}

static enum err_code compare_sheet(struct check *check, size_t i, const struct xlsx_sheet *sheet,
                                   struct err *err)
{
    const char *target =
        xlsx_pairs_find(&check->lists.relations, check->lists.sheets.items[i].value);
    _cleanup_free_ char *name = str_format("xl/%s", target ? target : "");
    const struct part *part;

    if (!name)
        return err_nomem(err);
    part = find_part(check, name);
    if (!part || strcmp(check->lists.sheets.items[i].key, sheet->name) != 0)
        return damaged(check, "sheet \"%s\" is missing", sheet->name);
    if (part->sum.rows != sheet->sum.rows || part->sum.cells != sheet->sum.cells)
        return damaged(
            check, "sheet \"%s\" holds %llu rows and %llu cells, %llu and %llu were written",
            sheet->name, (unsigned long long)part->sum.rows, (unsigned long long)part->sum.cells,
            (unsigned long long)sheet->sum.rows, (unsigned long long)sheet->sum.cells);
    if (part->sum.hash != sheet->sum.hash)
        return damaged(check, "sheet \"%s\" holds other values than were written", sheet->name);
    return ERR_OK;
}

static enum err_code compare(struct check *check, const struct xlsx_sheet *sheets, size_t n,
                             struct err *err)
{
    if (compare_parts(check) != ERR_OK)
        return err->code;
    if (check->lists.sheets.n != n)
        return damaged(check, "it has %zu sheets, %zu were written", check->lists.sheets.n, n);
    for (size_t i = 0; i < n; i++)
        if (compare_sheet(check, i, &sheets[i], err) != ERR_OK)
            return err->code;
    return ERR_OK;
}

static void check_done(struct check *check)
{
    relay_close(check->relay);
    if (check->zip)
        unzClose(check->zip);
    closep(&check->fd);
    for (size_t i = 0; i < check->n_parts; i++)
        free(check->parts[i].name);
    free(check->parts);
    xlsx_lists_done(&check->lists);
}

enum err_code xlsx_check(const char *path, const struct xlsx_sheet *sheets, size_t n,
                         struct err *err)
{
    _cleanup_(check_done) struct check check = {.path = path, .err = err, .fd = -1};

    check.fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (check.fd < 0)
        return err_sys(err, ERR_IO, errno, "could not open \"%s\"", path);
    if (relay_open(&check.relay, take_unpacked, &check.unpacked, err) != ERR_OK)
        return err->code;
    check.zip = unzOpen64(path);
    if (!check.zip)
        return damaged(&check, "it is not a whole zip file");
    if (read_parts(&check, err) != ERR_OK)
        return err->code;
    return compare(&check, sheets, n, err);
}
