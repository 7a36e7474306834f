/* lapse verify: published files against their manifest and the ledger; the audit chain. */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "manifest.h"
#include "migrate.h"
#include "row_json.h"
#include "terminal.h"

#include "ban.h"

static const struct opt options[] = {
    {"audit", 0, NULL, "digest every change anew and compare with the chain", false},
    {0},
};

/* What does not fit, one line each: a file of a set, or a run of the audit. */
struct findings {
    const struct cli *cli;
    struct text_table table;
    size_t n;
};

static const struct text_column file_columns[] = {{"file", false}, {"finding", false}};
static const struct text_column run_columns[] = {{"run", true}, {"finding", false}};

static void add_finding(struct findings *findings, const char *key, json_t *subject,
                        const char *subject_text, const char *finding)
{
    _cleanup_err_ struct err ignored = {0};

    findings->n++;
    if (findings->cli->json) {
        json_t *line = json_pack("{s:o, s:s}", key, subject, "finding", finding);

        if (json_line(line, &ignored) != ERR_OK)
            err_done(&ignored); /* stdout is looked at when the command ends */
        return;
    }
    json_decref(subject);
    text_table_cell(&findings->table, subject_text);
    text_table_cell(&findings->table, finding);
}

static void on_run(void *context, int64_t run_id, const char *finding)
{
    char number[NUMBER_SIZE];

    snprintf(number, sizeof number, "%" PRId64, run_id);
    add_finding(context, "run", run_id ? json_integer(run_id) : json_null(), run_id ? number : NULL,
                finding);
}

static void on_file(void *context, const char *name, enum set_difference what, const char *detail)
{
    _cleanup_free_ char *finding = NULL;

    if (what == SET_UNKNOWN)
        finding = strdup("is not in the manifest");
    else if (what == SET_MISSING)
        finding = strdup("is missing");
    else
        finding = str_format("was changed: %s", detail ? detail : "other bytes");
    add_finding(context, "file", json_string(name), name, finding ? finding : "?");
}

static void print_findings(struct findings *findings)
{
    if (findings->n && !findings->cli->json)
        text_table_print(&findings->table, stdout);
}

static enum err_code open_db(struct cli *cli, struct db **ret, struct err *err)
{
    enum err_code code =
        db_open(ret, conf_text(cli->conf, "database", "conninfo"), &cli->deadline, err);

    return code == ERR_OK ? schema_check(*ret, err) : code;
}

static enum err_code verify_audit(struct cli *cli, struct err *err)
{
    _cleanup_db_ struct db *db = NULL;
    struct findings findings = {.cli = cli};
    struct audit_result result = {0};
    char batches[NUMBER_SIZE], changes[NUMBER_SIZE];
    enum err_code code = open_db(cli, &db, err);

    text_table_begin(&findings.table, run_columns, COUNT(run_columns));
    if (code == ERR_OK)
        code = audit_verify(db, on_run, &findings, &result, err);
    print_findings(&findings);
    text_table_done(&findings.table);
    if (code != ERR_OK)
        return code;
    if (cli->json)
        return json_line(json_pack("{s:s, s:I, s:I, s:s}", "audit", "good", "batches",
                                   (json_int_t)result.batches, "changes",
                                   (json_int_t)result.changes, "head", result.head),
                         err);
    printf("the audit is as it was sealed: %s changes in %s batches\nhead %s\n",
           show_count(result.changes, changes), show_count(result.batches, batches), result.head);
    return ERR_OK;
}

struct ledger_check {
    struct findings *findings;
    const struct manifest *manifest;
    size_t known;
};

static enum err_code take_known(void *context, const struct db_row *row, _unused_ struct err *err)
{
    struct ledger_check *check = context;
    const char *name = db_text(row, 0);
    const struct manifest_file *file = manifest_find(check->manifest, name);

    check->known++;
    if (file && strcmp(file->sha256, db_text(row, 1)) != 0)
        add_finding(check->findings, "file", json_string(name), name,
                    "manifest and ledger name another SHA-256");
    return ERR_OK;
}

/* What the ledger says of the set: the files' digests, and that the audit had come that far. */
static enum err_code against_ledger(struct cli *cli, const char *folder,
                                    const struct manifest *manifest, struct findings *findings,
                                    struct err *err)
{
    _cleanup_db_ struct db *db = NULL;
    struct ledger_check check = {.findings = findings, .manifest = manifest};
    struct args args = {0};
    bool known = true;
    enum err_code code = open_db(cli, &db, err);

    args_text(&args, "folder", folder);
    if (code == ERR_OK)
        code = db_run_alone(db, &sql_ledger_set_files, &args, take_known, &check, err);
    if (code == ERR_OK && check.known == 0)
        cli_note(cli, "the ledger knows nothing of this folder: it is a copy, or a dry run's");
    if (code == ERR_OK && manifest->audit_head)
        code = audit_knows(db, manifest->audit_head, &known, err);
    if (code == ERR_OK && !known)
        add_finding(findings, "file", json_string(MANIFEST_NAME), MANIFEST_NAME,
                    "its audit head is not in the chain: batches are missing there, or it belongs "
                    "to another database");
    return code;
}

/* The folder as the ledger calls it: absolute, links followed. */
static enum err_code choose_folder(const struct cli *cli, char **ret, struct err *err)
{
    _cleanup_free_ char *latest = NULL;
    const char *given = cli->opts.n_operands ? cli->opts.operands[0] : NULL;
    const char *dir = conf_text(cli->conf, "reports", "dir");

    if (!given && !dir) {
        err_set(err, ERR_CONFIG, "verify: which folder?");
        err_hint(err, "name one, or set [reports] dir");
        return err->code;
    }
    if (!given && !(given = latest = str_format("%s/latest", dir)))
        return err_nomem(err);
    *ret = realpath(given, NULL);
    if (!*ret && errno == ENOMEM)
        return err_nomem(err);
    if (!*ret)
        return err_sys(err, ERR_NOINPUT, errno, "could not open \"%s\"", given);
    return ERR_OK;
}

static enum err_code read_manifest(const char *folder, struct manifest *ret, struct err *err)
{
    _cleanup_close_ int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir < 0)
        return err_sys(err, ERR_NOINPUT, errno, "could not open \"%s\"", folder);
    return manifest_read(ret, dir, folder, err);
}

static enum err_code verify_set(struct cli *cli, struct err *err)
{
    _cleanup_manifest_ struct manifest manifest = {0};
    _cleanup_free_ char *folder = NULL;
    struct findings findings = {.cli = cli};
    enum err_code code = choose_folder(cli, &folder, err);

    text_table_begin(&findings.table, file_columns, COUNT(file_columns));
    if (code == ERR_OK)
        code = read_manifest(folder, &manifest, err);
    if (code == ERR_OK)
        code = set_verify(folder, &cli->deadline, on_file, &findings, err);
    if (code == ERR_OK)
        code = against_ledger(cli, folder, &manifest, &findings, err);
    print_findings(&findings);
    text_table_done(&findings.table);
    if (code == ERR_OK && findings.n) {
        code = err_set(err, ERR_CHECKSUM, "\"%s\" is not what was published", folder);
        err_hint(err, "run the jobs again for that date, or restore the files");
    }
    if (code == ERR_OK && cli->json)
        return json_line(json_pack("{s:s, s:s, s:I, s:s}", "set", "good", "folder", folder, "files",
                                   (json_int_t)manifest.n, "as_of", manifest.as_of),
                         err);
    if (code == ERR_OK)
        printf("%s is what was published: %zu files as of %s\n", folder, manifest.n,
               manifest.as_of);
    return code;
}

static enum err_code run(struct cli *cli, struct err *err)
{
    bool audit = opt_flag(&cli->opts, "audit");
    enum err_code code = operands_between(cli, 0, audit ? 0 : 1, "a folder", err);

    if (code != ERR_OK)
        return code;
    return audit ? verify_audit(cli, err) : verify_set(cli, err);
}

const struct command command_verify = {
    .name = "verify",
    .operands = "[DIR | --audit]",
    .summary = "compare published files with their manifest, or the audit with its chain",
    .help =
        "Compares the files of a published set (default: the latest) with their manifest and\n"
        "the ledger. With --audit, digests every change of the audit anew: a row that was\n"
        "changed, removed, added or moved, and a chain whose end was cut, are named with their\n"
        "run. Status 82 where anything does not fit.",
    .options = options,
    .needs_conf = true,
    .run = run,
};
