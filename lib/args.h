/* The values of a statement's parameters, by name.
 *
 * sql/ files name their parameters (`:'as_of'::timestamptz`); a set of arguments gives each name a
 * value as text. One set serves many statements: each takes what it names. Adding a name again
 * replaces its value. Borrowed texts must outlive the set; numbers are kept inside. */
#ifndef LAPSE_ARGS_H
#define LAPSE_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ARGS_MAX = 128 };

struct args {
    size_t n;
    struct arg {
        const char *name;
        const char *text; /* NULL is SQL NULL; points to `number` for numbers */
        bool is_number;
        char number[24];
    } list[ARGS_MAX];
};

void args_text(struct args *args, const char *name, const char *text);
void args_int(struct args *args, const char *name, int64_t value);

/* False where no such name was given. */
bool args_get(const struct args *args, const char *name, const char **ret_text);

#endif
