/* The tables' version: see migrate.h. */
#define _GNU_SOURCE
#include "migrate.h"

#include <inttypes.h>
#include <string.h>

#include "ban.h"

static enum err_code version_inside(struct db *db, int64_t *ret, struct err *err)
{
    int64_t present = 0;
    enum err_code code = db_ints(db, &sql_schema_present, NULL, 1, &present, err);

    *ret = 0;
    if (code == ERR_OK && present)
        code = db_ints(db, &sql_schema_newest, NULL, 1, ret, err);
    return code;
}

enum err_code schema_version(struct db *db, int64_t *ret, struct err *err)
{
    enum err_code code = db_begin(db, DB_SNAPSHOT, err);

    if (code == ERR_OK)
        code = version_inside(db, ret, err);
    db_rollback(db);
    return code;
}

static enum err_code too_new(int64_t version, struct err *err)
{
    err_set(err, ERR_CONFIG, "the tables are of version %" PRId64 ", newer than this program's %zu",
            version, sql_migrations_count);
    err_hint(err, "install the lapse that upgraded them");
    return err->code;
}

enum err_code schema_check(struct db *db, struct err *err)
{
    int64_t version = 0;
    enum err_code code = schema_version(db, &version, err);

    if (code != ERR_OK || version == (int64_t)sql_migrations_count)
        return code;
    if (version > (int64_t)sql_migrations_count)
        return too_new(version, err);
    if (version == 0)
        err_set(err, ERR_CONFIG, "the database has no tables of lapse");
    else
        err_set(err, ERR_CONFIG,
                "the tables are of version %" PRId64 ", older than this program's %zu", version,
                sql_migrations_count);
    err_hint(err, "run \"lapse migrate\" with the owner's rights");
    return err->code;
}

static enum err_code take_missing(void *context, const struct db_row *row, struct err *err)
{
    err_set(err, ERR_NOPERM, "permission denied: %s may not %s", db_user(context), db_text(row, 0));
    err_hint(err, "\"lapse check\" lists every right that is missing; sql/roles.sql grants them");
    return err->code;
}

enum err_code rights_check(struct db *db, struct err *err)
{
    return db_run_alone(db, &sql_check_rights, NULL, take_missing, db, err);
}

/* "sql/migrations/002-product.sql" to "product". */
static void name_of(const struct sql *migration, char *buffer, size_t size)
{
    const char *base = strrchr(migration->file, '-');

    snprintf(buffer, size, "%s", base ? base + 1 : migration->file);
    buffer[strcspn(buffer, ".")] = '\0';
}

/* The product's own schema may be somebody else's work: views over other tables, say. */
static enum err_code is_adopted(struct db *db, const char *name, bool *ret, struct err *err)
{
    int64_t present = 0;
    enum err_code code;

    *ret = false;
    if (strcmp(name, "product") != 0)
        return ERR_OK;
    code = db_ints(db, &sql_schema_product_present, NULL, 1, &present, err);
    *ret = present > 0;
    return code;
}

static enum err_code apply_next(struct db *db, bool *ret_more, migrate_fn told, void *context,
                                struct err *err)
{
    const struct sql *migration;
    struct args args = {0};
    char name[64];
    int64_t version;
    bool adopted = false;
    enum err_code code = db_run(db, &sql_schema_lock, NULL, NULL, NULL, err);

    *ret_more = false;
    if (code == ERR_OK)
        code = version_inside(db, &version, err);
    if (code != ERR_OK)
        return code;
    if (version > (int64_t)sql_migrations_count)
        return too_new(version, err);
    if (version == (int64_t)sql_migrations_count)
        return ERR_OK;
    migration = sql_migrations[version];
    name_of(migration, name, sizeof name);
    code = is_adopted(db, name, &adopted, err);
    if (code == ERR_OK && !adopted)
        code = db_script(db, migration, err);
    args_int(&args, "version", version + 1);
    args_text(&args, "name", name);
    if (code == ERR_OK)
        code = db_run(db, &sql_schema_applied, &args, NULL, NULL, err);
    if (code == ERR_OK)
        told(context, version + 1, name, adopted);
    *ret_more = code == ERR_OK;
    return code;
}

enum err_code schema_migrate(struct db *db, migrate_fn told, void *context, struct err *err)
{
    bool more = true;

    while (more) {
        bool unknown;
        enum err_code code = db_begin(db, DB_CHANGE, err);

        if (code == ERR_OK)
            code = apply_next(db, &more, told, context, err);
        if (code == ERR_OK)
            code = db_commit(db, &unknown, err);
        if (code != ERR_OK) {
            db_rollback(db);
            return code;
        }
    }
    return ERR_OK;
}
