/* The command line: options declared as data, in two steps.
 *
 *     static const struct opt globals[] = {{"config", 'c', "FILE", "read settings from FILE"},
 *                                          {0}};
 *
 *     _cleanup_opts_ struct opts opts = {0};
 *     opts_begin(&opts, globals, argc, argv, &err)          reads up to the command
 *     opts_finish(&opts, command->tables, n_tables, &err)   reads the rest
 *
 * opts_begin takes the global options that stand before the first operand, which is the command
 * (`opts.command`, NULL if there is none). The program then knows which further tables of options
 * there are (the command's, and those of jobs), and opts_finish reads the rest by these and the
 * global ones. Options and operands may stand in any order: `--name VALUE`, `--name=VALUE`,
 * `-c VALUE`; `--` ends the options; a lone `-` is an operand. Names are not shortened and letters
 * not joined. Where two tables have an option of one name, it is one option, and the first counts.
 *
 * ERR_USAGE, with a hint at the command's help: an unknown option (named with the nearest), one
 * given twice, without its value or with an empty one, a value for a flag, an argument that is not
 * valid UTF-8 or holds a control character. All text is borrowed from argv and the tables.
 */
#ifndef LAPSE_OPT_H
#define LAPSE_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include "err.h"

struct opt {
    const char *name;     /* without the dashes; NULL ends a table */
    char letter;          /* '\0': none */
    const char *argument; /* "WHEN"; NULL: a flag */
    const char *help;     /* a phrase, for the list */
    bool repeat;          /* may be given more than once */
};

struct opts {
    const char *command;
    const char **operands; /* those behind the command */
    size_t n_operands;

    struct opts_given *given; /* from here on: private */
    size_t n_given;
    char **rest;
    const struct opt *globals;
};

enum err_code opts_begin(struct opts *opts, const struct opt *globals, int argc, char **argv,
                         struct err *err) _must_check_;
enum err_code opts_finish(struct opts *opts, const struct opt *const *tables, size_t n_tables,
                          struct err *err) _must_check_;
void opts_done(struct opts *opts);
#define _cleanup_opts_ _cleanup_(opts_done)

/* By the option's long name; one that was not given, or that no table has, is NULL, false, 0. */
bool opt_flag(const struct opts *opts, const char *name);
const char *opt_text(const struct opts *opts, const char *name); /* the value; the first of many */
size_t opt_count(const struct opts *opts, const char *name);
const char *opt_nth(const struct opts *opts, const char *name, size_t n); /* 0 first */

/* The n-th option given, in the order of the command line (value NULL for a flag); false behind
   the last. For checks such as "this option belongs to a job that is not named". */
bool opts_each(const struct opts *opts, size_t n, const struct opt **ret_opt,
               const char **ret_value);

/* A line for each option of the table, aligned: "  -c, --config FILE   read settings from FILE",
   long help wrapped at 90 columns. */
void opt_print(const struct opt *table, FILE *out);

/* A text whose first column is `indent`, broken at spaces before column 90, and its end of line. */
void print_wrapped(const char *text, size_t indent, FILE *out);

#endif
