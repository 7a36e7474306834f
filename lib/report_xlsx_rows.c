/* The data rows of a workbook, past libxlsxwriter's cells, and how they get into its sheets.
 *
 * Each row becomes XML at once, is packed on a thread of its own, and lies in the spool until the
 * book is closed. Then the shell's sheets are taken apart at </sheetData>: what is before it, the
 * rows and the rest are three pieces of one packed part. libxlsxwriter has written the ranges
 * (dimension, filter, ignored errors) for the rows that it has not seen; style numbers it gives
 * when asked.
 */
#define _GNU_SOURCE
#include "report_xlsx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <minizip/unzip.h>
#include <zlib.h>

#include "fs.h"
#include "zip_out.h"

#include "ban.h"

enum { BLOCK = 128 * 1024, NAME_MAX_BYTES = 256 };
enum { XML_BLOCK = RELAY_BLOCK / 4 * 3 }; /* with a usual row no more than the relay's */

/* ---- rows into the spool ---- */

static enum err_code spool(void *context, const void *data, size_t len, struct err *err)
{
    struct xlsx_sink *xlsx = context;

    if (fs_write(xlsx->spool, data, len) < 0)
        return xlsx_full(xlsx, errno, err);
    xlsx->spooled += len;
    return ERR_OK;
}

static enum err_code pack_block(void *context, const void *data, size_t len, struct err *err)
{
    return pack_add(context, data, len, err);
}

enum err_code xlsx_open_spool(struct xlsx_sink *xlsx, struct err *err)
{
    xlsx->spool = fs_scratch(xlsx->dir);
    if (xlsx->spool < 0) {
        int errnum = errno;

        err_sys(err, ERR_CANTCREAT, errnum, "could not create a file in \"%s\"", xlsx->dir);
        return fs_hint(err, errnum);
    }
    if (pack_open(&xlsx->pack, pack_best(), spool, xlsx, err) != ERR_OK)
        return err->code;
    return relay_open(&xlsx->relay, pack_block, xlsx->pack, err);
}

void xlsx_begin_rows(struct xlsx_sink *xlsx)
{
    struct page *page = &xlsx->pages[xlsx->page];

    for (size_t i = 0; i < xlsx->n_columns; i++) {
        enum column_type type = xlsx->table->columns[i].type;

        if (xlsx->by_type[type])
            xlsx->styles[type] = (uint32_t)lxw_format_get_xf_index(xlsx->by_type[type]);
    }
    page->rows_at = xlsx->spooled;
    xlsx->data.sum = &page->sum;
    xlsx->row = 1;
}

static enum err_code pack_rows(struct xlsx_sink *xlsx, struct err *err)
{
    struct strbuf *xml = &xlsx->data.xml;

    if (xml->failed)
        return err_nomem(err);
    if (relay_put(xlsx->relay, sb_text(xml), xml->len, err) != ERR_OK)
        return err->code;
    xlsx->pages[xlsx->page].bytes += xml->len;
    sb_reset(xml);
    return ERR_OK;
}

uint64_t xlsx_rows_bytes(const struct xlsx_sink *xlsx)
{
    return xlsx->pages[xlsx->page].bytes + xlsx->data.xml.len;
}

static enum err_code put_text(struct xlsx_sink *xlsx, uint32_t column, uint32_t style,
                              const struct value *value, struct err *err)
{
    unsigned traits = value->kind == VALUE_TEXT ? value->traits : 0;

    sb_reset(&xlsx->text);
    xlsx->altered += cell_workbook_text(&xlsx->text, value->text, value->len, traits);
    if (xlsx->text.failed)
        return err_nomem(err);
    sheet_put_text(&xlsx->data, column, style, sb_text(&xlsx->text), xlsx->text.len);
    return ERR_OK;
}

enum err_code xlsx_put_row(struct xlsx_sink *xlsx, const struct value *values, struct err *err)
{
    const struct column *columns = xlsx->table->columns;

    sheet_row_begin(&xlsx->data, xlsx->row++);
    for (size_t i = 0; i < xlsx->n_columns; i++) {
        const struct value *value = &values[i];
        enum column_type type = columns[i].type;
        uint32_t column = (uint32_t)i;

        if (value->kind == VALUE_NUMBER)
            sheet_put_number(&xlsx->data, column, xlsx->styles[type], value->number);
        else if (value->kind != VALUE_NULL &&
                 put_text(xlsx, column, type == COL_ID ? xlsx->styles[type] : 0, value, err) !=
                     ERR_OK)
            return err->code;
    }
    sheet_row_end(&xlsx->data);
    return xlsx->data.xml.len < XML_BLOCK && !xlsx->data.xml.failed ? ERR_OK : pack_rows(xlsx, err);
}

enum err_code xlsx_end_rows(struct xlsx_sink *xlsx, struct err *err)
{
    struct page *page = &xlsx->pages[xlsx->page];

    if (pack_rows(xlsx, err) != ERR_OK || relay_drain(xlsx->relay, err) != ERR_OK)
        return err->code;
    page->sheet->dim_rowmax = xlsx->row - 1;
    return pack_end(xlsx->pack, false, &page->rows, err);
}

/* ---- the shell and the spool into the book ---- */

/* The shell is not as libxlsxwriter said that it had written it. */
static enum err_code torn(const struct xlsx_sink *xlsx, struct err *err)
{
    err_set(err, ERR_IO, "could not write \"%s\": its parts were not written whole", xlsx->path);
    err_hint(err, "The disk may be full; free some space and run again.");
    return err->code;
}

static enum err_code copy_part(const struct xlsx_sink *xlsx, struct zip_out *out, unzFile shell,
                               unsigned char *block, struct err *err)
{
    int n;

    if (unzOpenCurrentFile2(shell, NULL, NULL, 1) != UNZ_OK)
        return torn(xlsx, err);
    while ((n = unzReadCurrentFile(shell, block, BLOCK)) > 0)
        if (zip_out_write(out, block, (size_t)n, err) != ERR_OK)
            return err->code;
    return n < 0 || out->left > 0 || unzCloseCurrentFile(shell) != UNZ_OK ? torn(xlsx, err)
                                                                          : ERR_OK;
}

static enum err_code read_sheet(const struct xlsx_sink *xlsx, unzFile shell, unsigned char *block,
                                struct strbuf *ret, struct err *err)
{
    int n;

    if (unzOpenCurrentFile(shell) != UNZ_OK)
        return torn(xlsx, err);
    while ((n = unzReadCurrentFile(shell, block, BLOCK)) > 0)
        sb_add(ret, (const char *)block, (size_t)n);
    if (ret->failed)
        return err_nomem(err);
    return n < 0 || unzCloseCurrentFile(shell) != UNZ_OK ? torn(xlsx, err) : ERR_OK;
}

static enum err_code copy_rows(const struct xlsx_sink *xlsx, const struct page *page,
                               struct zip_out *out, unsigned char *block, struct err *err)
{
    uint64_t at = page->rows_at, end = at + page->rows.packed;

    while (at < end) {
        size_t want = end - at < BLOCK ? (size_t)(end - at) : BLOCK;
        ssize_t n = fs_inject("read") < 0 ? -1 : pread(xlsx->spool, block, want, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return xlsx_full(xlsx, n < 0 ? errno : EIO, err);
        if (zip_out_write(out, block, (size_t)n, err) != ERR_OK)
            return err->code;
        at += (uint64_t)n;
    }
    return ERR_OK;
}

static enum err_code keep(void *context, const void *data, size_t len, struct err *err)
{
    struct strbuf *packed = context;

    sb_add(packed, data, len);
    return packed->failed ? err_nomem(err) : ERR_OK;
}

static enum err_code pack_text(struct strbuf *ret, const char *text, size_t len, bool last,
                               struct pack_sum *ret_sum, struct err *err)
{
    struct pack *pack;
    enum err_code code;

    if (pack_open(&pack, pack_best(), keep, ret, err) != ERR_OK)
        return err->code;
    code = pack_add(pack, text, len, err);
    if (code == ERR_OK)
        code = pack_end(pack, last, ret_sum, err);
    pack_free(pack);
    return code;
}

/* The sheet the shell points at, with the page's rows in it. */
static enum err_code fill_sheet(const struct xlsx_sink *xlsx, const struct page *page,
                                struct zip_out *out, unzFile shell, const char *name,
                                unsigned char *block, struct err *err)
{
    _cleanup_sb_ struct strbuf sheet = {0}, before = {0}, behind = {0};
    struct pack_sum sum, rest;
    const char *cut;

    if (read_sheet(xlsx, shell, block, &sheet, err) != ERR_OK)
        return err->code;
    cut = strstr(sb_text(&sheet), "</sheetData>"); /* a text's < would be escaped */
    if (!cut)
        return torn(xlsx, err);
    if (pack_text(&before, sheet.text, (size_t)(cut - sheet.text), false, &sum, err) != ERR_OK ||
        pack_text(&behind, cut, strlen(cut), true, &rest, err) != ERR_OK)
        return err->code;
    pack_sum_add(&sum, &page->rows);
    pack_sum_add(&sum, &rest);
    if (zip_out_part(out, name, &sum, err) != ERR_OK ||
        zip_out_write(out, before.text, before.len, err) != ERR_OK ||
        copy_rows(xlsx, page, out, block, err) != ERR_OK)
        return err->code;
    return zip_out_write(out, behind.text, behind.len, err);
}

/* The page whose sheet this part is, if it is a table's; else NULL. libxlsxwriter counts sheets
   from 1, in their order. */
static const struct page *page_of(const struct xlsx_sink *xlsx, const char *name)
{
    size_t number;
    int end = 0;

    if (sscanf(name, "xl/worksheets/sheet%zu.xml%n", &number, &end) != 1 || end == 0 ||
        number < 1 || number > xlsx->n_pages)
        return NULL;
    return xlsx->pages[number - 1].table ? &xlsx->pages[number - 1] : NULL;
}

static enum err_code put_part(const struct xlsx_sink *xlsx, struct zip_out *out, unzFile shell,
                              unsigned char *block, struct err *err)
{
    char name[NAME_MAX_BYTES];
    unz_file_info64 info;
    const struct page *page;
    struct pack_sum sum;

    if (unzGetCurrentFileInfo64(shell, &info, name, sizeof name, NULL, 0, NULL, 0) != UNZ_OK ||
        info.size_filename >= sizeof name || info.compression_method != Z_DEFLATED)
        return torn(xlsx, err);
    page = page_of(xlsx, name);
    if (page)
        return fill_sheet(xlsx, page, out, shell, name, block, err);
    sum = (struct pack_sum){info.uncompressed_size, info.compressed_size, (uint32_t)info.crc};
    if (zip_out_part(out, name, &sum, err) != ERR_OK)
        return err->code;
    return copy_part(xlsx, out, shell, block, err);
}

static enum err_code put_parts(const struct xlsx_sink *xlsx, struct zip_out *out, unzFile shell,
                               struct err *err)
{
    _cleanup_free_ unsigned char *block = malloc(BLOCK);
    int rc = unzGoToFirstFile(shell);

    if (!block)
        return err_nomem(err);
    for (; rc == UNZ_OK; rc = unzGoToNextFile(shell))
        if (put_part(xlsx, out, shell, block, err) != ERR_OK)
            return err->code;
    return rc == UNZ_END_OF_LIST_OF_FILE ? zip_out_end(out, err) : torn(xlsx, err);
}

enum err_code xlsx_assemble(struct xlsx_sink *xlsx, struct err *err)
{
    _cleanup_(zip_out_done) struct zip_out out = {.file = xlsx->file};
    unzFile shell = unzOpen64(xlsx->shell);
    enum err_code code;

    if (!shell)
        return torn(xlsx, err);
    code = put_parts(xlsx, &out, shell, err);
    unzClose(shell);
    return code;
}
