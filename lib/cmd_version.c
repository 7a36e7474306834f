/* lapse version: which lapse this is, and what it stands on. */
#include "cli.h"

#include <stdio.h>

#include "sql.h"

#include "ban.h"

static enum err_code run(struct cli *cli, struct err *err)
{
    enum err_code code = operands_between(cli, 0, 0, "nothing", err);

    if (code != ERR_OK)
        return code;
    if (cli->json)
        printf("{\"version\":\"%s\",\"schema\":%zu}\n", LAPSE_VERSION, sql_migrations_count);
    else
        printf("lapse %s (tables of version %zu)\n", LAPSE_VERSION, sql_migrations_count);
    return ERR_OK;
}

const struct command command_version = {
    .name = "version",
    .operands = "",
    .summary = "print the version",
    .help = "Prints the program's version and that of the tables it works with.",
    .run = run,
};
