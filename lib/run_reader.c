/* Which server report jobs read: a replica that has seen the run's changes, else the primary. */
#define _GNU_SOURCE
#include "run_internal.h"

#include <poll.h>
#include <string.h>

#include "ban.h"

enum { ASK_AGAIN_MS = 100 };

struct position {
    char text[32];
};

static enum err_code take_position(void *context, const struct db_row *row,
                                   _unused_ struct err *err)
{
    struct position *position = context;

    snprintf(position->text, sizeof position->text, "%s", db_text(row, 0));
    return ERR_OK;
}

/* Waits until the replica has replayed what the primary has written; ERR_TEMP where it takes longer
   than it may. */
static enum err_code wait_replayed(struct pass *pass, struct db *reader, struct err *err)
{
    int64_t wait = conf_seconds(pass->inv->request->conf, "database", "report_wait");
    struct deadline until = deadline_in(wait);
    struct position position = {""};
    struct args args = {0};
    enum err_code code = db_run_alone(pass->inv->db, &sql_session_primary_position, NULL,
                                      take_position, &position, err);

    args_text(&args, "position", position.text);
    while (code == ERR_OK) {
        int64_t replayed = 0;

        code = db_begin(reader, DB_SNAPSHOT, err);
        if (code == ERR_OK)
            code = db_ints(reader, &sql_session_has_replayed, &args, 1, &replayed, err);
        db_rollback(reader);
        if (code == ERR_OK && replayed)
            return ERR_OK;
        if (code == ERR_OK && deadline_left_ms(&until) == 0)
            code = err_set(err, ERR_TEMP, "the replica is behind");
        if (code == ERR_OK)
            poll(NULL, 0, ASK_AGAIN_MS);
    }
    return code;
}

static bool has_reports(const struct pass *pass)
{
    for (size_t i = 0; i < pass->n; i++)
        if (pass->runs[i].state == RUN_APPLIED && pass->runs[i].job->kind == JOB_REPORT)
            return true;
    return false;
}

enum err_code run_open_reader(struct pass *pass, struct err *err)
{
    const char *conninfo = conf_text(pass->inv->request->conf, "database", "report_conninfo");
    _cleanup_err_ struct err why = {0};
    _cleanup_db_ struct db *reader = NULL;

    if (!conninfo || !*conninfo || !has_reports(pass))
        return ERR_OK;
    if (db_open(&reader, conninfo, pass->inv->deadline, &why) == ERR_OK &&
        wait_replayed(pass, reader, &why) == ERR_OK) {
        pass->inv->reader = TAKE_PTR(reader);
        return ERR_OK;
    }
    if (deadline_check(pass->inv->deadline, err) != ERR_OK)
        return err->code;
    run_tell(pass->inv, NEWS_NOTE, "reports read the primary, not the replica: %s", why.message);
    return ERR_OK;
}
