/* The strict scan of a settings file: see conf_scan.h. */
#define _GNU_SOURCE
#include "conf_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf.h"

#include "ban.h"

static enum err_code check_kind(const char *file, const struct stat *st, struct err *err)
{
    if (S_ISDIR(st->st_mode))
        err_set(err, ERR_CONFIG, "settings file \"%s\" is a directory", file);
    else if (!S_ISREG(st->st_mode))
        err_set(err, ERR_CONFIG, "settings file \"%s\" is not a regular file", file);
    else if (st->st_mode & (S_IWGRP | S_IWOTH)) {
        err_set(err, ERR_CONFIG, "settings file \"%s\" is writable by %s", file,
                st->st_mode & S_IWOTH ? "everyone" : "its group");
        err_hint(err, "run \"chmod go-w %s\"", file);
    } else
        return ERR_OK;
    err_hint(err, "name a settings file with -c or LAPSE_CONFIG");
    return err->code;
}

/* Up to `size` bytes; fewer only at the end of the file. */
static ssize_t read_up_to(int fd, char *buffer, size_t size)
{
    size_t len = 0;

    while (len < size) {
        ssize_t got = read(fd, buffer + len, size - len);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        len += (size_t)got;
    }
    return (ssize_t)len;
}

enum err_code conf_read_file(const char *file, char **ret_text, size_t *ret_len, struct err *err)
{
    _cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    _cleanup_free_ char *text = NULL;
    struct stat st;
    ssize_t len;

    if (fd < 0 || fstat(fd, &st) < 0) {
        if (errno == ENXIO) /* a socket */
            err_set(err, ERR_CONFIG, "settings file \"%s\" is not a regular file", file);
        err_sys(err, ERR_CONFIG, errno, "could not open settings file \"%s\"", file);
        err_hint(err, "name a settings file with -c or LAPSE_CONFIG; "
                      "\"lapse conf --sample\" prints one");
        return err->code;
    }
    if (check_kind(file, &st, err) != ERR_OK)
        return err->code;
    text = malloc(CONF_FILE_MAX + 1);
    if (!text)
        return err_nomem(err);
    len = read_up_to(fd, text, CONF_FILE_MAX + 1);
    if (len < 0)
        return err_sys(err, ERR_CONFIG, errno, "could not read settings file \"%s\"", file);
    if (len > CONF_FILE_MAX) {
        err_set(err, ERR_CONFIG, "settings file \"%s\" is larger than 64 KiB", file);
        err_hint(err, "check that it is the right file");
        return err->code;
    }
    *ret_len = (size_t)len;
    *ret_text = TAKE_PTR(text);
    return ERR_OK;
}

/* The line being read: what a fault of it is reported on. */
struct place {
    const char *file;
    size_t line;
    struct err *err;
};

static enum err_code _printf_(3, 4)
    refuse(const struct place *at, const char *hint, const char *format, ...)
{
    _cleanup_free_ char *message = NULL;
    va_list args;
    int len;

    va_start(args, format);
    len = vasprintf(&message, format, args);
    va_end(args);
    if (len < 0) {
        message = NULL;
        return err_nomem(at->err);
    }
    err_set(at->err, ERR_CONFIG, "%s:%zu: %s", at->file, at->line, message);
    err_hint(at->err, "%s", hint);
    return at->err->code;
}

static enum err_code check_whole(const char *text, size_t len, const char *file, struct err *err)
{
    struct place top = {.file = file, .line = 1, .err = err};
    const char *nul = memchr(text, '\0', len);

    if (strspn(text, " \t\r\n") == len) {
        err_set(err, ERR_CONFIG, "settings file \"%s\" is empty", file);
        err_hint(err, "\"lapse conf --sample\" prints a settings file to start from");
        return err->code;
    }
    if (len >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0 ||
                     (nul && nul < text + 2)))
        return refuse(&top, "save it as UTF-8 without a byte order mark",
                      "the file looks like UTF-16");
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        return refuse(&top, "save it as UTF-8 without a byte order mark",
                      "the file starts with a byte order mark");
    if (nul) {
        for (const char *c = text; c < nul; c++)
            top.line += *c == '\n';
        return refuse(&top, "save it as plain UTF-8 text", "the line holds a NUL byte");
    }
    return ERR_OK;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Cuts the blanks at both ends, in place. */
static char *trim(char *text)
{
    size_t len;

    while (is_blank(*text))
        text++;
    len = strlen(text);
    while (len > 0 && is_blank(text[len - 1]))
        len--;
    text[len] = '\0';
    return text;
}

/* Letters, digits, `_`, `-` and, in sections, dots. Nothing that iniparser gives a meaning. */
static bool is_name(const char *text, bool dots)
{
    for (const char *c = text; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
              *c == '_' || *c == '-' || (dots && *c == '.')))
            return false;
    return *text != '\0';
}

/* Characters that look like a blank and are none. */
static bool has_odd_blank(const char *text)
{
    static const char *const odd[] = {"\xc2\xa0",     "\xe2\x80\x87", "\xe2\x80\xaf",
                                      "\xe2\x80\x8b", "\xe2\x81\xa0", "\xe3\x80\x80",
                                      "\xef\xbb\xbf"};

    for (size_t i = 0; i < COUNT(odd); i++)
        if (strstr(text, odd[i]))
            return true;
    return false;
}

static enum err_code scan_section(const struct place *at, char *line, struct scan_item *item)
{
    static const char hint[] =
        "write [section] alone on its line; comments have lines of their own";
    char *end = strchr(line, ']');

    if (!end)
        return refuse(at, hint, "the section's closing bracket is missing");
    if (end[1] != '\0')
        return refuse(at, hint, "text stands behind the section's closing bracket");
    *end = '\0';
    line++;
    if (*line == '\0')
        return refuse(at, hint, "the section has no name");
    if (!is_name(line, true))
        return refuse(at,
                      "section names are made of letters, digits, \"_\", \"-\" and \".\", "
                      "without blanks",
                      strchr(line, ':') ? "the section is named like a key: its name holds a colon"
                                        : "the section's name holds a character no name has");
    item->section = line;
    return ERR_OK;
}

static enum err_code scan_value(const struct place *at, char *value, const char **ret)
{
    size_t doubles = 0, singles = 0;
    char *end;

    if (*value == '"' || *value == '\'') {
        end = strchr(value + 1, *value);
        if (!end)
            return refuse(at, "end the value with the quote it starts with",
                          "the value's closing quote is missing");
        if (end[1] != '\0')
            return refuse(at, "a quoted value ends its line; comments have lines of their own",
                          "text stands behind the value's closing quote");
        *end = '\0';
        *ret = value + 1;
        return ERR_OK;
    }
    if (strpbrk(value, "#;"))
        return refuse(at,
                      "put the value in double quotes if the character belongs to it; "
                      "comments have lines of their own",
                      "\"%c\" stands in a value without quotes", *strpbrk(value, "#;"));
    for (const char *c = value; *c; c++) {
        doubles += *c == '"';
        singles += *c == '\'';
    }
    if (doubles % 2 || singles % 2)
        return refuse(at, "put the whole value in quotes of the other kind",
                      "the quotes in the value are not balanced");
    *ret = value;
    return ERR_OK;
}

static enum err_code scan_line(const struct place *at, char *line, const char *section,
                               struct scan_item *item)
{
    static const char hint[] = "write \"key = value\" or \"[section]\", or start a comment with #";
    char *equals, *key;

    if (has_odd_blank(line))
        return refuse(at, "write a plain space",
                      "the line holds a no-break space or another that is not plain");
    if (*line == '[')
        return scan_section(at, line, item);
    equals = strchr(line, '=');
    if (!equals)
        return refuse(at, hint, "the line has no \"=\"");
    *equals = '\0';
    key = trim(line);
    if (!is_name(key, false))
        return refuse(at, hint,
                      *key ? "the key holds a character no key has"
                           : "there is no key before \"=\"");
    if (!section)
        return refuse(at, "put the [section] it belongs to above it",
                      "the key stands before the first section");
    item->section = section;
    item->key = key;
    return scan_value(at, trim(equals + 1), &item->value);
}

/* Takes the line apart if there is something in it; item->section stays NULL if not. */
static enum err_code scan_raw_line(const struct place *at, char *line, size_t len,
                                   const char *section, struct scan_item *item)
{
    const char *fault;

    if (len > CONF_LINE_MAX)
        return refuse(at, "shorten it", "the line is longer than %d bytes", CONF_LINE_MAX);
    fault = text_fault(line, len, true);
    if (fault)
        return refuse(at, "settings are plain UTF-8 text with lines that end in LF or CRLF",
                      "the line %s", fault);
    line = trim(line);
    len = strlen(line);
    if (len > 0 && line[len - 1] == '\\')
        return refuse(at, "a value stands on one line, and a comment may not end like that either",
                      "the line ends in a backslash");
    if (len == 0 || *line == '#' || *line == ';')
        return ERR_OK;
    return scan_line(at, line, section, item);
}

static enum err_code scan_lines(struct conf_scan *scan, size_t len, const char *file,
                                struct err *err)
{
    struct place at = {.file = file, .line = 0, .err = err};
    const char *section = NULL;
    char *next;

    for (char *line = scan->text; line < scan->text + len; line = next) {
        char *end = memchr(line, '\n', (size_t)(scan->text + len - line));
        struct scan_item *item = &scan->items[scan->n_items];
        size_t n;

        next = end ? end + 1 : scan->text + len;
        if (end) {
            *end = '\0';
            if (end > line && end[-1] == '\r')
                *--end = '\0';
        } else
            end = scan->text + len;
        n = (size_t)(end - line);
        at.line++;
        *item = (struct scan_item){.line = at.line};
        if (scan_raw_line(&at, line, n, section, item) != ERR_OK)
            return err->code;
        if (item->section) {
            section = item->section;
            scan->n_items++;
        }
    }
    return ERR_OK;
}

enum err_code conf_scan(struct conf_scan *ret, const char *text, size_t len, const char *file,
                        struct err *err)
{
    _cleanup_scan_ struct conf_scan scan = {0};
    size_t lines = 1;

    scan.text = malloc(len + 1);
    if (!scan.text)
        return err_nomem(err);
    memcpy(scan.text, text, len);
    scan.text[len] = '\0';
    if (check_whole(scan.text, len, file, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < len; i++)
        lines += text[i] == '\n';
    scan.items = calloc(lines, sizeof *scan.items);
    if (!scan.items)
        return err_nomem(err);
    if (scan_lines(&scan, len, file, err) != ERR_OK)
        return err->code;
    *ret = scan;
    scan = (struct conf_scan){0};
    return ERR_OK;
}

void conf_scan_done(struct conf_scan *scan)
{
    free(scan->items);
    free(scan->text);
    *scan = (struct conf_scan){0};
}
