/* lapse jobs: what jobs there are, in the order of a nightly run. */
#define _GNU_SOURCE
#include "cli.h"

#include <jansson.h>
#include <stdio.h>

#include "terminal.h"

#include "ban.h"

enum { MANY = 5 };

static size_t n_waits(const struct job *job)
{
    size_t n = 0;

    while (n < JOB_WAITS && job->waits_for[n].job)
        n++;
    return n;
}

static void waits_for(const struct job *job, struct strbuf *out)
{
    for (size_t i = 0; i < JOB_WAITS && job->waits_for[i].job; i++)
        sb_addf(out, "%s%s", i ? ", " : "", job->waits_for[i].job);
}

static enum err_code run(struct cli *cli, struct err *err)
{
    static const struct text_column columns[] = {
        {"job", false}, {"kind", false}, {"what it does", false}, {"waits for", false}};
    _cleanup_text_table_ struct text_table table;
    enum err_code code = operands_between(cli, 0, 0, "nothing", err);

    text_table_begin(&table, columns, COUNT(columns));
    for (size_t i = 0; code == ERR_OK && i < cli->registry.n_jobs; i++) {
        const struct job *job = cli->registry.jobs[i];
        const char *kind = job_kind_name(job->kind);
        _cleanup_sb_ struct strbuf waits = {0};

        waits_for(job, &waits);
        if (cli->json) {
            json_t *line = json_pack("{s:s, s:s, s:s, s:s}", "job", job->name, "kind", kind,
                                     "waits_for", sb_text(&waits), "summary", job->summary);

            json_dumpf(line, stdout, JSON_COMPACT);
            putchar('\n');
            json_decref(line);
            continue;
        }
        text_table_cell(&table, job->name);
        text_table_cell(&table, kind);
        text_table_cell(&table, job->summary);
        text_table_cell(&table, n_waits(job) > MANY ? "every change job before it"
                                : waits.len         ? sb_text(&waits)
                                                    : NULL);
    }
    if (code == ERR_OK && !cli->json)
        text_table_print(&table, stdout);
    return code;
}

const struct command command_jobs = {
    .name = "jobs",
    .operands = "",
    .summary = "list the jobs",
    .help =
        "Lists the jobs in the order of a nightly run. \"lapse help JOB\" says what one decides.",
    .run = run,
};
