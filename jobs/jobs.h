/* What every job's file needs, and the list of jobs. */
#ifndef LAPSE_JOBS_H
#define LAPSE_JOBS_H

#include "job.h"

/* What every reader of a report for a past date must know. */
#define NOTE_PAST                                                                                \
    "Names, roles, seats and period ends are those of the day the report was made; the past of " \
    "these is not kept. Licenses, memberships and activity are those of the as-of."

extern const struct job job_undo; /* of the command, not of the night */

#define JOB(name) extern const struct job job_##name;
#include "jobs.def"
#undef JOB

#endif
