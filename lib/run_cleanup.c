/* What comes after the reports: the clean-up jobs. */
#define _GNU_SOURCE
#include "run_internal.h"

#include "ban.h"

void run_clean_up(struct pass *pass, struct run *run)
{
    _cleanup_err_ struct err err = {0};

    if (!run->applied)
        run_change(pass, run);
    if (run->state == RUN_FAILED)
        return;
    if (run->job->retires_reports && run_retire_reports(pass, run, &err) != ERR_OK) {
        err_move(&run->err, &err);
        run_fail(pass, run);
        return;
    }
    run_finish(pass, run);
}

enum err_code run_retire_reports(struct pass *pass, struct run *run, struct err *err)
{
    (void)pass;
    (void)run;
    (void)err;
    return ERR_OK;
}
