/* Small things every file needs: attributes, clean-up, ownership, whole-string parsing. */
#ifndef LAPSE_UTIL_H
#define LAPSE_UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _must_check_ __attribute__((warn_unused_result))
#define _unused_ __attribute__((unused))
#define _cleanup_(f) __attribute__((cleanup(f)))

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Hands a pointer over: its value, and NULL stays behind, so that a clean-up frees nothing. */
#define TAKE_PTR(p)                 \
    ({                              \
        __typeof__(p) taken_ = (p); \
        (p) = NULL;                 \
        taken_;                     \
    })

void freep(void *p); /* p is the address of a pointer from malloc */
void fclosep(FILE **f);
void closep(int *fd); /* -1 is nothing; errno is kept */

#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_fclose_ _cleanup_(fclosep)
#define _cleanup_close_ _cleanup_(closep)

/* printf into new memory; NULL when there is none. The caller frees it. */
char *str_format(const char *format, ...) _printf_(1, 2) _must_check_;

_printf_(1, 0) char *str_vformat(const char *format, va_list args) _must_check_;

bool str_eq(const char *a, const char *b); /* NULL equals only NULL */

/* A whole decimal number, optional '-', nothing before or behind, within [min, max]. */
bool parse_int64(const char *text, int64_t min, int64_t max, int64_t *ret);

/* The candidate nearest to `word` by edit distance, or NULL when none is near enough to mean. */
const char *nearest_word(const char *word, const char *const *candidates, size_t n);

/* A growing string. {0} is empty. After an allocation failed, `failed` is set and adding does
   nothing, so that one check at the end is enough. `text` is NUL-terminated once anything or
   nothing was added by sb_text. */
struct strbuf {
    char *text;
    size_t len, size;
    bool failed;
};

void sb_add(struct strbuf *sb, const char *text, size_t len);
void sb_adds(struct strbuf *sb, const char *text);
void sb_addf(struct strbuf *sb, const char *format, ...) _printf_(2, 3);
bool sb_room(struct strbuf *sb, size_t more); /* for so many bytes behind `len`, and a NUL */
void sb_reset(struct strbuf *sb);             /* empty, memory kept */
const char *sb_text(struct strbuf *sb);       /* "" when empty; NULL after a failure */
void sb_done(struct strbuf *sb);

#define _cleanup_sb_ _cleanup_(sb_done)

#endif
