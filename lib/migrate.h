/* The tables: which version they are of, and how they are brought up to the program's. */
#ifndef LAPSE_MIGRATE_H
#define LAPSE_MIGRATE_H

#include "db.h"

/* The newest migration that was applied; 0 where there are no tables. */
enum err_code schema_version(struct db *db, int64_t *ret, struct err *err) _must_check_;

/* ERR_CONFIG, with what to do, unless the tables are of this program's version. */
enum err_code schema_check(struct db *db, struct err *err) _must_check_;

/* ERR_NOPERM or ERR_CONFIG where a right or a table is missing that jobs need: asked before
   anything is changed. */
enum err_code rights_check(struct db *db, struct err *err) _must_check_;

/* Applies what is missing, each migration in a transaction of its own, one process at a time.
   `told` hears of each: its number, its name, and whether it was skipped because somebody else's
   schema saas is there already. A newer version is ERR_CONFIG. */
typedef void (*migrate_fn)(void *context, int64_t version, const char *name, bool adopted);
enum err_code schema_migrate(struct db *db, migrate_fn told, void *context,
                             struct err *err) _must_check_;

#endif
