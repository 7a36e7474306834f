/* Reads a workbook back and compares it with what was written: see xlsx_check.h. */
#define _GNU_SOURCE
#include "xlsx_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <expat.h>
#include <minizip/unzip.h>
#include <zlib.h>

#include "ban.h"

enum { BLOCK = 64 * 1024, NAME_MAX_BYTES = 256, ZIP64_VERSION = 45 };

/* A part of the package. */
struct part {
    char *name;          /* "xl/worksheets/sheet1.xml" */
    struct xlsx_sum sum; /* of a worksheet */
};

/* A pair of texts from the package's own lists: a sheet's name and its relation id; a relation's
   id and its target; a content type's part and NULL. */
struct pair {
    char *key, *value;
};

struct pairs {
    struct pair *items;
    size_t n;
};

enum part_kind { PART_OTHER, PART_SHEET, PART_BOOK, PART_RELATIONS, PART_TYPES };

struct check {
    const char *path;
    unzFile zip;
    int fd;
    uint64_t offset;       /* where the next record of the zip has to begin */
    unz_file_info64 first; /* the first entry: what all have in common */
    struct part *parts;
    size_t n_parts;
    struct pairs sheets, relations, types;
    struct err *err;

    XML_Parser parser; /* of the part being read */
    enum part_kind kind;
    struct part *part;
    bool inside; /* in an element whose text is the cell's value */
    bool valued; /* the cell has a value */
    uint32_t row, column;
    enum xlsx_cell_kind cell_kind;
    struct strbuf text;
};

/* ---- what is wrong ---- */

static enum err_code damaged(struct check *check, const char *format, ...) _printf_(2, 3);

static enum err_code damaged(struct check *check, const char *format, ...)
{
    _cleanup_free_ char *reason = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&reason, format, args) < 0)
        reason = NULL;
    va_end(args);
    if (!reason)
        return err_nomem(check->err);
    if (check->err->code == ERR_OK) {
        err_set(check->err, ERR_IO, "workbook \"%s\" is torn or damaged: %s", check->path, reason);
        err_hint(check->err, "The disk may have been full while it was written; "
                             "free some space and run again.");
    }
    return check->err->code;
}

static void stop_parsing(struct check *check)
{
    XML_StopParser(check->parser, XML_FALSE);
}

/* ---- the XML ---- */

static const char *attribute(const char *const *attributes, const char *name)
{
    for (; attributes[0]; attributes += 2)
        if (strcmp(attributes[0], name) == 0)
            return attributes[1];
    return NULL;
}

static bool pairs_add(struct pairs *pairs, const char *key, const char *value)
{
    struct pair *grown = reallocarray(pairs->items, pairs->n + 1, sizeof *grown);
    char *key_copy = strdup(key), *value_copy = strdup(value);

    if (grown)
        pairs->items = grown;
    if (!grown || !key_copy || !value_copy) {
        free(key_copy);
        free(value_copy);
        return false;
    }
    grown[pairs->n++] = (struct pair){key_copy, value_copy};
    return true;
}

static void pairs_done(struct pairs *pairs)
{
    for (size_t i = 0; i < pairs->n; i++) {
        free(pairs->items[i].key);
        free(pairs->items[i].value);
    }
    free(pairs->items);
}

static const char *pairs_find(const struct pairs *pairs, const char *key)
{
    for (size_t i = 0; i < pairs->n; i++)
        if (strcmp(pairs->items[i].key, key) == 0)
            return pairs->items[i].value;
    return NULL;
}

/* Keeps two attributes of an element that one of the package's lists is made of. */
static void keep(struct check *check, struct pairs *pairs, const char *key, const char *value)
{
    if (!key || !value) {
        damaged(check, "part \"%s\" lacks an attribute", check->part->name);
        stop_parsing(check);
    } else if (!pairs_add(pairs, key, value)) {
        err_nomem(check->err);
        stop_parsing(check);
    }
}

/* "AB12" to column and row, from 0. */
static bool read_reference(const char *text, uint32_t *ret_row, uint32_t *ret_column)
{
    uint32_t column = 0, row = 0;

    for (; *text >= 'A' && *text <= 'Z' && column < 1000000; text++)
        column = column * 26 + (uint32_t)(*text - 'A' + 1);
    for (; *text >= '0' && *text <= '9' && row < 100000000; text++)
        row = row * 10 + (uint32_t)(*text - '0');
    if (*text || column == 0 || row == 0)
        return false;
    *ret_row = row - 1;
    *ret_column = column - 1;
    return true;
}

static void start_cell(struct check *check, const char *const *attributes)
{
    const char *reference = attribute(attributes, "r"), *type = attribute(attributes, "t");

    sb_reset(&check->text);
    check->valued = false;
    check->cell_kind = type ? XLSX_TEXT : XLSX_NUMBER;
    if (!reference || !read_reference(reference, &check->row, &check->column) ||
        (type && strcmp(type, "inlineStr") != 0)) {
        damaged(check, "part \"%s\" has a strange cell", check->part->name);
        stop_parsing(check);
    }
}

static void start_in_sheet(struct check *check, const char *name, const char *const *attributes)
{
    if (strcmp(name, "c") == 0) {
        start_cell(check, attributes);
    } else if (strcmp(name, "v") == 0 || strcmp(name, "t") == 0) {
        check->inside = check->valued = true;
    } else if (strcmp(name, "f") == 0 || strcmp(name, "hyperlink") == 0) {
        damaged(check, "part \"%s\" has a formula or a link", check->part->name);
        stop_parsing(check);
    }
}

static void on_start(void *data, const char *name, const char **attributes_in)
{
    struct check *check = data;
    const char *const *attributes = attributes_in;

    switch (check->kind) {
    case PART_SHEET:
        start_in_sheet(check, name, attributes);
        break;
    case PART_BOOK:
        if (strcmp(name, "sheet") == 0) {
            keep(check, &check->sheets, attribute(attributes, "name"),
                 attribute(attributes, "r:id"));
        } else if (strcmp(name, "definedName") == 0) {
            const char *defined = attribute(attributes, "name");

            if (!defined || strncmp(defined, "_xlnm.", 6) != 0) {
                damaged(check, "it defines a name");
                stop_parsing(check);
            }
        }
        break;
    case PART_RELATIONS:
        if (strcmp(name, "Relationship") == 0)
            keep(check, &check->relations, attribute(attributes, "Id"),
                 attribute(attributes, "Target"));
        break;
    case PART_TYPES:
        if (strcmp(name, "Override") == 0)
            keep(check, &check->types, attribute(attributes, "PartName"), "");
        break;
    case PART_OTHER:
        break;
    }
}

static void on_end(void *data, const char *name)
{
    struct check *check = data;

    check->inside = false;
    if (strcmp(name, "c") != 0 || !check->valued)
        return;
    if (check->text.failed) {
        err_nomem(check->err);
        stop_parsing(check);
        return;
    }
    xlsx_sum_cell(&check->part->sum, check->row, check->column, check->cell_kind, check->text.text,
                  check->text.len);
    check->valued = false;
}

static void on_text(void *data, const char *text, int len)
{
    struct check *check = data;

    if (check->inside)
        sb_add(&check->text, text, (size_t)len);
}

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

static enum part_kind kind_of(const char *name)
{
    if (strncmp(name, "xl/worksheets/sheet", 19) == 0)
        return PART_SHEET;
    if (strcmp(name, "xl/workbook.xml") == 0)
        return PART_BOOK;
    if (strcmp(name, "xl/_rels/workbook.xml.rels") == 0)
        return PART_RELATIONS;
    return strcmp(name, "[Content_Types].xml") == 0 ? PART_TYPES : PART_OTHER;
}

static void parser_freep(XML_Parser *parser)
{
    if (*parser)
        XML_ParserFree(*parser);
}

/* Hands unpacked bytes to the parser; the last time with n = 0. */
static enum err_code parse_bytes(struct check *check, const void *bytes, size_t n, struct err *err)
{
    if (XML_Parse(check->parser, bytes, (int)n, n == 0) == XML_STATUS_OK)
        return ERR_OK;
    if (XML_GetErrorCode(check->parser) == XML_ERROR_NO_MEMORY)
        return err_nomem(err);
    return damaged(check, "part \"%s\": %s", check->part->name,
                   XML_ErrorString(XML_GetErrorCode(check->parser)));
}

static void inflate_done(z_stream *stream)
{
    inflateEnd(stream);
}

/* Unpacks the open entry and parses it. minizip gives the packed bytes only: it would look neither
   for the end of the stream nor, unless all was read, at the checksum. */
static enum err_code unpack_part(struct check *check, const unz_file_info64 *info, struct err *err)
{
    _cleanup_(inflate_done) z_stream stream = {0};
    _cleanup_free_ unsigned char *blocks = malloc((size_t)BLOCK * 2);
    uint64_t size = 0;
    uLong crc = crc32(0, NULL, 0);
    int rc = Z_OK;

    if (!blocks || inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return err_nomem(err);
    while (rc == Z_OK) {
        size_t got;

        if (stream.avail_in == 0) {
            int n = unzReadCurrentFile(check->zip, blocks, BLOCK);

            stream.next_in = blocks;
            stream.avail_in = n > 0 ? (uInt)n : 0;
        }
        stream.next_out = blocks + BLOCK;
        stream.avail_out = BLOCK;
        rc = inflate(&stream, Z_NO_FLUSH);
        got = BLOCK - stream.avail_out;
        size += got;
        crc = crc32(crc, blocks + BLOCK, (uInt)got);
        if (got > 0 && parse_bytes(check, blocks + BLOCK, got, err) != ERR_OK)
            return err->code;
    }
    if (rc != Z_STREAM_END || stream.avail_in > 0 || stream.total_in != info->compressed_size ||
        size != info->uncompressed_size || crc != info->crc)
        return damaged(check, "part \"%s\" does not unpack", check->part->name);
    return parse_bytes(check, "", 0, err);
}

static enum err_code read_part_data(struct check *check, const unz_file_info64 *info,
                                    struct err *err)
{
    _cleanup_(parser_freep) XML_Parser parser = XML_ParserCreate("UTF-8");

    if (!parser)
        return err_nomem(err);
    check->parser = parser;
    check->inside = check->valued = false;
    XML_SetUserData(parser, check);
    XML_SetElementHandler(parser, on_start, on_end);
    if (check->kind == PART_SHEET)
        XML_SetCharacterDataHandler(parser, on_text);
    return unpack_part(check, info, err);
}

/* ---- the zip ---- */

static uint32_t little16(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
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
    char name[NAME_MAX_BYTES];
    unz_file_info64 info;

    if (unzGetCurrentFileInfo64(check->zip, &info, name, sizeof name, NULL, 0, NULL, 0) != UNZ_OK ||
        info.size_filename >= sizeof name || strlen(name) != info.size_filename ||
        !is_ordinary(check, &info))
        return damaged(check, "its directory cannot be read");
    *ret_directory += 46 + info.size_filename + info.size_file_extra + info.size_file_comment;
    check->part = add_part(check, name);
    if (!check->part)
        return err_nomem(err);
    check->kind = kind_of(name);
    if (info.compression_method != Z_DEFLATED ||
        unzOpenCurrentFile2(check->zip, NULL, NULL, 1) != UNZ_OK)
        return damaged(check, "part \"%s\" cannot be opened", name);
    if (check_header(check, &info, name) != ERR_OK)
        return err->code;
    if (read_part_data(check, &info, err) != ERR_OK)
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
    enum { END = 22, END64 = 56 + 20 + END };
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
        pread(check->fd, end, END, (off_t)(check->offset + directory)) != END ||
        (left != END64 && (left != END || memcmp(end, want, END) != 0)))
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

/* Every part that is listed is there, and the other way round. */
static enum err_code compare_parts(struct check *check)
{
    size_t listed = 0;

    for (size_t i = 0; i < check->types.n; i++)
        if (!find_part(check, check->types.items[i].key + (*check->types.items[i].key == '/')))
            return damaged(check, "part \"%s\" is missing", check->types.items[i].key);
    for (size_t i = 0; i < check->n_parts; i++)
        listed +=
            !ends_in(check->parts[i].name, ".rels") && kind_of(check->parts[i].name) != PART_TYPES;
    if (listed != check->types.n)
        return damaged(check, "%zu parts are listed, %zu are there", check->types.n, listed);
    return ERR_OK;
}

static enum err_code compare_sheet(struct check *check, size_t i, const struct xlsx_sheet *sheet,
                                   struct err *err)
{
    const char *target = pairs_find(&check->relations, check->sheets.items[i].value);
    _cleanup_free_ char *name = str_format("xl/%s", target ? target : "");
    const struct part *part;

    if (!name)
        return err_nomem(err);
    part = find_part(check, name);
    if (!part || strcmp(check->sheets.items[i].key, sheet->name) != 0)
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
    if (check->sheets.n != n)
        return damaged(check, "it has %zu sheets, %zu were written", check->sheets.n, n);
    for (size_t i = 0; i < n; i++)
        if (compare_sheet(check, i, &sheets[i], err) != ERR_OK)
            return err->code;
    return ERR_OK;
}

static void check_done(struct check *check)
{
    if (check->zip)
        unzClose(check->zip);
    closep(&check->fd);
    for (size_t i = 0; i < check->n_parts; i++)
        free(check->parts[i].name);
    free(check->parts);
    pairs_done(&check->sheets);
    pairs_done(&check->relations);
    pairs_done(&check->types);
    sb_done(&check->text);
}

enum err_code xlsx_check(const char *path, const struct xlsx_sheet *sheets, size_t n,
                         struct err *err)
{
    _cleanup_(check_done) struct check check = {.path = path, .err = err, .fd = -1};

    check.fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (check.fd < 0)
        return err_sys(err, ERR_IO, errno, "could not open \"%s\"", path);
    check.zip = unzOpen64(path);
    if (!check.zip)
        return damaged(&check, "it is not a whole zip file");
    if (read_parts(&check, err) != ERR_OK)
        return err->code;
    return compare(&check, sheets, n, err);
}
