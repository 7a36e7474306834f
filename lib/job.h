/* A job: one struct of data that says what is due, how it is changed and what is reported.
 *
 * The runner (run.h) does everything else. A job needs no code of its own: its rules are
 * statements in sql/<name>/, its columns a table in its file. What the runner gives to every
 * statement, by name:
 *
 *   as_of                    the instant judged by (timestamptz)
 *   job, run_id, batch_no    who changes
 *   accounts                 bigint[], or NULL for all (--account)
 *   from_account, from_id    a batch: keys behind (account, id) ...
 *   to_account, to_id        ... up to and with (account, id)
 *   batch_rows               cut: about how many due rows a piece has
 *   run_ids, as_ofs          reports of changes: the runs of the date, and their as-of each
 *   every setting of [rules], and of the job's own section, by its key
 */
#ifndef LAPSE_JOB_H
#define LAPSE_JOB_H

#include "args.h"
#include "conf.h"
#include "input.h"
#include "report.h"
#include "sql.h"

enum job_kind {
    JOB_CHANGE,  /* changes the product's data, and reports what it changed */
    JOB_REPORT,  /* only reads */
    JOB_CLEANUP, /* comes after the reports: removes what is past its time */
};

/* One statement of a change. It gives one row: `changed`, how many rows it wrote into the audit,
   and `torn`, how many events it could only write in part because somebody else was faster (the
   batch is then tried again). `repeat`: until it changes nothing. `unaudited`: what it writes has
   no audit row (snapshots, what is purged), is told as `recorded`, and may be done twice.

   `explain`, or NULL: asked right before the step for `lapse explain`, a row for each condition of
   each entity: (account_id, entity, entity_id, what, action, condition, holds, figure, instant,
   place: of the condition among those of the action). entity and entity_id are those of the audit,
   or the beginning of its id up to a `/`. It lists what the step would look at, or what `asked`
   names (an entity_id, or the beginning of one). */
struct job_step {
    const struct sql *sql;
    bool repeat, unaudited;
    const struct sql *explain;
};

/* A job that must not have failed before this one; where `when` is given ("apply_renewals=yes"),
   only where that job's option has this value. */
struct job_wait {
    const char *job, *when;
};

enum { JOB_STEPS = 10, JOB_WAITS = 10, JOB_NOTES = 4, INPUT_STEPS = 8 };

/* CSV files that a change job takes in before it changes anything. Which: its own setting `input`
   (a pattern) or the option --input (one file); how they are to be read: the settings that input.h
   lists. One file is one transaction: its rows are copied into a temporary table, judged whole,
   loaded. A file is known by its SHA-256; one that was taken in before is passed over, or refused
   where it was asked for by name; the job's own setting `force` takes it in again.

   What every statement may name besides what all may: `file`, `sha` (its SHA-256), `bytes`,
   `lines`, `repeats` (lines whose key may have come before), and of each column `at_<field>` and
   `heading_<field>`, its place in the file. */
struct job_input {
    const struct input_column *columns;
    const char *tolerance; /* the setting of [rules] with the number of bad lines to put up with */
    const struct sql *alike; /* (files): how many of this size were taken in before */
    const struct sql
        *known;             /* (run_id): of the one with this SHA-256; no row where there is none */
    const struct sql *mine; /* (files): whether this run took `file` in before it was killed */
    const struct sql *stage[INPUT_STEPS]; /* make the temporary tables the others speak of */
    /* COPY of line, the columns in their order, whether the key may have come before, at, heading,
       reason. A bad line has the last three alone. */
    const struct sql *copy;
    const struct sql *judge[INPUT_STEPS]; /* mark further bad lines; (marked) */
    const struct sql *bad; /* (bad, line, at, heading, reason): how many there are, and the first */
    /* Take in what is good, and drop the temporary tables. A row of counts, or none: their names
       and values are told. */
    const struct sql *load[INPUT_STEPS];
    /* In a dry run the report is made behind the steps, where an input is set, or this option has
       this value ("apply_renewals=yes"). */
    const char *changes_when;
};

struct job {
    const char *name;    /* "expire-invitations" */
    const char *title;   /* of its report: "Expired invitations" */
    const char *summary; /* one line for `lapse jobs` */
    const char *rules;   /* what it decides, in plain words, for `lapse help JOB` */
    enum job_kind kind;

    struct job_wait waits_for[JOB_WAITS];

    /* looked_at, skipped: one row; skipped_because explains the second. `of_all`, where what is
       looked at is no measure for what is changed: what the guard takes its percent of. */
    const struct sql *candidates;
    const char *skipped_because;

    /* What has to be asked of the DNS before anything is decided: rows (account_id, domain, name),
       by name: of `name` the TXT records are asked for, once for all its rows. A page of about
       `page_rows` rows behind `after_name` (NULL at first), with all rows of its last name.
       `answers` keeps what came, under the run_id: it is given `answers`, a JSON array of objects
       (account_id, domain, outcome: see dns.h, texts), in parts of bounded size, and must bear to
       be given one twice. Whoever decides on answers reads those of its own run_id. Asked in every
       run (and again where it is resumed) before anything is counted; in a dry run for each range
       of accounts, and forgotten with it. Both or none. */
    const struct sql *questions, *answers;

    /* A row (account_id, reason) stops the run before it changes anything: the data make no sense.
       Or NULL. */
    const struct sql *refuse;

    /* A row (reason) stops the run unless --allow-incomplete: what it has to read for a past as-of
       is gone. It is then told on the sheet `Run`. Or NULL. */
    const struct sql *gone;

    /* A row (account_id) where accounts depend on each other: what a job before this one takes from
       one, another may get. What tries both then takes all accounts at once. Or NULL. */
    const struct sql *entangled;

    const struct job_input *input; /* files it takes in first; or NULL */

    /* Change jobs: what is due, cut into pieces, of which batches are made (account_id, id,
       due_so_far, due, changes: how much of what is due is a change, which the guard counts);
       accounts that break the model (account_id, reason), or NULL; the statements, in order. */
    const struct sql *cut;
    const struct sql *set_aside;
    struct job_step steps[JOB_STEPS];
    /* What the steps have written, by the entities that `explain` tells of: (account_id, entity,
       entity_id, made); NULL: as the audit has it. */
    const struct sql *written;

    const struct report_table *tables; /* ended by one without columns; NULL: no report */
    /* Its report shows how things stand, not what was changed: it may have several tables, and in a
       dry run it shows the state before. */
    bool reports_state;
    /* Rows (label, value) for the sheet `Summary`: a count, or an amount with decimals; or NULL. */
    const struct sql *figures;
    const char *notes[JOB_NOTES]; /* what a reader of its report must know, on the sheet `Run` */
    bool unforeseen;      /* what it is given nobody knows beforehand: a forecast leaves it out */
    bool retires_reports; /* JOB_CLEANUP: also sets of reports older than [reports] retention */

    /* Settings of [job.NAME], ended by one without key; each is an option --key as well. */
    const struct setting *settings;
};

/* A query over the data that returns a row (account_id, finding) for everything wrong. */
struct data_check {
    int number;
    const char *job;  /* whose last run it is judged as of; NULL: the last of all */
    const char *what; /* "no pending invitation is overdue" */
    const struct sql *sql;
    const char *advice; /* what to do about a finding; NULL: run the job again */
};

/* What the program is made of; filled by jobs/main.c. */
struct registry {
    const struct job *const *jobs; /* in the order of a nightly run */
    size_t n_jobs;
    const struct job *undo;         /* run by a command, not by name */
    const struct setting *settings; /* all: the runner's, the rules', the jobs' */
    size_t n_settings;
    const struct data_check *promises; /* hold after every run */
    size_t n_promises;
    const struct data_check *conditions; /* of the data; told, nobody's fault */
    size_t n_conditions;
};

const struct job *job_find(const struct registry *registry, const char *name);

const char *job_kind_name(enum job_kind kind); /* "change", "report", "cleanup" */

/* What every statement over the product's data may name: as-of, job, accounts (an array literal,
   NULL for all), an open range and the settings of [rules]. Borrows everything. */
void job_args(const struct conf *conf, const char *as_of, const char *job, const char *accounts,
              struct args *args);

/* A range of keys (account, id), without its first and with its last. */
#define KEY_MAX INT64_MAX
void args_range(struct args *args, int64_t from_account, int64_t from_id, int64_t to_account,
                int64_t to_id);

/* The name of the option that stands for a job's own setting: apply-renewals for apply_renewals. */
enum { OPTION_NAME_SIZE = 48 };
void job_option_name(const struct setting *setting, char buffer[static OPTION_NAME_SIZE]);

/* What every job has in its own section, its section left to be filled in. */
extern const struct setting every_setting;

/* The settings of every change job's guard, their section left to be filled in. */
enum { GUARD_SETTINGS = 4, SECTION_SIZE = 64 };
extern const struct setting guard_settings[GUARD_SETTINGS];

/* The job's own section, "job.<name>", into a buffer. */
void job_section(const struct job *job, char *buffer, size_t size);

#endif
