/* The values of a statement's parameters: see args.h. */
#include "args.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ban.h"

static struct arg *slot(struct args *args, const char *name)
{
    for (size_t i = 0; i < args->n; i++)
        if (strcmp(args->list[i].name, name) == 0)
            return &args->list[i];
    if (args->n == ARGS_MAX)
        abort(); /* a program that names more parameters than there is room for */
    return &args->list[args->n++];
}

void args_text(struct args *args, const char *name, const char *text)
{
    struct arg *arg = slot(args, name);

    *arg = (struct arg){.name = name, .text = text};
}

void args_int(struct args *args, const char *name, int64_t value)
{
    struct arg *arg = slot(args, name);

    *arg = (struct arg){.name = name, .is_number = true};
    snprintf(arg->number, sizeof arg->number, "%" PRId64, value);
}

bool args_get(const struct args *args, const char *name, const char **ret_text)
{
    for (size_t i = 0; i < args->n; i++)
        if (strcmp(args->list[i].name, name) == 0) {
            *ret_text = args->list[i].is_number ? args->list[i].number : args->list[i].text;
            return true;
        }
    return false;
}
