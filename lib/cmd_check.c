/* lapse check: a doctor. Each line says what was looked at, what was found, what to do. */
#define _GNU_SOURCE
#include "cli.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_sql.h"
#include "db.h"
#include "instant.h"
#include "migrate.h"
#include "publish.h"

#include "ban.h"

enum { SHOWN_FINDINGS = 5 };

static const struct opt options[] = {
    {"as-of", 0, "WHEN", "judge what must hold as of this instant; default: each job's last run",
     false},
    {"sql", 0, NULL, "look at the statements and the jobs' declarations only", false},
    {0},
};

/* How a look ended: fine; worth knowing; to be mended. */
enum verdict { FINE, ADVICE, WRONG };

struct doctor {
    struct cli *cli;
    struct db *db;
    enum err_code worst;  /* of what is wrong, the first */
    const char *area;     /* "rights" */
    size_t told;          /* findings of this look */
    enum verdict verdict; /* that a finding in the data has */
};

static void tell(struct doctor *doctor, enum verdict verdict, const char *advice,
                 const char *format, ...) _printf_(4, 5);

/* One line; `advice` is what to do, or NULL. */
static void tell(struct doctor *doctor, enum verdict verdict, const char *advice,
                 const char *format, ...)
{
    static const char *const words[] = {"ok", "note", "WRONG"};
    char *text;
    va_list args;

    va_start(args, format);
    text = str_vformat(format, args);
    va_end(args);
    if (doctor->cli->json) {
        json_t *line = json_pack("{s:s, s:s, s:s?, s:s*}", "area", doctor->area, "verdict",
                                 words[verdict], "found", text, "advice", advice);

        json_dumpf(line, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
        putchar('\n');
        json_decref(line);
    } else {
        printf("%-6s %-11s %s\n", words[verdict], doctor->area, text ? text : "out of memory");
        if (advice)
            printf("%-6s %-11s   %s\n", "", "", advice);
    }
    free(text);
}

static void wrong(struct doctor *doctor, enum err_code code)
{
    if (doctor->worst == ERR_OK)
        doctor->worst = code;
}

/* An error of a look that could not be taken. */
static void tell_error(struct doctor *doctor, const struct err *err)
{
    wrong(doctor, err->code);
    tell(doctor, WRONG, err->hint, "%s", err->message);
}

static void look_at_settings(struct doctor *doctor)
{
    const struct setting *setting;
    enum setting_source source;
    const char *value;
    size_t set = 0;

    doctor->area = "settings";
    for (size_t i = 0; conf_each(doctor->cli->conf, i, &setting, &value, &source); i++)
        set += source != FROM_DEFAULT;
    tell(doctor, FINE, NULL, "%s, %zu of %zu settings differ from their default",
         conf_file(doctor->cli->conf) ? conf_file(doctor->cli->conf) : "no file", set,
         doctor->cli->registry.n_settings);
    if (geteuid() == 0)
        tell(doctor, ADVICE, "let a user of its own run it: the systemd unit does",
             "lapse runs as root, and needs no such rights");
}

static void look_at_environment(struct doctor *doctor)
{
    static const char *const names[] = {"PGHOST",    "PGHOSTADDR", "PGPORT",    "PGDATABASE",
                                        "PGUSER",    "PGPASSFILE", "PGSERVICE", "PGSERVICEFILE",
                                        "PGOPTIONS", "PGSSLMODE",  "PGAPPNAME", "PGPASSWORD"};
    _cleanup_sb_ struct strbuf set = {0};

    for (size_t i = 0; i < COUNT(names); i++)
        if (getenv(names[i]))
            sb_addf(&set, "%s%s", set.len ? ", " : "", names[i]);
    if (set.len)
        tell(doctor, ADVICE, "cron and systemd do not have them: say it in [database] conninfo",
             "the environment says %s, which libpq obeys", sb_text(&set));
}

static enum err_code look_at_connection(struct doctor *doctor, struct err *err)
{
    const char *conninfo = conf_text(doctor->cli->conf, "database", "conninfo");
    int version;
    enum err_code code;

    doctor->area = "connection";
    code = db_open(&doctor->db, conninfo, &doctor->cli->deadline, err);
    if (code != ERR_OK)
        return code;
    version = db_server_version(doctor->db);
    tell(doctor, FINE, NULL, "PostgreSQL %d.%d, database %s as %s on %s", version / 10000,
         version % 10000, db_name(doctor->db), db_user(doctor->db), db_host(doctor->db));
    if (version < 150000)
        tell(doctor, ADVICE, NULL, "lapse is tested on PostgreSQL 15 and later");
    look_at_environment(doctor);
    return ERR_OK;
}

static enum err_code look_at_schema(struct doctor *doctor, struct err *err)
{
    enum err_code code;

    doctor->area = "schema";
    code = schema_check(doctor->db, err);
    if (code == ERR_OK)
        tell(doctor, FINE, NULL, "the tables are of version %zu, as they should be",
             sql_migrations_count);
    return code;
}

static void tell_misfit(void *context, const char *text)
{
    struct doctor *doctor = context;

    doctor->told++;
    wrong(doctor, ERR_CONFIG);
    tell(doctor, WRONG, "the tables differ from what the statement needs: compare sql/migrations",
         "%s", text);
}

static void look_at_sql(struct doctor *doctor)
{
    _cleanup_err_ struct err err = {0};
    size_t statements = 0;

    doctor->area = "sql";
    doctor->told = 0;
    if (check_sql(doctor->db, &doctor->cli->registry, tell_misfit, doctor, &statements, &err) !=
        ERR_OK)
        tell_error(doctor, &err);
    else if (!doctor->told)
        tell(doctor, FINE, NULL, "%zu statements fit the tables, and the jobs' columns fit them",
             statements);
}

static enum err_code take_missing(void *context, const struct db_row *row, _unused_ struct err *err)
{
    struct doctor *doctor = context;

    doctor->told++;
    wrong(doctor, ERR_NOPERM);
    tell(doctor, WRONG, "grant it as sql/roles.sql does, or grant lapse_runner to the user",
         "%s may not %s", db_user(doctor->db), db_text(row, 0));
    return ERR_OK;
}

static enum err_code take_granted(void *context, const struct db_row *row, _unused_ struct err *err)
{
    struct doctor *doctor = context;

    doctor->told++;
    if (doctor->told == 1)
        tell(doctor, ADVICE, "run jobs as a user that only has lapse_runner (sql/roles.sql)",
             "%s may %s: it could rewrite its own history", db_user(doctor->db), db_text(row, 0));
    return ERR_OK;
}

static void look_at_rights(struct doctor *doctor)
{
    _cleanup_err_ struct err err = {0};

    doctor->area = "rights";
    doctor->told = 0;
    if (db_run_alone(doctor->db, &sql_check_rights, NULL, take_missing, doctor, &err) != ERR_OK) {
        tell_error(doctor, &err);
        return;
    }
    if (!doctor->told)
        tell(doctor, FINE, NULL, "%s may do all that the jobs do", db_user(doctor->db));
    doctor->told = 0;
    if (db_run_alone(doctor->db, &sql_check_too_much, NULL, take_granted, doctor, &err) != ERR_OK)
        tell_error(doctor, &err);
}

static void look_at_files(struct doctor *doctor)
{
    _cleanup_err_ struct err err = {0};
    _cleanup_staging_ struct staging *staging = NULL;
    const char *dir = conf_text(doctor->cli->conf, "reports", "dir");

    doctor->area = "files";
    if (!dir)
        tell(doctor, ADVICE, "set [reports] dir, or give run --out", "no folder for the reports");
    else if (access(dir, F_OK) != 0)
        tell(doctor, ADVICE, NULL, "%s is not there yet: the first run makes it", dir);
    else if (staging_open(&staging, dir, &err) != ERR_OK)
        tell_error(doctor, &err);
    else
        tell(doctor, FINE, NULL, "reports can be published in %s", dir);
}

struct last {
    bool found;
    struct instant instant;
};

static enum err_code take_last(void *context, const struct db_row *row, _unused_ struct err *err)
{
    struct last *last = context;

    *last = (struct last){true, {db_int(row, 0)}};
    return ERR_OK;
}

static enum err_code take_finding(void *context, const struct db_row *row, _unused_ struct err *err)
{
    struct doctor *doctor = context;
    const char *account = db_text(row, 0);

    if (doctor->told++ < SHOWN_FINDINGS || doctor->cli->json)
        tell(doctor, doctor->verdict, NULL, "%s%s%s%s", account ? "account " : "",
             account ? account : "", account ? ": " : "", db_text(row, 1));
    return ERR_OK;
}

/* One query over the data, judged as of `given` or of its job's last run. */
static enum err_code ask_data(struct doctor *doctor, const struct data_check *check,
                              const struct instant *given, struct err *err)
{
    struct last last = {.found = given != NULL};
    char as_of[INSTANT_SIZE];
    struct args args = {0};
    enum err_code code = ERR_OK;

    args_text(&args, "job", check->job);
    if (given)
        last.instant = *given;
    else
        code = db_run_alone(doctor->db, &sql_check_last_period, &args, take_last, &last, err);
    if (code != ERR_OK)
        return code;
    if (!last.found) {
        tell(doctor, ADVICE, NULL, "%d: %s? Not judged: nothing was run yet", check->number,
             check->what);
        return ERR_OK;
    }
    job_args(doctor->cli->conf, instant_format(last.instant, as_of), check->job ? check->job : "",
             NULL, &args);
    doctor->told = 0;
    code = db_run_alone(doctor->db, check->sql, &args, take_finding, doctor, err);
    if (code != ERR_OK)
        return code;
    if (!doctor->told) {
        tell(doctor, FINE, NULL, "%d: %s, as of %s", check->number, check->what, as_of);
        return ERR_OK;
    }
    if (doctor->verdict == WRONG)
        wrong(doctor, ERR_STOPPED);
    tell(doctor, doctor->verdict,
         check->advice ? check->advice
                       : "run the job again: if it stays so, it is a fault of lapse",
         "%d: %s: not so in %zu case%s", check->number, check->what, doctor->told,
         doctor->told == 1 ? "" : "s");
    return ERR_OK;
}

static void look_at_data(struct doctor *doctor, const struct data_check *checks, size_t n,
                         const struct instant *given)
{
    for (size_t i = 0; i < n; i++) {
        _cleanup_err_ struct err err = {0};

        if (ask_data(doctor, &checks[i], given, &err) != ERR_OK)
            tell_error(doctor, &err);
    }
}

static enum err_code examine(struct doctor *doctor, const struct instant *as_of, struct err *err)
{
    const struct registry *registry = &doctor->cli->registry;
    bool sql_only = opt_flag(&doctor->cli->opts, "sql");
    enum err_code code = look_at_connection(doctor, err);

    if (code == ERR_OK)
        code = look_at_schema(doctor, err);
    if (code != ERR_OK)
        return code; /* without these nothing else can be looked at */
    look_at_sql(doctor);
    if (sql_only)
        return ERR_OK;
    look_at_rights(doctor);
    look_at_files(doctor);
    doctor->area = "promise";
    doctor->verdict = WRONG;
    look_at_data(doctor, registry->promises, registry->n_promises, as_of);
    doctor->area = "data";
    doctor->verdict = ADVICE;
    look_at_data(doctor, registry->conditions, registry->n_conditions, as_of);
    return ERR_OK;
}

static enum err_code run(struct cli *cli, struct err *err)
{
    struct doctor doctor = {.cli = cli};
    const char *when = opt_text(&cli->opts, "as-of");
    struct instant as_of;
    enum err_code code = operands_between(cli, 0, 0, "nothing", err);

    if (code == ERR_OK && when)
        code = instant_parse(when, "--as-of", &as_of, err);
    if (code != ERR_OK)
        return code;
    look_at_settings(&doctor);
    code = examine(&doctor, when ? &as_of : NULL, err);
    if (code != ERR_OK)
        tell(&doctor, WRONG, err->hint, "%s", err->message);
    db_close(doctor.db);
    if (code == ERR_OK && doctor.worst != ERR_OK)
        code = err_set(err, doctor.worst, "what is marked WRONG is to be mended");
    return code;
}

const struct command command_check = {
    .name = "check",
    .operands = "",
    .summary = "look at settings, connection, rights, tables, files and data",
    .help =
        "Looks at everything a run needs and says of each what was found and what to do; then\n"
        "whether what must hold after every run does hold, as of each job's last run, and what\n"
        "in the data is not as the rules expect. Changes no data. Its status is that of the\n"
        "first thing that is wrong; notes do not count.",
    .options = options,
    .needs_conf = true,
    .run = run,
};
