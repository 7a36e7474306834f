/* What every job's file needs, and the list of jobs. */
#ifndef LAPSE_JOBS_H
#define LAPSE_JOBS_H

#include "job.h"

#define JOB(name) extern const struct job job_##name;
#include "jobs.def"
#undef JOB

#endif
