/* What comes after the reports: the clean-up jobs. */
#define _GNU_SOURCE
#include "run_internal.h"

#include <stdlib.h>
#include <string.h>

#include "ban.h"

/* A set that is past its retention, with its files as the ledger knows them. */
struct old_set {
    char *folder;
    char **names;
    size_t n;
};

struct old_sets {
    struct old_set *sets;
    size_t n;
};

static void old_sets_done(struct old_sets *old)
{
    for (size_t i = 0; i < old->n; i++) {
        for (size_t j = 0; j < old->sets[i].n; j++)
            free(old->sets[i].names[j]);
        free(old->sets[i].names);
        free(old->sets[i].folder);
    }
    free(old->sets);
}

static struct old_set *set_of(struct old_sets *old, const char *folder)
{
    struct old_set *grown;

    if (old->n > 0 && str_eq(old->sets[old->n - 1].folder, folder))
        return &old->sets[old->n - 1];
    grown = reallocarray(old->sets, old->n + 1, sizeof *grown);
    if (!grown)
        return NULL;
    old->sets = grown;
    grown[old->n] = (struct old_set){.folder = strdup(folder)};
    return grown[old->n].folder ? &grown[old->n++] : NULL;
}

/* Rows come folder by folder. */
static enum err_code take_file(void *context, const struct db_row *row, struct err *err)
{
    struct old_set *set = set_of(context, db_text(row, 0));
    char *name = strdup(db_text(row, 1));
    char **grown = set && name ? reallocarray(set->names, set->n + 1, sizeof *grown) : NULL;

    if (!grown) {
        free(name);
        return err_nomem(err);
    }
    set->names = grown;
    grown[set->n++] = name;
    return ERR_OK;
}

static enum err_code retire_one(struct pass *pass, struct run *run, const struct old_set *set,
                                struct err *err)
{
    _cleanup_free_ char *kept = NULL;
    struct args args = {0};
    enum err_code code = set_retire(set->folder, (const char *const *)set->names, set->n,
                                    pass->inv->deadline, &kept, err);

    if (code == ERR_OK && kept)
        run_tell(pass->inv, NEWS_NOTE, "%s: \"%s\" is kept: %s", run->job->name, set->folder, kept);
    if (code != ERR_OK || kept)
        return code;
    run_tell(pass->inv, NEWS_DETAIL, "%s: retired %s", run->job->name, set->folder);
    run->recorded += (int64_t)set->n;
    args_text(&args, "folder", set->folder);
    return db_run_alone(pass->inv->db, &sql_ledger_forget_set, &args, NULL, NULL, err);
}

/* The sets that are past [reports] retention, as the ledger knows them, in the folder that this
   pass publishes in. These stay: a set in another folder, which somebody asked for by --out; one
   that the ledger does not know; and all of them where only some accounts are purged. */
static enum err_code retire_reports(struct pass *pass, struct run *run, struct err *err)
{
    const char *retention = conf_text(pass->inv->request->conf, "reports", "retention");
    struct old_sets old = {0};
    struct args args = {0};
    enum err_code code;

    if (!retention || !pass->out || pass->accounts)
        return ERR_OK;
    args_text(&args, "out", pass->out);
    args_text(&args, "as_of", pass->as_of_text);
    args_text(&args, "retention", retention);
    code = db_run_alone(pass->inv->db, &sql_ledger_old_sets, &args, take_file, &old, err);
    for (size_t i = 0; code == ERR_OK && i < old.n; i++)
        code = retire_one(pass, run, &old.sets[i], err);
    old_sets_done(&old);
    return code;
}

void run_clean_up(struct pass *pass, struct run *run)
{
    _cleanup_err_ struct err err = {0};

    if (!run->applied)
        run_change(pass, run);
    if (run->state == RUN_FAILED)
        return;
    if (!run->job->retires_reports || retire_reports(pass, run, &err) == ERR_OK) {
        run_finish(pass, run);
        return;
    }
    err_move(&run->err, &err);
    run_fail(pass, run);
}
