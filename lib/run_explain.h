/* What the parts of an explanation share: run_explain.c leads and tries, explanation.c keeps what
   is told, explain_when.c looks for the instant. */
#ifndef LAPSE_RUN_EXPLAIN_H
#define LAPSE_RUN_EXPLAIN_H

#include "explain.h"
#include "run_internal.h"

struct explainer {
    const struct explain_request *request;
    struct explanation *out;
    struct invocation inv;
    struct pass pass;   /* its runs: those the job waits for, in nightly order, then the job */
    struct asked asked; /* what the DNS said, once */
    size_t size;        /* of out->conditions */
    int64_t step;       /* whose explanation is taken */
};

/* What a trial is for. */
enum trial {
    TRIAL_WORDS,   /* as of now: the conditions, holds or not */
    TRIAL_VERDICT, /* what the job writes */
    TRIAL_NIGHT,   /* what it writes after the jobs it waits for */
};

/* Sets `now` of each entity: whether the job would take it as of the instant. */
enum err_code explain_try(struct explainer *x, int64_t seconds, enum trial trial,
                          struct err *err) _must_check_;

/* Sets `will` and `due_at` of what is not due: by the job alone; then, for what it would never
   take, after the jobs it waits for. */
enum err_code explain_when(struct explainer *x, struct err *err) _must_check_;

/* Rows, for db_run: an account (context: the explanation), a condition of the step (the explainer),
   an account set aside and what the job has written (the explanation). */
enum err_code explanation_take_account(void *context, const struct db_row *row, struct err *err);
enum err_code explanation_take_condition(void *context, const struct db_row *row, struct err *err);
enum err_code explanation_take_aside(void *context, const struct db_row *row, struct err *err);
enum err_code explanation_take_written(void *context, const struct db_row *row, struct err *err);

/* What the database refuses is set aside as well. */
enum err_code explanation_take_refusals(const struct explanation *out,
                                        const struct refusals *refusals,
                                        struct err *err) _must_check_;

/* The conditions of each entity together; the entities in the order of their keys, as texts. */
enum err_code explanation_group(struct explanation *out, struct err *err) _must_check_;

/* Drops what the job's own steps have made in the trial: it was not there to be explained. */
void explanation_forget_made(struct explanation *out);

/* In the order people read: ids that are numbers by their value. Nothing is found behind it. */
void explanation_sort(struct explanation *out);

#endif
