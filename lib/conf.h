/* Settings: what the operator may turn, each written down once.
 *
 * A setting is a row of data (struct setting): section, key, type, default, range and help. The
 * runner's own are in conf.def; the program adds those of the rules and of its jobs. From these
 * rows come the parser, `lapse conf`, `lapse conf --sample` and the README's table.
 *
 * A value comes from, later wins: default, file, environment (LAPSE_SECTION_KEY: upper case, every
 * other character an underscore), --set SECTION.KEY=VALUE. Values are judged whole, when they are
 * loaded: what is wrong in a file is ERR_CONFIG with `file:line: [section] key`, a hint, and for an
 * unknown name the nearest known one. Names that start with LAPSE_ are settings, save LAPSE_CONFIG
 * and LAPSE_TEST_*; another one is ERR_CONFIG too. Secrets are not settings: a text that holds a
 * password is refused wherever it comes from, and never shown.
 *
 * iniparser reads the file; a strict scan of ours stands before it, refuses what iniparser would
 * misread, and holds it to the rest. That happens in a short-lived child, since iniparser 4.1 dies
 * where memory is short: conf_load forks once, and belongs before any thread.
 */
#ifndef LAPSE_CONF_H
#define LAPSE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"

enum setting_type {
    SETTING_TEXT,     /* any text without control characters */
    SETTING_INT,      /* whole number within [min, max]; no leading zero, no sign but '-' */
    SETTING_BOOL,     /* "yes" or "no" */
    SETTING_DURATION, /* number, one space, s|min|h|d; within [min, max] seconds */
    SETTING_CHOICE,   /* one of `choices` ("fallback|override") */
    SETTING_LIST,     /* one or more different ones of `choices`, separated by commas */
    SETTING_PATH,     /* an absolute path */
    SETTING_MONTH,    /* "2026-10" */
};

/* How a job's own setting serves as an option of `lapse run`: apply_renewals is --apply-renewals, a
   yes-or-no one takes no value. Without any of these, a value that is not the setting's gives
   another view of the data, which is written only where --out says. */
enum setting_option {
    OPTION_ORDER = 1, /* something this run is told to do: its report is published as ever */
    OPTION_NONE = 2,  /* no option, only a setting */
    OPTION_ONLY = 4,  /* no setting, only an option */
    OPTION_FILE = 8, /* as an option one file, looked for from the working directory; as a setting a
                        pattern that files fit */
};

struct setting {
    const char *section; /* "reports", "job.activity-report" */
    const char *key;
    enum setting_type type;
    const char *fallback; /* the default, as it would be written; NULL: not set */
    int64_t min, max;     /* SETTING_INT, SETTING_DURATION */
    const char *choices;  /* SETTING_CHOICE, SETTING_LIST */
    const char *help;     /* one sentence, for the sample and the README */
    unsigned option;      /* of a job's own: a set of enum setting_option */
};

/* Where a value came from. */
enum setting_source { FROM_DEFAULT, FROM_FILE, FROM_ENVIRONMENT, FROM_COMMAND_LINE };

struct conf;

struct conf_source {
    const char *file;        /* NULL: LAPSE_CONFIG, else LAPSE_SYSCONFDIR "/lapse/lapse.ini" where
                                it exists, else none (defaults alone) */
    const char *const *sets; /* of --set: "section.key=value" */
    size_t n_sets;
};

/* `settings` is the whole list, borrowed for the life of the conf. ERR_CONFIG for a fault of file,
   environment or value, ERR_USAGE for a malformed or doubled --set, ERR_NOMEM, and ERR_INTERNAL for
   a list that names a setting twice or holds a bad default. */
enum err_code conf_load(struct conf **ret, const struct setting *settings, size_t n_settings,
                        const struct conf_source *source, struct err *err) _must_check_;
void conf_free(struct conf *conf); /* NULL is nothing */
void conf_freep(struct conf **conf);
#define _cleanup_conf_ _cleanup_(conf_freep)

/* The runner's own settings, from conf.def. */
extern const struct setting runner_settings[];
extern const size_t runner_settings_count;

/* The file that was read, or NULL. */
const char *conf_file(const struct conf *conf);

/* Value of a setting that exists (asking for another is a programming error: abort). Text, choice,
   list and path as they were written, NULL where not set; borrowed. */
const char *conf_text(const struct conf *conf, const char *section, const char *key);
int64_t conf_int(const struct conf *conf, const char *section, const char *key);
bool conf_bool(const struct conf *conf, const char *section, const char *key);
int64_t conf_seconds(const struct conf *conf, const char *section, const char *key);
bool conf_is_set(const struct conf *conf, const char *section, const char *key);

/* Judges one value as the loader does, for options that stand for a setting. `place` names it in
   the message ("--window"); the code is `code`. */
enum err_code setting_judge(const struct setting *setting, const char *value, const char *place,
                            enum err_code code, struct err *err) _must_check_;

/* Duration as seconds, of a text that was judged. */
int64_t duration_seconds(const char *text);

bool setting_section_exists(const struct setting *settings, size_t n, const char *section);

/* ERR_CONFIG for a section, or a key in one (else NULL), that is none of `settings`; the hint
   names the nearest. */
enum err_code setting_unknown(const struct setting *settings, size_t n, const char *section,
                              const char *key, struct err *err);

/* What keeps `text` from being plain text, to follow its name in a message ("is not valid UTF-8",
   "holds a control character"), or NULL. A tab is a control character unless allowed. */
const char *text_fault(const char *text, size_t len, bool allow_tab);

/* Writes what a setting takes, in words ("a whole number from 1 to 9"), to `out`: for `lapse conf
   --sample` and the README. */
void setting_describe(const struct setting *setting, struct strbuf *out);

/* The n-th setting with its value and source, in the order of the list; false behind the last. */
bool conf_each(const struct conf *conf, size_t n, const struct setting **ret_setting,
               const char **ret_value, enum setting_source *ret_source);

/* A commented file of all settings with their defaults (`lapse conf --sample`) to `out`. */
void conf_sample(const struct setting *settings, size_t n_settings, FILE *out);

#endif
