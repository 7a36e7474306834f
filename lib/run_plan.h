/* What run_plan.c, which carries a plan out, and run_plan_done.c, which knows what has been done of
   it, share. */
#ifndef LAPSE_RUN_PLAN_H
#define LAPSE_RUN_PLAN_H

#include "run_internal.h"

struct plan_run {
    int64_t run_id;
    size_t job; /* in plan->jobs, and so in pass->runs */
    bool all_done;
};

struct applying {
    const struct plan *plan;
    bool *left;    /* per account: has moved on, so nothing more is done there */
    bool *differs; /* per account: of the range being compared */
    bool *done;    /* per job and account: its lines stand, by an earlier attempt */
    struct plan_run *runs;
    size_t n_runs, n_left, n_rows, n_done;
    int64_t from, to;            /* the batch: behind this account, up to that */
    struct refusals_mark before; /* what was refused before it */
    struct refusals *refusals;   /* per job: of what is tried first */
    bool moved;                  /* the batch was given up because of what it would change */
    struct strbuf accounts;
};

/* Whether the job's lines of an account (its place in plan->accounts) stand already. */
bool *plan_done_of(const struct applying *applying, size_t job, size_t account);

/* The plan's runs in the order of its jobs, as an array literal: those that there were, and those
   of this pass; what is tried before it is changed has the numbers -1, -2, ..., which no ledger
   gives. */
enum err_code plan_list_runs(const struct pass *pass, bool trying, struct strbuf *ret,
                             struct err *err) _must_check_;

/* Counts what has moved on, and tells the observer; `context` is the pass. */
enum err_code plan_tell_drift(void *context, const struct plan_drift *what,
                              struct err *err) _must_check_;

#endif
