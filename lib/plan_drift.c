/* What is planned against what is due: see plan.h. */
#define _GNU_SOURCE
#include "plan.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ban.h"

/* Both sides sorted as texts. The start of a line names the row (see row_len), so that lines of one
   row stand together on both sides. */
struct sides {
    const struct job *job;
    const char **planned, **due;
    size_t n_planned, n_due;
    plan_drift_fn told;
    void *context;
};

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char **sorted(const struct plan_line *lines, size_t n)
{
    const char **texts = calloc(n ? n : 1, sizeof *texts);

    for (size_t i = 0; texts && i < n; i++)
        texts[i] = lines[i].text;
    if (texts)
        qsort(texts, n, sizeof *texts, by_text);
    return texts;
}

/* Takes out what both sides have. */
static void take_out_same(struct sides *sides)
{
    size_t i = 0, j = 0, n_planned = 0, n_due = 0;

    while (i < sides->n_planned || j < sides->n_due) {
        int order = i == sides->n_planned ? 1
                    : j == sides->n_due   ? -1
                                          : strcmp(sides->planned[i], sides->due[j]);

        if (order == 0) {
            i++;
            j++;
        } else if (order < 0) {
            sides->planned[n_planned++] = sides->planned[i++];
        } else {
            sides->due[n_due++] = sides->due[j++];
        }
    }
    sides->n_planned = n_planned;
    sides->n_due = n_due;
}

/* How much of a line names the row: up to its images. Inside a text a quote has a backslash before
   it, so that these are members. */
static size_t row_len(const char *line)
{
    const char *before = strstr(line, ",\"before\":"), *after = strstr(line, ",\"after\":");
    const char *end = before && (!after || before < after) ? before : after;

    return end ? (size_t)(end - line) : strlen(line);
}

static int by_row(const char *a, const char *b)
{
    size_t len_a = row_len(a), len_b = row_len(b);
    int order = memcmp(a, b, len_a < len_b ? len_a : len_b);

    return order ? order : (len_a > len_b) - (len_a < len_b);
}

static char *value_text(const json_t *value)
{
    if (!value || json_is_null(value))
        return strdup("nothing");
    if (json_is_string(value))
        return strdup(json_string_value(value));
    return json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
}

static void add_value(struct strbuf *words, const char *key, const char *verb,
                      const json_t *planned, const json_t *due)
{
    _cleanup_free_ char *was = NULL, *now = NULL;

    if (json_equal(planned, due))
        return;
    was = value_text(planned);
    now = value_text(due);
    if (was && now)
        sb_addf(words, "%s%s %s %s, not %s as planned", words->len ? "; " : "", key, verb, now,
                was);
    else
        words->failed = true;
}

/* Each key of an image that differs, or that only one of them has. */
static void add_image(struct strbuf *words, const char *verb, json_t *planned, json_t *due)
{
    const char *key;
    json_t *value;

    json_object_foreach(planned, key, value)
    {
        add_value(words, key, verb, value, json_object_get(due, key));
    }
    json_object_foreach(due, key, value)
    {
        if (!json_object_get(planned, key))
            add_value(words, key, verb, NULL, value);
    }
}

static void add_differences(struct strbuf *words, const json_t *planned, const json_t *due)
{
    static const char *const members[] = {"reason", "effective_at"};

    add_image(words, "is", json_object_get(planned, "before"), json_object_get(due, "before"));
    add_image(words, "would become", json_object_get(planned, "after"),
              json_object_get(due, "after"));
    for (size_t i = 0; i < COUNT(members); i++)
        add_value(words, members[i], "would be", json_object_get(planned, members[i]),
                  json_object_get(due, members[i]));
}

/* One row: `planned` or `due` may be NULL. */
static enum err_code tell(const struct sides *sides, const char *planned, const char *due,
                          struct err *err)
{
    _cleanup_sb_ struct strbuf words = {0};
    json_t *was = planned ? json_loads(planned, 0, NULL) : NULL;
    json_t *now = due ? json_loads(due, 0, NULL) : NULL, *either = was ? was : now;
    struct plan_drift drift = {
        .job = sides->job,
        .account = json_integer_value(json_object_get(either, "account_id")),
        .entity = json_string_value(json_object_get(either, "entity")),
        .entity_id = json_string_value(json_object_get(either, "entity_id")),
    };
    enum err_code code;

    if (was && now)
        add_differences(&words, was, now);
    else
        sb_adds(&words, was ? "is not due as planned any more" : "is due now, and not planned");
    drift.what = sb_text(&words);
    code = either && drift.what ? sides->told(sides->context, &drift, err) : err_nomem(err);
    json_decref(was);
    json_decref(now);
    return code;
}

static enum err_code tell_all(const struct sides *sides, struct err *err)
{
    size_t i = 0, j = 0;
    enum err_code code = ERR_OK;

    while (code == ERR_OK && (i < sides->n_planned || j < sides->n_due)) {
        int order = i == sides->n_planned ? 1
                    : j == sides->n_due   ? -1
                                          : by_row(sides->planned[i], sides->due[j]);
        const char *planned = order <= 0 ? sides->planned[i++] : NULL;
        const char *due = order >= 0 ? sides->due[j++] : NULL;

        code = tell(sides, planned, due, err);
    }
    return code;
}

enum err_code plan_compare(const struct job *job, const struct plan_line *planned, size_t n_planned,
                           const struct plan_line *due, size_t n_due, bool *ret_same,
                           plan_drift_fn told, void *context, struct err *err)
{
    struct sides sides = {job, NULL, NULL, n_planned, n_due, told, context};
    size_t same = 0;
    enum err_code code;

    while (same < n_planned && same < n_due && str_eq(planned[same].text, due[same].text))
        same++;
    *ret_same = same == n_planned && same == n_due;
    if (*ret_same)
        return ERR_OK;
    sides.planned = sorted(planned, n_planned);
    sides.due = sorted(due, n_due);
    code = sides.planned && sides.due ? ERR_OK : err_nomem(err);
    if (code == ERR_OK) {
        take_out_same(&sides);
        *ret_same = sides.n_planned == 0 && sides.n_due == 0;
        code = tell_all(&sides, err);
    }
    free(sides.planned);
    free(sides.due);
    return code;
}
