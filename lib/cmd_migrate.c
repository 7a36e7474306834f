/* lapse migrate: creates or upgrades the tables. */
#define _GNU_SOURCE
#include "cli.h"

#include <inttypes.h>

#include "db.h"
#include "migrate.h"

#include "ban.h"

struct teller {
    const struct cli *cli;
    int applied;
};

static void told(void *context, int64_t version, const char *name, bool adopted)
{
    struct teller *teller = context;

    teller->applied++;
    if (teller->cli->json)
        printf("{\"version\":%" PRId64 ",\"name\":\"%s\",\"adopted\":%s}\n", version, name,
               adopted ? "true" : "false");
    else if (adopted)
        printf("%" PRId64 " %s: left as it is, because schema saas is there already\n", version,
               name);
    else
        printf("%" PRId64 " %s: applied\n", version, name);
}

static enum err_code run(struct cli *cli, struct err *err)
{
    _cleanup_db_ struct db *db = NULL;
    struct teller teller = {.cli = cli};
    enum err_code code = operands_between(cli, 0, 0, "nothing", err);

    if (code == ERR_OK)
        code = db_open(&db, conf_text(cli->conf, "database", "conninfo"), &cli->deadline, err);
    if (code == ERR_OK)
        code = schema_migrate(db, told, &teller, err);
    if (code == ERR_OK && !teller.applied && !cli->json)
        printf("the tables are up to date (version %zu)\n", sql_migrations_count);
    return code;
}

const struct command command_migrate = {
    .name = "migrate",
    .operands = "",
    .summary = "create the tables, or bring them up to this version",
    .help =
        "Creates the schemas saas (the product's data) and lapse (the runner's own), or brings\n"
        "them up to this program's version, step by step, each in a transaction. Where schema\n"
        "saas is there already it is left as it is; \"lapse check\" says whether it fits. Run it\n"
        "as the schemas' owner; sql/roles.sql then gives the runner the rights it needs.",
    .needs_conf = true,
    .run = run,
};
