/* CSV files as input: see csv_in.h.
 *
 * libcsv is fed line by line, so that whatever it calls back belongs to a line that is known, and
 * stops at the first byte it does not take: csv_fini after an error would deliver half a row.
 */
#define _GNU_SOURCE
#include "csv_in.h"

#include <csv.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cell.h"

#include "ban.h"

enum {
    CHUNK = 1 << 18,
    FIELD_MAX = 1 << 20, /* bytes of a field */
    ROW_MAX = 1 << 21,   /* bytes of a row */
    FIELDS_MAX = 1000,   /* of a row; those behind are counted, not kept */
    FIELD_BLOCK = 4096,  /* by which libcsv's buffer grows */
};

struct csv_in {
    char *path;
    int fd;
    char separator;
    struct stat opened;
    struct csv_parser parser;
    bool parsing;
    EVP_MD_CTX *digest;
    char sha256[65];
    uint64_t bytes;
    const struct csv_reader *reader;
    struct err *err; /* of the reading under way */

    uint64_t line;     /* being fed, from 1 */
    bool line_empty;   /* nothing of it came so far */
    bool line_blank;   /* it held nothing but blanks so far */
    bool row_open;     /* a quoted field goes on in this line */
    bool row_ended;    /* libcsv ended a row in what was fed last */
    uint64_t row_line; /* the row began in */

    char *text; /* the row's fields, each with a NUL behind */
    size_t len, size;
    size_t n_fields; /* seen; FIELDS_MAX of them kept */
    struct cell *fields;
    size_t *places; /* of the fields in `text`, SIZE_MAX for NULL */

    size_t n_headings;
    char **headings;
    enum err_code code; /* of a callback, or a row too long: ends the reading */
};

/* ---- telling ---- */

static const char *heading_of(const struct csv_in *in, size_t column)
{
    return column > 0 && column <= in->n_headings ? in->headings[column - 1] : NULL;
}

enum err_code csv_in_refuse(const struct csv_in *in, const struct csv_fault *at, struct err *err)
{
    unsigned long long line = at->line;

    if (at->column && at->heading)
        return err_set(err, ERR_DATA, "%s:%llu: column %zu (%s) %s", in->path, line, at->column,
                       at->heading, at->reason);
    if (at->column)
        return err_set(err, ERR_DATA, "%s:%llu: column %zu %s", in->path, line, at->column,
                       at->reason);
    return err_set(err, ERR_DATA, "%s:%llu: %s", in->path, line, at->reason);
}

/* Refuses the file at the line being fed and the field being read. */
static enum err_code refuse_here(struct csv_in *in, const char *reason)
{
    size_t column = in->n_fields + 1;
    struct csv_fault at = {in->line, column, heading_of(in, column), reason};

    in->code = csv_in_refuse(in, &at, in->err);
    return in->code;
}

static enum err_code refuse_line(struct csv_in *in, const char *reason, const char *hint)
{
    struct csv_fault at = {in->line, 0, NULL, reason};

    in->code = csv_in_refuse(in, &at, in->err);
    if (hint)
        err_hint(in->err, "%s", hint);
    return in->code;
}

static enum err_code row_fault(struct csv_in *in, uint64_t line, size_t column, const char *reason)
{
    struct csv_fault fault = {line, column, heading_of(in, column), reason};

    return in->reader->fault(in->reader->context, &fault, in->err);
}

/* ---- rows ---- */

/* libcsv asks for more room while a field grows; above FIELD_MAX it gets none. */
static void *grow_field(void *old, size_t size)
{
    return size > FIELD_MAX ? NULL : realloc(old, size);
}

static bool keep_text(struct csv_in *in, const void *text, size_t len)
{
    if (in->len + len + 1 > in->size) {
        size_t size = in->size ? in->size : 4096;
        char *grown;

        while (size < in->len + len + 1)
            size *= 2;
        grown = realloc(in->text, size);
        if (!grown)
            return false;
        in->text = grown;
        in->size = size;
    }
    memcpy(in->text + in->len, text, len);
    in->text[in->len + len] = '\0';
    in->len += len + 1;
    return true;
}

static void on_field(void *text, size_t len, void *context)
{
    struct csv_in *in = context;
    size_t i = in->n_fields++;

    if (in->code != ERR_OK || i >= FIELDS_MAX)
        return;
    in->places[i] = text ? in->len : SIZE_MAX;
    in->fields[i].len = len;
    if (text && in->len + len > ROW_MAX)
        in->code = refuse_line(in, "the row is longer than 2 MiB", NULL);
    else if (text && !keep_text(in, text, len))
        in->code = err_nomem(in->err);
}

/* The first field that is not UTF-8, counted from 1; 0: all are. */
static size_t bad_utf8(const struct csv_in *in, size_t n)
{
    if (in->text && !(text_traits(in->text, in->len) & TEXT_HIGH))
        return 0;
    for (size_t i = 0; i < n; i++)
        for (size_t at = 0; in->fields[i].text && at < in->fields[i].len;) {
            uint32_t c;

            at += utf8_decode(in->fields[i].text + at, in->fields[i].len - at, &c);
            if (c == UINT32_MAX)
                return i + 1;
        }
    return 0;
}

static enum err_code take_headings(struct csv_in *in, const struct csv_row *row, size_t bad)
{
    in->line = row->line;
    if (bad || in->n_fields > FIELDS_MAX) {
        in->n_fields = bad ? bad - 1 : FIELDS_MAX;
        return refuse_here(in, bad ? "is a heading that is not valid UTF-8"
                                   : "is one heading too many");
    }
    in->headings = calloc(row->n, sizeof *in->headings);
    if (!in->headings)
        return err_nomem(in->err);
    for (size_t i = 0; i < row->n; i++, in->n_headings++) {
        const char *name = row->fields[i].text ? row->fields[i].text : "";

        for (size_t j = 0; *name && j < i; j++)
            if (strcmp(in->headings[j], name) == 0)
                return err_set(in->err, ERR_DATA,
                               "%s:%llu: column %zu (%s) has the heading of column %zu once more",
                               in->path, (unsigned long long)row->line, i + 1, name, j + 1);
        in->headings[i] = strdup(name);
        if (!in->headings[i])
            return err_nomem(in->err);
    }
    return in->reader->headings(in->reader->context, row, in->err);
}

static enum err_code take_row(struct csv_in *in, const struct csv_row *row, size_t bad)
{
    char reason[96];

    if (in->n_fields != in->n_headings) {
        bool more = in->n_fields > in->n_headings;

        snprintf(reason, sizeof reason, "is %s: the row has %zu fields, there are %zu headings",
                 more ? "too many" : "missing", in->n_fields, in->n_headings);
        return row_fault(in, row->line, (more ? in->n_headings : in->n_fields) + 1, reason);
    }
    if (bad)
        return row_fault(in, row->line, bad, "is not valid UTF-8");
    return in->reader->row(in->reader->context, row, in->err);
}

static void on_row(_unused_ int end, void *context)
{
    struct csv_in *in = context;
    size_t n = in->n_fields < FIELDS_MAX ? in->n_fields : FIELDS_MAX, bad;
    struct csv_row row = {in->row_line, n, in->fields};

    in->row_ended = true;
    if (in->code != ERR_OK)
        return;
    for (size_t i = 0; i < in->n_fields && i < FIELDS_MAX; i++)
        in->fields[i].text = in->places[i] == SIZE_MAX ? NULL : in->text + in->places[i];
    bad = bad_utf8(in, n);
    in->code = in->headings ? take_row(in, &row, bad) : take_headings(in, &row, bad);
    in->n_fields = 0;
    in->len = 0;
}

/* ---- lines ---- */

static bool is_blank(const char *text, size_t len, char separator)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] == separator || !strchr(" \t\r\n", text[i]))
            return false;
    return true;
}

/* What libcsv did not take. */
static enum err_code parse_failed(struct csv_in *in)
{
    switch (csv_error(&in->parser)) {
    case CSV_ENOMEM:
        if (csv_get_buffer_size(&in->parser) + FIELD_BLOCK > FIELD_MAX)
            return refuse_here(in, "is longer than 1 MiB: is a quote left open?");
        return err_nomem(in->err);
    default:
        return refuse_here(in,
                           "has a quote where none may stand, or text behind its closing quote");
    }
}

/* A part of one line, without a CR but as its last byte or inside quotes. */
static enum err_code feed(struct csv_in *in, const char *text, size_t len)
{
    bool blank = is_blank(text, len, in->separator);

    if (!in->row_open && in->line_blank)
        in->row_line = in->line;
    in->line_empty = in->line_empty && len == 0;
    in->line_blank = in->line_blank && blank;
    in->row_ended = false;
    if (csv_parse(&in->parser, text, len, on_field, on_row, in) != len && in->code == ERR_OK)
        in->code = parse_failed(in);
    if (in->row_ended)
        in->row_open = false;
    else if (!in->line_blank)
        in->row_open = true;
    return in->code;
}

/* A CR that is not followed by LF: inside quotes it is text, elsewhere it would end a line. */
static enum err_code feed_to_cr(struct csv_in *in, const char *text, size_t len)
{
    if (feed(in, text, len) == ERR_OK && (in->row_ended || !in->row_open))
        return refuse_line(in, "ends with CR alone", "let lines end with LF or CRLF");
    return in->code;
}

/* A part of one line; `ends`: up to and with its LF. */
static enum err_code feed_line(struct csv_in *in, const char *text, size_t len, bool ends)
{
    const char *cr;

    while ((cr = memchr(text, '\r', len)) != NULL && !(ends && cr + 2 == text + len)) {
        size_t n = (size_t)(cr - text) + 1;

        if (feed_to_cr(in, text, n) != ERR_OK)
            return in->code;
        text += n;
        len -= n;
    }
    if (feed(in, text, len) != ERR_OK || !ends)
        return in->code;
    if (in->line_blank && !in->row_open && !in->row_ended) {
        if (!in->headings)
            return refuse_line(in, "is blank where the headings should be", NULL);
        in->code = row_fault(in, in->line, 0, "the line is blank");
    }
    in->line++;
    in->line_empty = in->line_blank = true;
    return in->code;
}

static enum err_code feed_chunk(struct csv_in *in, const char *text, size_t len)
{
    while (len > 0 && in->code == ERR_OK) {
        const char *lf = memchr(text, '\n', len);
        size_t n = lf ? (size_t)(lf - text) + 1 : len;

        if (memchr(text, '\0', n))
            return refuse_line(in, "holds a NUL byte: the file is not UTF-8 text",
                               "export it as UTF-8, not as UTF-16");
        feed_line(in, text, n, lf != NULL);
        text += n;
        len -= n;
    }
    return in->code;
}

/* ---- files ---- */

/* What stands at the start: a byte order mark of UTF-8 is skipped, others are refused. */
static enum err_code skip_bom(struct csv_in *in, const char *text, size_t len, size_t *ret_skip)
{
    *ret_skip = 0;
    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        *ret_skip = 3;
    else if (len >= 2 && (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0))
        return refuse_line(in, "starts as UTF-16 or UTF-32 does", "export it as UTF-8");
    else if (len >= 4 && memcmp(text, "\0\0\xFE\xFF", 4) == 0)
        return refuse_line(in, "starts as UTF-32 does", "export it as UTF-8");
    return ERR_OK;
}

/* Up to `size` bytes; 0 at the end of the file. */
static enum err_code read_some(struct csv_in *in, char *buffer, size_t size, size_t *ret,
                               struct err *err)
{
    ssize_t n;

    do
        n = read(in->fd, buffer, size);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_sys(err, ERR_IO, errno, "could not read \"%s\"", in->path);
    *ret = (size_t)n;
    if (!EVP_DigestUpdate(in->digest, buffer, *ret))
        return err_set(err, ERR_INTERNAL, "could not compute a SHA-256");
    in->bytes += *ret;
    return ERR_OK;
}

static enum err_code digest_begin(struct csv_in *in, struct err *err)
{
    in->bytes = 0;
    if (lseek(in->fd, 0, SEEK_SET) < 0)
        return err_sys(err, ERR_IO, errno, "could not read \"%s\"", in->path);
    if (!EVP_DigestInit_ex(in->digest, EVP_sha256(), NULL))
        return err_set(err, ERR_INTERNAL, "could not compute a SHA-256");
    return ERR_OK;
}

/* The file must still be what it was when it was opened, and have been read whole. */
static enum err_code digest_end(struct csv_in *in, struct err *err)
{
    unsigned char digest[32];
    struct stat now;

    if (!EVP_DigestFinal_ex(in->digest, digest, NULL))
        return err_set(err, ERR_INTERNAL, "could not compute a SHA-256");
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(in->sha256 + 2 * i, 3, "%02x", digest[i]);
    if (fstat(in->fd, &now) != 0)
        return err_sys(err, ERR_IO, errno, "could not look at \"%s\"", in->path);
    if (now.st_size == in->opened.st_size && in->bytes == (uint64_t)now.st_size &&
        now.st_mtim.tv_sec == in->opened.st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == in->opened.st_mtim.tv_nsec)
        return ERR_OK;
    err_set(err, ERR_DATA, "\"%s\" is still being written: it changed while it was read", in->path);
    err_hint(err, "have it written under another name, and renamed when it is whole");
    return err->code;
}

enum err_code csv_in_digest(struct csv_in *in, char ret_sha256[static 65], struct err *err)
{
    _cleanup_free_ char *buffer = malloc(CHUNK);
    enum err_code code = buffer ? digest_begin(in, err) : err_nomem(err);
    size_t n = 1;

    while (code == ERR_OK && n > 0)
        code = read_some(in, buffer, CHUNK, &n, err);
    if (code == ERR_OK)
        code = digest_end(in, err);
    if (code == ERR_OK)
        memcpy(ret_sha256, in->sha256, sizeof in->sha256);
    return code;
}

static enum err_code parse_begin(struct csv_in *in, const struct csv_reader *reader,
                                 struct err *err)
{
    if (csv_init(&in->parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL | CSV_EMPTY_IS_NULL))
        return err_nomem(err);
    in->parsing = true;
    csv_set_delim(&in->parser, (unsigned char)in->separator);
    csv_set_realloc_func(&in->parser, grow_field);
    csv_set_blk_size(&in->parser, FIELD_BLOCK);
    in->reader = reader;
    in->err = err;
    in->line = 1;
    in->line_empty = in->line_blank = true;
    return digest_begin(in, err);
}

/* The end of the file: it must be that of a row. */
static enum err_code parse_end(struct csv_in *in)
{
    if (in->bytes == 0)
        return refuse_line(in, "the file is empty: not even headings",
                           "an export without rows still has its headings");
    if (in->row_open && in->line_empty) {
        in->line = in->row_line;
        return refuse_here(in, "has a quote that is never closed");
    }
    if (!in->line_empty || in->row_open)
        return refuse_here(in, "ends without an end of line: the file is cut off");
    if (!in->headings)
        return refuse_line(in, "there are no headings", NULL);
    if (csv_fini(&in->parser, on_field, on_row, in) != 0 && in->code == ERR_OK)
        in->code = parse_failed(in);
    return in->code;
}

/* A CR at the very end of what was read is kept back: whether LF follows tells what it is. */
static enum err_code read_all(struct csv_in *in, char *buffer, struct err *err)
{
    size_t kept = 0, skip = 0;
    bool begun = false;

    for (;;) {
        size_t n, len, back;
        enum err_code code = read_some(in, buffer + kept, CHUNK - kept, &n, err);

        if (code != ERR_OK)
            return code;
        len = kept + n;
        if (!begun && len < 4 && n > 0) { /* too little to know a byte order mark by */
            kept = len;
            continue;
        }
        if (!begun && skip_bom(in, buffer, len, &skip) != ERR_OK)
            return in->code;
        begun = true;
        back = n > 0 && len > skip && buffer[len - 1] == '\r';
        if (feed_chunk(in, buffer + skip, len - skip - back) != ERR_OK)
            return in->code;
        if (in->reader->progress)
            in->reader->progress(in->reader->context, in->bytes, (uint64_t)in->opened.st_size);
        if (n == 0)
            return parse_end(in);
        buffer[0] = '\r';
        kept = back;
        skip = 0;
    }
}

enum err_code csv_in_read(struct csv_in *in, const struct csv_reader *reader, struct err *err)
{
    _cleanup_free_ char *buffer = malloc(CHUNK);
    enum err_code code = buffer ? parse_begin(in, reader, err) : err_nomem(err);

    if (code == ERR_OK)
        code = read_all(in, buffer, err);
    if (code == ERR_OK)
        code = digest_end(in, err);
    in->reader = NULL;
    in->err = NULL;
    return code;
}

enum err_code csv_in_open(struct csv_in **ret, const char *path, char separator, struct err *err)
{
    _cleanup_csv_in_ struct csv_in *in = calloc(1, sizeof *in);

    if (!in)
        return err_nomem(err);
    /* Not blocking: a FIFO without a writer would be waited for. */
    in->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    in->separator = separator;
    in->path = strdup(path);
    in->digest = EVP_MD_CTX_new();
    in->fields = calloc(FIELDS_MAX, sizeof *in->fields);
    in->places = calloc(FIELDS_MAX, sizeof *in->places);
    if (in->fd < 0)
        return err_sys(err, ERR_NOINPUT, errno, "could not open \"%s\"", path);
    if (!in->path || !in->digest || !in->fields || !in->places)
        return err_nomem(err);
    if (fstat(in->fd, &in->opened) != 0)
        return err_sys(err, ERR_IO, errno, "could not look at \"%s\"", path);
    if (!S_ISREG(in->opened.st_mode)) {
        err_set(err, ERR_NOINPUT, "\"%s\" is %s, not a regular file", path,
                S_ISDIR(in->opened.st_mode)    ? "a folder"
                : S_ISFIFO(in->opened.st_mode) ? "a pipe"
                : S_ISSOCK(in->opened.st_mode) ? "a socket"
                                               : "a device");
        err_hint(err, "name a file");
        return err->code;
    }
    *ret = TAKE_PTR(in);
    return ERR_OK;
}

void csv_in_close(struct csv_in *in)
{
    if (!in)
        return;
    if (in->parsing)
        csv_free(&in->parser);
    for (size_t i = 0; in->headings && i < in->n_headings; i++)
        free(in->headings[i]);
    free(in->headings);
    EVP_MD_CTX_free(in->digest);
    closep(&in->fd);
    free(in->path);
    free(in->text);
    free(in->fields);
    free(in->places);
    free(in);
}

void csv_in_closep(struct csv_in **in)
{
    csv_in_close(*in);
    *in = NULL;
}

uint64_t csv_in_size(const struct csv_in *in)
{
    return (uint64_t)in->opened.st_size;
}

const char *csv_in_sha256(const struct csv_in *in)
{
    return in->sha256;
}
