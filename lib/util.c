/* Small things every file needs: see util.h. */
#define _GNU_SOURCE
#include "util.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ban.h"

void freep(void *p)
{
    void **slot = p;

    free(*slot);
    *slot = NULL;
}

void fclosep(FILE **f)
{
    if (*f)
        fclose(*f);
    *f = NULL;
}

void closep(int *fd)
{
    int saved = errno;

    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = saved;
}

char *str_vformat(const char *format, va_list args)
{
    char *text = NULL;

    return vasprintf(&text, format, args) < 0 ? NULL : text;
}

char *str_format(const char *format, ...)
{
    char *text;
    va_list args;

    va_start(args, format);
    text = str_vformat(format, args);
    va_end(args);
    return text;
}

bool str_eq(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool parse_int64(const char *text, int64_t min, int64_t max, int64_t *ret)
{
    const char *digits = text + (*text == '-');
    int64_t value = 0;

    if (*digits == '\0' || (digits[0] == '0' && digits[1] != '\0'))
        return false;
    for (const char *c = digits; *c; c++) {
        if (*c < '0' || *c > '9' || value < (INT64_MIN + (*c - '0')) / 10)
            return false;
        value = value * 10 - (*c - '0'); /* negative, so that INT64_MIN fits */
    }
    if (*text != '-') {
        if (value == INT64_MIN)
            return false;
        value = -value;
    }
    if (value < min || value > max)
        return false;
    *ret = value;
    return true;
}

/* Levenshtein distance, for words of up to 63 bytes; longer ones are far from everything. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[64], na = strlen(a), nb = strlen(b);

    if (na >= COUNT(row) || nb >= COUNT(row))
        return SIZE_MAX;
    for (size_t j = 0; j <= nb; j++)
        row[j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t cost = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            if (row[j - 1] + 1 < cost)
                cost = row[j - 1] + 1;
            if (row[j] + 1 < cost)
                cost = row[j] + 1;
            row[j] = cost;
        }
    }
    return row[nb];
}

const char *nearest_word(const char *word, const char *const *candidates, size_t n)
{
    const char *nearest = NULL;
    size_t best = strlen(word) / 3 + 2;

    for (size_t i = 0; i < n; i++) {
        size_t distance = edit_distance(word, candidates[i]);

        if (distance < best) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}

bool sb_room(struct strbuf *sb, size_t more)
{
    size_t size = sb->size ? sb->size : 128;
    char *grown;

    if (sb->failed || more > SIZE_MAX / 4 - sb->len) {
        sb->failed = true;
        return false;
    }
    if (sb->len + more + 1 <= sb->size)
        return true;
    while (size < sb->len + more + 1)
        size *= 2;
    grown = realloc(sb->text, size);
    if (!grown) {
        sb->failed = true;
        return false;
    }
    sb->text = grown;
    sb->size = size;
    return true;
}

void sb_add(struct strbuf *sb, const char *text, size_t len)
{
    if (!sb_room(sb, len))
        return;
    memcpy(sb->text + sb->len, text, len);
    sb->len += len;
    sb->text[sb->len] = '\0';
}

void sb_adds(struct strbuf *sb, const char *text)
{
    sb_add(sb, text, strlen(text));
}

void sb_addf(struct strbuf *sb, const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0 || !sb_room(sb, (size_t)len)) {
        sb->failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf(sb->text + sb->len, (size_t)len + 1, format, args);
    va_end(args);
    sb->len += (size_t)len;
}

void sb_reset(struct strbuf *sb)
{
    sb->len = 0;
    if (sb->text)
        sb->text[0] = '\0';
}

const char *sb_text(struct strbuf *sb)
{
    if (sb->failed)
        return NULL;
    return sb->text ? sb->text : "";
}

void sb_done(struct strbuf *sb)
{
    free(sb->text);
    *sb = (struct strbuf){0};
}
