/* Statements against database and declarations: see check_sql.h. */
#define _GNU_SOURCE
#include "check_sql.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ban.h"

enum { RESULT_MAX = 64 };

/* The columns of a statement's result. */
struct shape {
    size_t n;
    char names[RESULT_MAX][64], types[RESULT_MAX][16];
};

struct checker {
    struct db *db;
    misfit_fn misfit;
    void *context;
};

static void misfit(const struct checker *checker, const char *format, ...) _printf_(2, 3);

static void misfit(const struct checker *checker, const char *format, ...)
{
    char *text;
    va_list args;

    va_start(args, format);
    text = str_vformat(format, args);
    va_end(args);
    checker->misfit(checker->context, text ? text : "out of memory");
    free(text);
}

static enum err_code take_column(void *context, const char *name, const char *type,
                                 _unused_ struct err *err)
{
    struct shape *shape = context;

    if (shape->n < RESULT_MAX) {
        snprintf(shape->names[shape->n], sizeof shape->names[0], "%s", name);
        snprintf(shape->types[shape->n], sizeof shape->types[0], "%s", type);
        shape->n++;
    }
    return ERR_OK;
}

/* What a statement gives. A statement that the server refuses is a misfit, with no columns. */
static enum err_code shape_of(const struct checker *checker, const struct sql *sql,
                              struct shape *ret, struct err *err)
{
    _cleanup_err_ struct err refused = {0};
    enum err_code code = db_savepoint(checker->db, err);

    ret->n = 0;
    if (code != ERR_OK)
        return code;
    if (db_describe(checker->db, sql, take_column, ret, &refused) == ERR_OK)
        return ERR_OK;
    if (db_is_lost(checker->db) || refused.code == ERR_SIGNAL)
        return err_set(err, refused.code, "%s", refused.message);
    misfit(checker, "%s", refused.message);
    return db_back(checker->db, err);
}

static const char *type_in(const struct shape *shape, const char *name)
{
    for (size_t i = 0; i < shape->n; i++)
        if (strcmp(shape->names[i], name) == 0)
            return shape->types[i];
    return NULL;
}

/* The types a column may be fed from. */
static bool type_fits(enum column_type type, const char *result)
{
    bool whole = strcmp(result, "bigint") == 0 || strcmp(result, "integer") == 0 ||
                 strcmp(result, "smallint") == 0;

    switch (type) {
    case COL_ID:
    case COL_COUNT:
        return whole;
    case COL_DECIMAL1:
    case COL_AMOUNT:
        return whole || strcmp(result, "numeric") == 0;
    case COL_TEXT:
    case COL_DATE_NA:
        return strcmp(result, "text") == 0;
    case COL_DATE:
        return strcmp(result, "date") == 0;
    case COL_INSTANT:
        return strcmp(result, "timestamptz") == 0;
    }
    return false;
}

static void check_table(const struct checker *checker, const struct report_table *table,
                        const struct shape *shape)
{
    const char *other[] = {table->tally, table->split};

    for (const struct column *column = table->columns; column->header; column++) {
        const char *type = type_in(shape, column->field);

        if (!type)
            misfit(checker, "%s: gives no column \"%s\" for \"%s\"", table->query->file,
                   column->field, column->header);
        else if (!type_fits(column->type, type))
            misfit(checker, "%s: \"%s\" is %s, which does not fit \"%s\"", table->query->file,
                   column->field, type, column->header);
    }
    for (size_t i = 0; i < COUNT(other); i++)
        if (other[i] && !type_in(shape, other[i]))
            misfit(checker, "%s: gives no column \"%s\"", table->query->file, other[i]);
}

/* A statement whose result the runner reads by place. */
static enum err_code check_places(const struct checker *checker, const struct sql *sql,
                                  const char *const *names, size_t n, struct err *err)
{
    struct shape shape;
    enum err_code code;

    if (!sql)
        return ERR_OK;
    code = shape_of(checker, sql, &shape, err);
    for (size_t i = 0; code == ERR_OK && shape.n > 0 && i < n; i++)
        if (i >= shape.n || strcmp(shape.names[i], names[i]) != 0)
            misfit(checker, "%s: column %zu must be \"%s\"", sql->file, i + 1, names[i]);
    return code;
}

/* What the Summary sheet shows of a job: a text, and a number of either kind. */
static enum err_code check_figures(const struct checker *checker, const struct sql *sql,
                                   struct err *err)
{
    static const char *const names[] = {"label", "value"};
    static const enum column_type types[] = {COL_TEXT, COL_AMOUNT};
    struct shape shape;
    enum err_code code;

    if (!sql)
        return ERR_OK;
    code = shape_of(checker, sql, &shape, err);
    for (size_t i = 0; code == ERR_OK && shape.n > 0 && i < COUNT(names); i++)
        if (i >= shape.n || strcmp(shape.names[i], names[i]) != 0 ||
            !type_fits(types[i], shape.types[i]))
            misfit(checker, "%s: column %zu must be \"%s\", a %s", sql->file, i + 1, names[i],
                   types[i] == COL_TEXT ? "text" : "number");
    return code;
}

static enum err_code check_job(const struct checker *checker, const struct job *job,
                               struct err *err)
{
    static const char *const looked[] = {"looked_at", "skipped"};
    static const char *const cut[] = {"account_id", "id", "due_so_far", "due", "changes"};
    static const char *const aside[] = {"account_id", "reason"};
    static const char *const changed[] = {"changed", "torn"};
    static const char *const gone[] = {"reason"};
    static const char *const questions[] = {"account_id", "domain", "name"};
    static const char *const explained[] = {"account_id", "entity",    "entity_id", "what",
                                            "action",     "condition", "holds",     "figure",
                                            "instant",    "place"};
    static const char *const written[] = {"account_id", "entity", "entity_id", "made"};
    enum err_code code = ERR_OK;

    for (size_t i = 0; code == ERR_OK && job->input && i < INPUT_STEPS && job->input->stage[i]; i++)
        code = db_run(checker->db, job->input->stage[i], NULL, NULL, NULL, err);
    if (code == ERR_OK)
        code = check_places(checker, job->candidates, looked, COUNT(looked), err);
    if (code == ERR_OK)
        code = check_places(checker, job->cut, cut, COUNT(cut), err);
    if (code == ERR_OK)
        code = check_places(checker, job->set_aside, aside, COUNT(aside), err);
    if (code == ERR_OK)
        code = check_places(checker, job->refuse, aside, COUNT(aside), err);
    if (code == ERR_OK)
        code = check_places(checker, job->gone, gone, COUNT(gone), err);
    if (code == ERR_OK)
        code = check_places(checker, job->entangled, aside, 1, err);
    if (code == ERR_OK)
        code = check_figures(checker, job->figures, err);
    if (code == ERR_OK)
        code = check_places(checker, job->questions, questions, COUNT(questions), err);
    if (code == ERR_OK)
        code = check_places(checker, job->written, written, COUNT(written), err);
    for (size_t i = 0; code == ERR_OK && i < JOB_STEPS && job->steps[i].sql; i++) {
        code = check_places(checker, job->steps[i].sql, changed, COUNT(changed), err);
        if (code == ERR_OK)
            code = check_places(checker, job->steps[i].explain, explained, COUNT(explained), err);
    }
    for (const struct report_table *table = job->tables; code == ERR_OK && table && table->columns;
         table++) {
        struct shape shape;

        code = shape_of(checker, table->query, &shape, err);
        if (code == ERR_OK && shape.n > 0)
            check_table(checker, table, &shape);
    }
    return code;
}

/* Whether a job's own declarations have looked at the statement already. */
static bool is_of_a_job(const struct registry *registry, const struct sql *sql)
{
    for (size_t i = 0; i < registry->n_jobs; i++) {
        const struct job *job = registry->jobs[i];

        if (sql == job->candidates || sql == job->cut || sql == job->set_aside ||
            sql == job->refuse || sql == job->gone || sql == job->entangled ||
            sql == job->figures || sql == job->questions || sql == job->written)
            return true;
        for (size_t j = 0; j < JOB_STEPS && job->steps[j].sql; j++)
            if (sql == job->steps[j].sql || sql == job->steps[j].explain)
                return true;
        for (const struct report_table *table = job->tables; table && table->columns; table++)
            if (sql == table->query)
                return true;
    }
    return false;
}

enum err_code check_sql(struct db *db, const struct registry *registry, misfit_fn told,
                        void *context, size_t *ret_statements, struct err *err)
{
    struct checker checker = {db, told, context};
    enum err_code code = db_begin(db, DB_CHANGE, err);

    for (size_t i = 0; code == ERR_OK && i < registry->n_jobs; i++)
        code = check_job(&checker, registry->jobs[i], err);
    for (size_t i = 0; code == ERR_OK && i < sql_all_count; i++) {
        struct shape shape;

        if (!is_of_a_job(registry, sql_all[i]))
            code = shape_of(&checker, sql_all[i], &shape, err);
    }
    *ret_statements = sql_all_count;
    db_rollback(db);
    return code;
}
