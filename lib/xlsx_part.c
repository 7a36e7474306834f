/* A part of a workbook, read back: see xlsx_part.h. */
#define _GNU_SOURCE
#include "xlsx_part.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <expat.h>

#include "sheet_xml.h"

#include "ban.h"

/* A row of ours that is longer, if there could be one, is left to expat. */
enum { ROW_MAX = 4 * 1024 * 1024 };

enum part_kind { PART_OTHER, PART_SHEET, PART_BOOK, PART_RELATIONS, PART_TYPES };

struct xlsx_part {
    const char *path, *name;
    enum part_kind kind;
    struct xlsx_lists *lists;
    struct err *err; /* the caller's, while expat calls back */
    XML_Parser parser;
    XML_Index fed, row_end; /* bytes that expat got, and where the last row that it saw ended */

    struct xlsx_sum sum;
    struct strbuf window; /* of a sheet: what neither has taken yet */
    bool inside;          /* in an element whose text is the cell's value */
    bool valued;          /* the cell has a value */
    uint32_t row, column;
    enum xlsx_cell_kind cell_kind;
    struct strbuf text;
};

/* ---- what is wrong ---- */

enum err_code xlsx_damaged(struct err *err, const char *path, const char *format, ...)
{
    _cleanup_free_ char *reason = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&reason, format, args) < 0)
        reason = NULL;
    va_end(args);
    if (!reason)
        return err_nomem(err);
    if (err->code == ERR_OK) {
        err_set(err, ERR_IO, "workbook \"%s\" is torn or damaged: %s", path, reason);
        err_hint(err, "The disk may have been full while it was written; "
                      "free some space and run again.");
    }
    return err->code;
}

static void stop_parsing(struct xlsx_part *part)
{
    XML_StopParser(part->parser, XML_FALSE);
}

/* The part holds something that it must not. */
static void refuse(struct xlsx_part *part, const char *what)
{
    xlsx_damaged(part->err, part->path, "part \"%s\" %s", part->name, what);
    stop_parsing(part);
}

/* ---- the package's lists ---- */

static bool pairs_add(struct xlsx_pairs *pairs, const char *key, const char *value)
{
    struct xlsx_pair *grown = reallocarray(pairs->items, pairs->n + 1, sizeof *grown);
    char *key_copy = strdup(key), *value_copy = strdup(value);

    if (grown)
        pairs->items = grown;
    if (!grown || !key_copy || !value_copy) {
        free(key_copy);
        free(value_copy);
        return false;
    }
    grown[pairs->n++] = (struct xlsx_pair){key_copy, value_copy};
    return true;
}

static void pairs_done(struct xlsx_pairs *pairs)
{
    for (size_t i = 0; i < pairs->n; i++) {
        free(pairs->items[i].key);
        free(pairs->items[i].value);
    }
    free(pairs->items);
}

const char *xlsx_pairs_find(const struct xlsx_pairs *pairs, const char *key)
{
    for (size_t i = 0; i < pairs->n; i++)
        if (strcmp(pairs->items[i].key, key) == 0)
            return pairs->items[i].value;
    return NULL;
}

void xlsx_lists_done(struct xlsx_lists *lists)
{
    pairs_done(&lists->sheets);
    pairs_done(&lists->relations);
    pairs_done(&lists->types);
}

/* Keeps two attributes of an element that one of the lists is made of. */
static void keep(struct xlsx_part *part, struct xlsx_pairs *pairs, const char *key,
                 const char *value)
{
    if (!key || !value) {
        refuse(part, "lacks an attribute");
    } else if (!pairs_add(pairs, key, value)) {
        err_nomem(part->err);
        stop_parsing(part);
    }
}

/* ---- what expat sees ---- */

static const char *attribute(const char *const *attributes, const char *name)
{
    for (; attributes[0]; attributes += 2)
        if (strcmp(attributes[0], name) == 0)
            return attributes[1];
    return NULL;
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

static void start_cell(struct xlsx_part *part, const char *const *attributes)
{
    const char *reference = attribute(attributes, "r"), *type = attribute(attributes, "t");

    sb_reset(&part->text);
    part->valued = false;
    part->cell_kind = type ? XLSX_TEXT : XLSX_NUMBER;
    if (!reference || !read_reference(reference, &part->row, &part->column) ||
        (type && strcmp(type, "inlineStr") != 0))
        refuse(part, "has a strange cell");
}

static void start_in_sheet(struct xlsx_part *part, const char *name, const char *const *attributes)
{
    if (strcmp(name, "c") == 0)
        start_cell(part, attributes);
    else if (strcmp(name, "v") == 0 || strcmp(name, "t") == 0)
        part->inside = part->valued = true;
    else if (strcmp(name, "f") == 0 || strcmp(name, "hyperlink") == 0)
        refuse(part, "has a formula or a link");
}

static void start_in_book(struct xlsx_part *part, const char *name, const char *const *attributes)
{
    const char *named = attribute(attributes, "name");

    if (strcmp(name, "sheet") == 0)
        keep(part, &part->lists->sheets, named, attribute(attributes, "r:id"));
    else if (strcmp(name, "definedName") == 0 && (!named || strncmp(named, "_xlnm.", 6) != 0))
        refuse(part, "defines a name");
}

static void on_start(void *data, const char *name, const char **attributes_in)
{
    struct xlsx_part *part = data;
    const char *const *attributes = attributes_in;

    switch (part->kind) {
    case PART_SHEET:
        start_in_sheet(part, name, attributes);
        break;
    case PART_BOOK:
        start_in_book(part, name, attributes);
        break;
    case PART_RELATIONS:
        if (strcmp(name, "Relationship") == 0)
            keep(part, &part->lists->relations, attribute(attributes, "Id"),
                 attribute(attributes, "Target"));
        break;
    case PART_TYPES:
        if (strcmp(name, "Override") == 0)
            keep(part, &part->lists->types, attribute(attributes, "PartName"), "");
        break;
    case PART_OTHER:
        break;
    }
}

static void on_end(void *data, const char *name)
{
    struct xlsx_part *part = data;

    part->inside = false;
    if (strcmp(name, "row") == 0)
        part->row_end =
            XML_GetCurrentByteIndex(part->parser) + XML_GetCurrentByteCount(part->parser);
    if (strcmp(name, "c") != 0 || !part->valued)
        return;
    if (part->text.failed) {
        err_nomem(part->err);
        stop_parsing(part);
        return;
    }
    xlsx_sum_cell(&part->sum, part->row, part->column, part->cell_kind, part->text.text,
                  part->text.len);
    part->valued = false;
}

static void on_text(void *data, const char *text, int len)
{
    struct xlsx_part *part = data;

    if (part->inside)
        sb_add(&part->text, text, (size_t)len);
}

/* Hands bytes to expat; n = 0 ends the part. */
static enum err_code parse(struct xlsx_part *part, const char *bytes, size_t n, struct err *err)
{
    enum XML_Error error;

    part->err = err;
    part->fed += (XML_Index)n;
    if (XML_Parse(part->parser, bytes, (int)n, n == 0) == XML_STATUS_OK)
        return ERR_OK;
    error = XML_GetErrorCode(part->parser);
    if (error == XML_ERROR_NO_MEMORY)
        return err_nomem(err);
    return xlsx_damaged(err, part->path, "part \"%s\": %s", part->name, XML_ErrorString(error));
}

/* ---- a sheet ---- */

/* expat has just seen the end of a row, and nothing behind it: there a row of ours may stand. */
static bool is_between_rows(const struct xlsx_part *part)
{
    return part->row_end == part->fed;
}

/* Takes what is in the window: the rows that have our form as such, the rest by way of expat, which
   gets whatever has another form up to where it sees a row's end. */
static enum err_code take_window(struct xlsx_part *part, struct err *err)
{
    const char *at = part->window.text, *end = at + part->window.len;

    while (at < end) {
        size_t left = (size_t)(end - at), n = 0;

        if (is_between_rows(part))
            n = sheet_row_read(at, left, &part->sum, &part->text);
        if (n == SHEET_ROW_MORE && left < ROW_MAX)
            break;
        if (n == 0 || n == SHEET_ROW_MORE) {
            const char *row_end = memmem(at, left, "</row>", 6);

            n = row_end ? (size_t)(row_end + 6 - at) : left;
            if (parse(part, at, n, err) != ERR_OK)
                return err->code;
        }
        at += n;
    }
    part->window.len = (size_t)(end - at);
    memmove(part->window.text, at, part->window.len);
    return ERR_OK;
}

/* ---- the part ---- */

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

enum err_code xlsx_part_open(struct xlsx_part **ret, const char *path, const char *name,
                             struct xlsx_lists *lists, struct err *err)
{
    struct xlsx_part *part = calloc(1, sizeof *part);

    if (!part)
        return err_nomem(err);
    *part = (struct xlsx_part){.path = path,
                               .name = name,
                               .kind = kind_of(name),
                               .lists = lists,
                               .parser = XML_ParserCreate("UTF-8"),
                               .row_end = -1};
    if (!part->parser) {
        free(part);
        return err_nomem(err);
    }
    XML_SetUserData(part->parser, part);
    XML_SetElementHandler(part->parser, on_start, on_end);
    if (part->kind == PART_SHEET)
        XML_SetCharacterDataHandler(part->parser, on_text);
    *ret = part;
    return ERR_OK;
}

enum err_code xlsx_part_add(struct xlsx_part *part, const void *bytes, size_t n, struct err *err)
{
    if (n == 0)
        return ERR_OK;
    if (part->kind != PART_SHEET)
        return parse(part, bytes, n, err);
    sb_add(&part->window, bytes, n);
    return part->window.failed ? err_nomem(err) : take_window(part, err);
}

enum err_code xlsx_part_end(struct xlsx_part *part, struct xlsx_sum *ret, struct err *err)
{
    if (part->window.len > 0 && parse(part, part->window.text, part->window.len, err) != ERR_OK)
        return err->code;
    *ret = part->sum;
    return parse(part, "", 0, err);
}

void xlsx_part_freep(struct xlsx_part **part)
{
    if (!*part)
        return;
    XML_ParserFree((*part)->parser);
    sb_done(&(*part)->window);
    sb_done(&(*part)->text);
    free(*part);
}
