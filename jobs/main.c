/* lapse: what the program is made of. The command line itself is lib/cli.c. */
#include "jobs.h"
#include "cli.h"

static const struct job *const jobs[] = {
#define JOB(name) &job_##name,
#include "jobs.def"
#undef JOB
};

static const struct setting rule_settings[] = {
#define SETTING(section, key, type, fallback, min, max, choices, help) \
    {section, key, type, fallback, min, max, choices, help, 0},
#include "rules.def"
#undef SETTING
};

static const struct data_check promises[] = {
#define PROMISE(number, job, what, sql) {number, job, what, &sql_##sql, NULL},
#define CONDITION(number, what, sql, advice)
#include "checks.def"
#undef PROMISE
#undef CONDITION
};

static const struct data_check conditions[] = {
#define PROMISE(number, job, what, sql)
#define CONDITION(number, what, sql, advice) {number, NULL, what, &sql_##sql, advice},
#include "checks.def"
#undef PROMISE
#undef CONDITION
};

int main(int argc, char **argv)
{
    static const struct parts parts = {
        .jobs = jobs,
        .n_jobs = COUNT(jobs),
        .undo = &job_undo,
        .rules = rule_settings,
        .n_rules = COUNT(rule_settings),
        .promises = promises,
        .n_promises = COUNT(promises),
        .conditions = conditions,
        .n_conditions = COUNT(conditions),
    };

    return cli_main(&parts, argc, argv);
}
