/* The command line: see opt.h. */
#define _GNU_SOURCE
#include "opt.h"

#include <stdlib.h>
#include <string.h>

#include "conf.h"

#include "ban.h"

struct opts_given {
    const struct opt *opt;
    const char *value; /* NULL: a flag */
};

/* The tables in force while arguments are read: the global one, then the command's. */
struct tables {
    const struct opt *globals;
    const struct opt *const *others;
    size_t n_others;
};

static const struct opt *table_of(const struct tables *tables, size_t i)
{
    if (i == 0)
        return tables->globals;
    return i <= tables->n_others ? tables->others[i - 1] : NULL;
}

static const struct opt *find_name(const struct tables *tables, const char *name, size_t len)
{
    const struct opt *table;

    for (size_t i = 0; (table = table_of(tables, i)); i++)
        for (const struct opt *o = table; o->name; o++)
            if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
                return o;
    return NULL;
}

static const struct opt *find_letter(const struct tables *tables, char letter)
{
    const struct opt *table;

    for (size_t i = 0; (table = table_of(tables, i)); i++)
        for (const struct opt *o = table; o->name; o++)
            if (o->letter == letter)
                return o;
    return NULL;
}

/* The option an argument names, with the value joined to it by "=" (else NULL); NULL if none. */
static const struct opt *find_option(const struct tables *tables, const char *argument,
                                     const char **ret_value)
{
    size_t len = strcspn(argument, "=");

    *ret_value = NULL;
    if (argument[1] != '-') /* -c */
        return argument[2] == '\0' ? find_letter(tables, argument[1]) : NULL;
    if (argument[len] == '=')
        *ret_value = argument + len + 1;
    return find_name(tables, argument + 2, len - 2);
}

static void hint_help(const struct opts *opts, struct err *err)
{
    if (opts->command)
        err_hint(err, "run \"lapse help %s\"", opts->command);
    else
        err_hint(err, "run \"lapse help\"");
}

static enum err_code unknown_option(const struct opts *opts, const struct tables *tables,
                                    const char *argument, struct err *err)
{
    int len = (int)strcspn(argument, "="); /* the value may be private */
    _cleanup_free_ char *word = strndup(argument, (size_t)len);
    const struct opt *table;
    const char *near = NULL, *names[2];

    if (!word)
        return err_nomem(err);
    err_set(err, ERR_USAGE, "unknown option \"%s\"%s", word,
            opts->command ? "" : " before the command");
    for (size_t i = 0; argument[1] == '-' && (table = table_of(tables, i)); i++) {
        for (const struct opt *o = table; o->name; o++) { /* the best so far against the next */
            names[0] = near ? near : o->name;
            names[1] = o->name;
            near = nearest_word(word + 2, names, COUNT(names));
        }
    }
    if (near && opts->command)
        err_hint(err, "did you mean --%s? run \"lapse help %s\"", near, opts->command);
    else if (near)
        err_hint(err, "did you mean --%s? run \"lapse help\"", near);
    else if (!opts->command)
        err_hint(err, "options of a command stand behind it; run \"lapse help\"");
    hint_help(opts, err);
    return err->code;
}

/* Whether an argument in the place of a value is an option, so that the value is missing. */
static bool is_option(const struct tables *tables, const char *argument)
{
    const char *value;

    return str_eq(argument, "--") ||
           (argument[0] == '-' && argument[1] != '\0' && find_option(tables, argument, &value));
}

/* Takes the option at **next, and its value, and moves *next behind them. */
static enum err_code take_option(struct opts *opts, const struct tables *tables, char ***next,
                                 struct err *err)
{
    const char *argument = *(*next)++, *value;
    const struct opt *o = find_option(tables, argument, &value);

    if (!o)
        return unknown_option(opts, tables, argument, err);
    if (!o->argument && value)
        err_set(err, ERR_USAGE, "option --%s takes no value", o->name);
    else if (!o->repeat && opt_count(opts, o->name) > 0)
        err_set(err, ERR_USAGE, "option --%s is given twice", o->name);
    else if (o->argument) {
        if (!value && **next && !is_option(tables, **next))
            value = *(*next)++;
        if (!value || *value == '\0')
            err_set(err, ERR_USAGE, "option --%s needs a value: %s", o->name, o->argument);
    }
    if (err->code != ERR_OK) {
        hint_help(opts, err);
        return err->code;
    }
    opts->given[opts->n_given++] = (struct opts_given){o, value};
    return ERR_OK;
}

static enum err_code check_arguments(struct opts *opts, char **argv, struct err *err)
{
    for (size_t i = 1; argv[0] && argv[i]; i++) {
        const char *fault = text_fault(argv[i], strlen(argv[i]), false);

        if (fault) {
            err_set(err, ERR_USAGE, "argument %zu %s", i, fault);
            hint_help(opts, err);
            return err->code;
        }
    }
    return ERR_OK;
}

enum err_code opts_begin(struct opts *opts, const struct opt *globals, int argc, char **argv,
                         struct err *err)
{
    struct tables tables = {.globals = globals};
    size_t room = (size_t)argc + 1;
    char **next = argc > 0 ? argv + 1 : argv;

    *opts = (struct opts){.globals = globals};
    if (check_arguments(opts, argv, err) != ERR_OK)
        return err->code;
    opts->given = calloc(room, sizeof *opts->given);
    opts->operands = calloc(room, sizeof *opts->operands);
    if (!opts->given || !opts->operands)
        return err_nomem(err);
    while (*next && **next == '-' && !str_eq(*next, "-") && !str_eq(*next, "--"))
        if (take_option(opts, &tables, &next, err) != ERR_OK)
            return err->code;
    if (*next && str_eq(*next, "--")) { /* the command may not look like an option */
        err_set(err, ERR_USAGE, "\"--\" stands before the command");
        hint_help(opts, err);
        return err->code;
    }
    if (*next)
        opts->command = *next++;
    opts->rest = next;
    return ERR_OK;
}

enum err_code opts_finish(struct opts *opts, const struct opt *const *tables, size_t n_tables,
                          struct err *err)
{
    struct tables all = {.globals = opts->globals, .others = tables, .n_others = n_tables};
    char **next = opts->rest;
    bool ended = false;

    while (*next) {
        if (ended || **next != '-' || str_eq(*next, "-"))
            opts->operands[opts->n_operands++] = *next++;
        else if (str_eq(*next, "--")) {
            ended = true;
            next++;
        } else if (take_option(opts, &all, &next, err) != ERR_OK)
            return err->code;
    }
    opts->rest = next;
    return ERR_OK;
}

void opts_done(struct opts *opts)
{
    free(opts->given);
    free(opts->operands);
    *opts = (struct opts){0};
}

/* ---- what was given ---- */

static const struct opts_given *nth_given(const struct opts *opts, const char *name, size_t n)
{
    for (size_t i = 0; i < opts->n_given; i++)
        if (str_eq(opts->given[i].opt->name, name) && n-- == 0)
            return &opts->given[i];
    return NULL;
}

bool opt_flag(const struct opts *opts, const char *name)
{
    return nth_given(opts, name, 0) != NULL;
}

const char *opt_text(const struct opts *opts, const char *name)
{
    return opt_nth(opts, name, 0);
}

size_t opt_count(const struct opts *opts, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < opts->n_given; i++)
        count += str_eq(opts->given[i].opt->name, name);
    return count;
}

const char *opt_nth(const struct opts *opts, const char *name, size_t n)
{
    const struct opts_given *given = nth_given(opts, name, n);

    return given ? given->value : NULL;
}

bool opts_each(const struct opts *opts, size_t n, const struct opt **ret_opt,
               const char **ret_value)
{
    if (n >= opts->n_given)
        return false;
    *ret_opt = opts->given[n].opt;
    *ret_value = opts->given[n].value;
    return true;
}

/* ---- help ---- */

/* Columns of "--name ARGUMENT". */
static size_t label_width(const struct opt *o)
{
    return 2 + strlen(o->name) + (o->argument ? 1 + strlen(o->argument) : 0);
}

void print_wrapped(const char *text, size_t indent, FILE *out)
{
    size_t column = indent;

    for (const char *word = text; *word;) {
        size_t len = strcspn(word, " ");

        if (word != text && column + 1 + len > 90) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (word != text) {
            fputc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", (int)len, word);
        column += len;
        word += len;
        word += strspn(word, " ");
    }
    fputc('\n', out);
}

void opt_print(const struct opt *table, FILE *out)
{
    size_t width = 0;

    for (const struct opt *o = table; o->name; o++)
        if (label_width(o) > width)
            width = label_width(o);
    for (const struct opt *o = table; o->name; o++) {
        if (o->letter)
            fprintf(out, "  -%c, ", o->letter);
        else
            fputs("      ", out);
        fprintf(out, "--%s%s%s%*s", o->name, o->argument ? " " : "", o->argument ? o->argument : "",
                (int)(width - label_width(o) + 2), "");
        print_wrapped(o->help, 6 + width + 2, out);
    }
}
