/* Why something is, or is not, due by a job, and when it will be.
 *
 *     explain(&request, &deadline, &explanation, &err)
 *     explanation_done(&explanation)
 *
 * The verdict is the job's own: its statements are run for the accounts in a transaction that is
 * rolled back, as in a dry run, and what they write into the audit is due. When it becomes due is
 * searched the same way, by running them as of later instants: first those that stand in the
 * entity's own data, then between the last that is too early and the first that is not, down to the
 * second. The words come from the steps' `explain` statements (job.h), each asked right before its
 * step, on accounts whose holds are lifted for the time, so that a hold hides no condition.
 *
 * ERR_NOINPUT: no such account or entity. ERR_USAGE: a job that changes nothing. */
#ifndef LAPSE_EXPLAIN_H
#define LAPSE_EXPLAIN_H

#include "conf.h"
#include "deadline.h"
#include "instant.h"
#include "job.h"

/* How far ahead is looked. */
enum { EXPLAIN_DAYS = 400 };

struct explain_request {
    const struct registry *registry;
    const struct conf *conf;
    const struct job *job;
    const struct instant *as_of; /* NULL: the database's clock */
    const char *accounts;        /* "{12,13}" */
    const char *entity_id;       /* of one account; NULL: all that the job would look at */
    bool when;                   /* search when it becomes due */
};

/* A condition of the rule, for one entity. `instant` is what it compares with the as-of, as
   PostgreSQL prints it, or NULL. */
struct explained_condition {
    int64_t account;
    char *entity, *entity_id, *what; /* "invitations", "12", "invitation 12" */
    char *action;                    /* what the job would do: "expire" */
    char *condition, *figure, *instant;
    bool holds;
    int64_t place; /* among the entity's: by step, then as its statement says */
};

struct explained_account {
    int64_t account;
    char *name;
    bool held;
    char *held_because, *held_until; /* until: NULL where it is to be released */
    char *set_aside;                 /* why this job sets the account aside, or NULL */
};

/* One entity: `conditions` of all that the job could do with it, an action's together. */
struct explained {
    const struct explained_condition *conditions;
    size_t n;
    const struct explained_account *account;
    bool due;          /* as of the as-of */
    bool will;         /* not due, and is `due_at` */
    bool after_others; /* will only once the jobs it waits for have run as of then */
    struct instant due_at;
    bool now, made; /* private: written by the last trial; inserted by the job itself */
};

struct explanation {
    struct instant as_of, horizon;
    struct explained *list; /* by account, entity and id, numbers as numbers */
    size_t n;
    struct explained_account *accounts;
    size_t n_accounts;
    struct explained_condition *conditions; /* of the entities */
    size_t n_conditions;
    char *refused; /* why the job decides nothing at all, or NULL */
    char *others;  /* "end-trials, downgrade-plans": whom the job waits for, or NULL */
};

enum err_code explain(const struct explain_request *request, const struct deadline *deadline,
                      struct explanation *ret, struct err *err) _must_check_;
void explanation_done(struct explanation *explanation);
#define _cleanup_explanation_ _cleanup_(explanation_done)

#endif
