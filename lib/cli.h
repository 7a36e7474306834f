/* The command line: finds the command, loads the settings, runs it, and says how it ended.
 *
 * A command is one file lib/cmd_*.c that exports one `const struct command`, listed in
 * commands.def. Results go to stdout, everything else to stderr; an error is printed here, once.
 */
#ifndef LAPSE_CLI_H
#define LAPSE_CLI_H

#include <stdio.h>
#include "conf.h"
#include "deadline.h"
#include "job.h"
#include "opt.h"

/* What main brings. */
struct parts {
    const struct job *const *jobs;
    size_t n_jobs;
    const struct job *undo; /* what `lapse undo` runs */
    const struct setting *rules;
    size_t n_rules;
    const struct data_check *promises, *conditions;
    size_t n_promises, n_conditions;
};

/* What a command works with. */
struct cli {
    struct registry registry;
    struct conf *conf; /* NULL where the command needs none */
    struct opts opts;
    struct deadline deadline;
    bool json, verbose, quiet;
    int stdout_errno;         /* why stdout takes nothing more; 0: it took all */
    bool no_stdout;           /* it was closed when the program began */
    bool told;                /* the command has printed its error where it belongs */
    struct opt **own_options; /* of the jobs; private */
};

struct command {
    const char *name;
    const char *operands;      /* "JOB... | --all" */
    const char *summary;       /* one line for `lapse help` */
    const char *help;          /* the rest of `lapse help COMMAND` */
    const struct opt *options; /* ended by one without name; NULL for none */
    bool job_options;          /* the jobs' own settings are options as well */
    bool needs_conf;
    enum err_code (*run)(struct cli *cli, struct err *err);
};

int cli_main(const struct parts *parts, int argc, char **argv);

/* The n-th command, in the order of `lapse help`; NULL behind the last. */
const struct command *command_nth(size_t n);
const struct command *command_find(const char *name);

extern const struct opt global_options[];

/* An option for each own setting of the job, for `opts_finish`; the caller frees the table. */
struct opt *job_option_table(const struct job *job);

/* Loads the settings into cli->conf; done before the command where it says needs_conf. */
enum err_code cli_load_conf(struct cli *cli, struct err *err) _must_check_;

/* ERR_USAGE unless there are between min and max operands. */
enum err_code operands_between(const struct cli *cli, size_t min, size_t max, const char *what,
                               struct err *err) _must_check_;

/* The job a word names; ERR_USAGE with the nearest where there is none. */
enum err_code job_named(const struct cli *cli, const char *word, const struct job **ret,
                        struct err *err) _must_check_;

/* "12,13" becomes the array literal "{12,13}", which the caller frees; ERR_USAGE names `place`. */
enum err_code accounts_parse(const char *text, const char *place, char **ret,
                             struct err *err) _must_check_;

/* Where a path leads that is given on the command line: --out may be relative to where that is. The
   caller frees it. */
enum err_code absolute_path(const char *path, char **ret, struct err *err) _must_check_;

/* Explains a command: what it does, its operands and options. */
void help_command(const struct command *command, FILE *out);

/* Prints one line to stderr unless -q. */
void cli_note(const struct cli *cli, const char *text);

/* Prints an error: message, detail (-v), hint. */
void cli_error(const struct cli *cli, const struct err *err);

/* ERR_IO where stdout could not take everything that was printed; the first failure is kept. */
enum err_code cli_flush(struct cli *cli, struct err *err) _must_check_;

#endif
