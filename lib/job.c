/* What can be asked of jobs: see job.h. */
#include "job.h"

#include <stdio.h>
#include <string.h>

#include "ban.h"

const struct job *job_find(const struct registry *registry, const char *name)
{
    for (size_t i = 0; i < registry->n_jobs; i++)
        if (strcmp(registry->jobs[i]->name, name) == 0)
            return registry->jobs[i];
    return NULL;
}

const char *job_kind_name(enum job_kind kind)
{
    switch (kind) {
    case JOB_CHANGE:
        return "change";
    case JOB_REPORT:
        return "report";
    case JOB_CLEANUP:
        return "cleanup";
    }
    return "?";
}

const struct setting every_setting = {
    NULL,
    "every",
    SETTING_DURATION,
    "1 d",
    60,
    31536000,
    NULL,
    "How often the job is meant to run; \"lapse status\" tells when it is late",
    OPTION_NONE};

const struct setting guard_settings[GUARD_SETTINGS] = {
    {NULL, "max_changes", SETTING_INT, "10000", 0, INT64_MAX, NULL,
     "How many due rows a run may take before it is stopped for a person to look; half of it the "
     "first time",
     OPTION_NONE},
    {NULL, "max_percent", SETTING_INT, "20", 0, 100, NULL,
     "The same as a share of all the job looks at, in percent, from 100 rows on; half of it the "
     "first time; 100: no limit",
     OPTION_NONE},
    {NULL, "surge", SETTING_INT, "10", 1, 1000000, NULL,
     "The same as a multiple of what its last runs took, by their median, from 100 rows and 5 "
     "runs on",
     OPTION_NONE},
    {NULL, "max_quarantined", SETTING_INT, "100", 0, INT64_MAX, NULL,
     "How many accounts that the database refuses a run sets aside before it fails", OPTION_NONE},
};

void job_section(const struct job *job, char *buffer, size_t size)
{
    snprintf(buffer, size, "job.%s", job->name);
}

void job_option_name(const struct setting *setting, char buffer[static OPTION_NAME_SIZE])
{
    snprintf(buffer, OPTION_NAME_SIZE, "%s", setting->key);
    for (char *c = buffer; *c; c++)
        if (*c == '_')
            *c = '-';
}

void job_args(const struct conf *conf, const char *as_of, const char *job, const char *accounts,
              struct args *args)
{
    const struct setting *setting;
    const char *value;
    enum setting_source source;

    args_text(args, "as_of", as_of);
    args_text(args, "job", job);
    args_text(args, "accounts", accounts);
    args_int(args, "run_id", 0);
    args_range(args, INT64_MIN, INT64_MIN, KEY_MAX, KEY_MAX);
    for (size_t i = 0; conf_each(conf, i, &setting, &value, &source); i++)
        if (strcmp(setting->section, "rules") == 0)
            args_text(args, setting->key, value);
}

void args_range(struct args *args, int64_t from_account, int64_t from_id, int64_t to_account,
                int64_t to_id)
{
    args_int(args, "from_account", from_account);
    args_int(args, "from_id", from_id);
    args_int(args, "to_account", to_account);
    args_int(args, "to_id", to_id);
}
