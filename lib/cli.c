/* The command line: see cli.h. */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ban.h"

#define COMMAND(name) extern const struct command command_##name;
#include "commands.def"
#undef COMMAND

static const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "commands.def"
#undef COMMAND
};

const struct opt global_options[] = {
    {"config", 'c', "FILE", "read the settings from FILE", false},
    {"set", 0, "SECTION.KEY=VALUE", "set one setting for this time", true},
    {"verbose", 'v', NULL, "say more on stderr, personal data included", false},
    {"quiet", 'q', NULL, "say only errors on stderr", false},
    {"json", 0, NULL, "print results as JSON, one object per line", false},
    {"help", 'h', NULL, "explain the command", false},
    {0},
};

const struct command *command_nth(size_t n)
{
    return n < COUNT(commands) ? commands[n] : NULL;
}

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < COUNT(commands); i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

enum err_code job_named(const struct cli *cli, const char *word, const struct job **ret,
                        struct err *err)
{
    const char *names[64];
    size_t n = cli->registry.n_jobs < COUNT(names) ? cli->registry.n_jobs : COUNT(names);
    const char *near;

    *ret = job_find(&cli->registry, word);
    if (*ret)
        return ERR_OK;
    for (size_t i = 0; i < n; i++)
        names[i] = cli->registry.jobs[i]->name;
    near = nearest_word(word, names, n);
    err_set(err, ERR_USAGE, "there is no job \"%s\"", word);
    if (near)
        err_hint(err, "did you mean \"%s\"? \"lapse jobs\" lists them all", near);
    else
        err_hint(err, "\"lapse jobs\" lists them all");
    return err->code;
}

enum err_code operands_between(const struct cli *cli, size_t min, size_t max, const char *what,
                               struct err *err)
{
    if (cli->opts.n_operands < min)
        err_set(err, ERR_USAGE, "%s: %s is missing", cli->opts.command, what);
    else if (cli->opts.n_operands > max)
        err_set(err, ERR_USAGE, "%s: \"%s\" is one argument too many", cli->opts.command,
                cli->opts.operands[max]);
    else
        return ERR_OK;
    err_hint(err, "run \"lapse help %s\"", cli->opts.command);
    return err->code;
}

static const char *option_argument(const struct setting *setting)
{
    if (setting->type == SETTING_BOOL)
        return NULL;
    if (setting->choices)
        return setting->choices;
    if (setting->option & OPTION_FILE)
        return "FILE";
    return setting->type == SETTING_MONTH ? "YYYY-MM" : "VALUE";
}

struct opt *job_option_table(const struct job *job)
{
    size_t n = 0;
    struct opt *table;
    char *names; /* behind the table, in one piece of memory */

    for (const struct setting *own = job->settings; own && own->key; own++)
        n++;
    table = calloc(1, (n + 1) * sizeof *table + n * OPTION_NAME_SIZE);
    if (!table)
        return NULL;
    names = (char *)(table + n + 1);
    n = 0;
    for (const struct setting *own = job->settings; own && own->key; own++) {
        if (own->option & OPTION_NONE)
            continue;
        job_option_name(own, names);
        table[n++] =
            (struct opt){.name = names, .argument = option_argument(own), .help = own->help};
        names += OPTION_NAME_SIZE;
    }
    return table;
}

enum err_code accounts_parse(const char *text, const char *place, char **ret, struct err *err)
{
    _cleanup_sb_ struct strbuf list = {0};
    _cleanup_free_ char *copy = strdup(text);
    char *rest = copy, *word;

    if (!copy)
        return err_nomem(err);
    while ((word = strsep(&rest, ",")) != NULL) {
        int64_t id;

        if (!parse_int64(word, 1, INT64_MAX, &id)) {
            err_set(err, ERR_USAGE, "%s: \"%s\" is not an account's id", place, word);
            err_hint(err, "give ids separated by commas, such as 12,13");
            return err->code;
        }
        sb_addf(&list, "%s%" PRId64, list.len ? "," : "{", id);
    }
    sb_adds(&list, "}");
    if (!sb_text(&list) || !(*ret = strdup(sb_text(&list))))
        return err_nomem(err);
    return ERR_OK;
}

enum err_code absolute_path(const char *path, char **ret, struct err *err)
{
    _cleanup_free_ char *here = NULL;

    if (*path == '/') {
        *ret = strdup(path);
        return *ret ? ERR_OK : err_nomem(err);
    }
    here = getcwd(NULL, 0);
    if (!here)
        return err_sys(err, ERR_IO, errno, "could not tell the working directory");
    *ret = str_format("%s/%s", here, path);
    return *ret ? ERR_OK : err_nomem(err);
}

void cli_note(const struct cli *cli, const char *text)
{
    if (!cli->quiet)
        fprintf(stderr, "lapse: %s\n", text);
}

void cli_error(const struct cli *cli, const struct err *err)
{
    fprintf(stderr, "lapse: %s\n", err->message ? err->message : "out of memory");
    if (err->detail && cli->verbose)
        fprintf(stderr, "  detail: %s\n", err->detail);
    if (err_advice(err))
        fprintf(stderr, "  hint: %s\n", err_advice(err));
    if (err->sqlstate[0] && cli->verbose)
        fprintf(stderr, "  sqlstate: %s\n", err->sqlstate);
}

enum err_code cli_flush(struct cli *cli, struct err *err)
{
    errno = 0;
    if ((fflush(stdout) != 0 || ferror(stdout)) && !cli->stdout_errno)
        cli->stdout_errno = errno ? errno : EIO;
    if (cli->no_stdout)
        cli->stdout_errno = EBADF;
    if (!cli->stdout_errno)
        return ERR_OK;
    err_sys(err, ERR_IO, cli->stdout_errno, "could not write to standard output");
    err_hint(err, "what was done stands, see \"lapse history\"; only its telling was lost");
    return err->code;
}

/* A descriptor from 0 to 2 that is closed would be taken by the next thing that is opened, the
   database's socket say, and a message would go there. */
static void open_standard(struct cli *cli)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
            cli->no_stdout |= fd == STDOUT_FILENO;
            if (open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd)
                abort();
        }
}

void help_command(const struct command *command, FILE *out)
{
    fprintf(out, "lapse %s%s%s\n\n%s\n", command->name, *command->operands ? " " : "",
            command->operands, command->help);
    if (command->options) {
        fputs("\noptions\n", out);
        opt_print(command->options, out);
    }
    if (command->job_options)
        fputs("\nA job's own options: lapse help JOB\n", out);
    fputs("\noptions of every command\n", out);
    opt_print(global_options, out);
}

/* All settings there are, and the registry that names them. The array is the caller's. */
static enum err_code collect(const struct parts *parts, struct registry *ret,
                             struct setting **ret_settings, struct err *err)
{
    size_t n = runner_settings_count + parts->n_rules;
    struct setting *all;
    char *sections; /* behind the settings, in one piece of memory */

    for (size_t i = 0; i < parts->n_jobs; i++)
        for (const struct setting *own = parts->jobs[i]->settings; own && own->key; own++)
            n++;
    n += parts->n_jobs * (GUARD_SETTINGS + 1);
    all = calloc(1, n * sizeof *all + parts->n_jobs * SECTION_SIZE);
    if (!all)
        return err_nomem(err);
    sections = (char *)(all + n);
    memcpy(all, runner_settings, runner_settings_count * sizeof *all);
    memcpy(all + runner_settings_count, parts->rules, parts->n_rules * sizeof *all);
    n = runner_settings_count + parts->n_rules;
    for (size_t i = 0; i < parts->n_jobs; i++)
        for (const struct setting *own = parts->jobs[i]->settings; own && own->key; own++)
            if (!(own->option & OPTION_ONLY))
                all[n++] = *own;
    for (size_t i = 0; i < parts->n_jobs; i++) {
        job_section(parts->jobs[i], sections, SECTION_SIZE);
        all[n] = every_setting;
        all[n++].section = sections;
        for (size_t j = 0; parts->jobs[i]->kind == JOB_CHANGE && j < GUARD_SETTINGS; j++) {
            all[n] = guard_settings[j];
            all[n++].section = sections;
        }
        sections += SECTION_SIZE;
    }
    *ret = (struct registry){.jobs = parts->jobs,
                             .n_jobs = parts->n_jobs,
                             .undo = parts->undo,
                             .settings = all,
                             .n_settings = n,
                             .promises = parts->promises,
                             .n_promises = parts->n_promises,
                             .conditions = parts->conditions,
                             .n_conditions = parts->n_conditions};
    *ret_settings = all;
    return ERR_OK;
}

enum err_code cli_load_conf(struct cli *cli, struct err *err)
{
    size_t n = opt_count(&cli->opts, "set");
    const char **sets = calloc(n ? n : 1, sizeof *sets);
    struct conf_source source = {opt_text(&cli->opts, "config"), sets, n};
    enum err_code code;

    if (!sets)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++)
        sets[i] = opt_nth(&cli->opts, "set", i);
    code = conf_load(&cli->conf, cli->registry.settings, cli->registry.n_settings, &source, err);
    free(sets);
    return code;
}

/* The options of the command and, where it takes them, of all jobs. */
static enum err_code finish_opts(struct cli *cli, const struct command *command, struct err *err)
{
    size_t n_jobs = command->job_options ? cli->registry.n_jobs : 0;
    const struct opt **tables = calloc(n_jobs + 1, sizeof *tables);
    struct opt **own = calloc(n_jobs + 1, sizeof *own);
    size_t n = 0;
    enum err_code code = tables && own ? ERR_OK : err_nomem(err);

    if (code == ERR_OK && command->options)
        tables[n++] = command->options;
    for (size_t i = 0; code == ERR_OK && i < n_jobs; i++) {
        own[i] = job_option_table(cli->registry.jobs[i]);
        if (!own[i])
            code = err_nomem(err);
        tables[n++] = own[i];
    }
    if (code == ERR_OK)
        code = opts_finish(&cli->opts, tables, n, err);
    cli->own_options = own;
    free(tables);
    return code;
}

static enum err_code unknown_command(const char *word, struct err *err)
{
    const char *names[COUNT(commands)];
    const char *near;

    for (size_t i = 0; i < COUNT(commands); i++)
        names[i] = commands[i]->name;
    near = nearest_word(word, names, COUNT(names));
    err_set(err, ERR_USAGE, "there is no command \"%s\"", word);
    if (near)
        err_hint(err, "did you mean \"%s\"?", near);
    else
        err_hint(err, "run \"lapse help\"");
    return err->code;
}

static enum err_code choose_command(struct cli *cli, const struct command **ret, struct err *err)
{
    const char *word = cli->opts.command;

    if (!word && opt_flag(&cli->opts, "help"))
        word = "help";
    if (!word) {
        err_set(err, ERR_USAGE, "no command was given");
        err_hint(err, "run \"lapse help\"");
        return err->code;
    }
    *ret = command_find(word);
    return *ret ? ERR_OK : unknown_command(word, err);
}

static enum err_code do_command(struct cli *cli, int argc, char **argv, struct err *err)
{
    const struct command *command = NULL;
    enum err_code code = opts_begin(&cli->opts, global_options, argc, argv, err);

    if (code == ERR_OK)
        code = choose_command(cli, &command, err);
    if (code == ERR_OK)
        code = finish_opts(cli, command, err);
    if (code != ERR_OK)
        return code;
    cli->json = opt_flag(&cli->opts, "json");
    cli->verbose = opt_flag(&cli->opts, "verbose");
    cli->quiet = opt_flag(&cli->opts, "quiet");
    if (cli->verbose && cli->quiet)
        return err_set(err, ERR_USAGE, "-v and -q exclude each other");
    if (opt_flag(&cli->opts, "help")) {
        help_command(command, stdout);
        return ERR_OK;
    }
    if (command->needs_conf) {
        code = cli_load_conf(cli, err);
        if (code != ERR_OK)
            return code;
        cli->deadline = deadline_in(conf_seconds(cli->conf, "database", "deadline"));
        code = deadline_watch(&cli->deadline, err);
    }
    return code == ERR_OK ? command->run(cli, err) : code;
}

int cli_main(const struct parts *parts, int argc, char **argv)
{
    _cleanup_err_ struct err err = {0};
    _cleanup_free_ struct setting *settings = NULL;
    struct cli cli = {0};
    enum err_code code;

    open_standard(&cli);
    setlocale(LC_CTYPE, "C.UTF-8"); /* widths on a terminal; no other category is ever set */
    code = signals_install(&err);
    if (code == ERR_OK)
        code = collect(parts, &cli.registry, &settings, &err);
    if (code == ERR_OK)
        code = do_command(&cli, argc, argv, &err);
    if (code == ERR_OK)
        code = cli_flush(&cli, &err);
    if (code != ERR_OK && !cli.told)
        cli_error(&cli, &err);
    conf_free(cli.conf);
    opts_done(&cli.opts);
    for (size_t i = 0; cli.own_options && cli.own_options[i]; i++)
        free(cli.own_options[i]);
    free(cli.own_options);
    return err_status(&err);
}
