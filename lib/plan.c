/* Reading a plan: see plan.h. */
#define _GNU_SOURCE
#include "plan.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ban.h"

static const char digest_member[] = ",\"sha256\":\"";
enum { DIGEST_TAIL = 64 + 2 }; /* the digest and "} at the header's end */

static enum err_code refuse(struct err *err, const char *path, const char *format, ...)
    _printf_(3, 4);
static enum err_code refuse(struct err *err, const char *path, const char *format, ...)
{
    _cleanup_free_ char *why = NULL;
    va_list args;

    va_start(args, format);
    why = str_vformat(format, args);
    va_end(args);
    if (!why)
        return err_nomem(err);
    err_set(err, ERR_STOPPED, "\"%s\" is not a plan as it was written: %s", path, why);
    err_hint(err, "make it anew with \"lapse plan\": a plan is carried out as it was written, or "
                  "not at all");
    return err->code;
}

static enum err_code read_all(const char *path, char **ret, size_t *ret_len, struct err *err)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    _cleanup_free_ char *text = NULL;
    struct stat st;
    size_t len = 0;

    if (fd < 0)
        return err_sys(err, errno == EACCES ? ERR_NOPERM : ERR_NOINPUT, errno,
                       "could not open \"%s\"", path);
    if (fstat(fd, &st) < 0)
        return err_sys(err, ERR_IO, errno, "could not read \"%s\"", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_NOINPUT, "could not read \"%s\": not a regular file", path);
    text = malloc((size_t)st.st_size + 1);
    if (!text)
        return err_nomem(err);
    while (len < (size_t)st.st_size) {
        ssize_t n = read(fd, text + len, (size_t)st.st_size - len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(err, ERR_IO, errno, "could not read \"%s\"", path);
        if (n == 0)
            break;
        len += (size_t)n;
    }
    text[len] = '\0';
    *ret = TAKE_PTR(text);
    *ret_len = len;
    return ERR_OK;
}

/* Compares the file with the digest at the end of its header, which is then in plan->sha256. */
static bool digest_holds(struct plan *plan, size_t header, size_t len)
{
    unsigned char sum[32];
    char *place = plan->text + header - DIGEST_TAIL, hex[65];
    size_t before = sizeof digest_member - 1;

    if (header < DIGEST_TAIL + before || strncmp(place + 64, "\"}", 2) != 0 ||
        strncmp(place - before, digest_member, before) != 0)
        return false;
    snprintf(plan->sha256, sizeof plan->sha256, "%.64s", place);
    memset(place, '0', 64);
    if (EVP_Digest(plan->text, len, sum, NULL, EVP_sha256(), NULL) != 1)
        return false;
    for (size_t i = 0; i < sizeof sum; i++)
        snprintf(hex + 2 * i, 3, "%02x", sum[i]);
    return str_eq(hex, plan->sha256);
}

enum err_code plan_files_add(struct plan_files *files, const char *sha256, struct err *err)
{
    char(*grown)[65];

    if (plan_files_have(files, sha256))
        return ERR_OK;
    grown = reallocarray(files->list, files->n + 1, sizeof *grown);
    if (!grown)
        return err_nomem(err);
    files->list = grown;
    snprintf(grown[files->n++], sizeof *grown, "%s", sha256);
    return ERR_OK;
}

bool plan_files_have(const struct plan_files *files, const char *sha256)
{
    for (size_t i = 0; i < files->n; i++)
        if (str_eq(files->list[i], sha256))
            return true;
    return false;
}

/* The header's jobs: known, changing, in nightly order. */
static enum err_code take_jobs(struct plan *plan, const struct registry *registry, json_t *jobs,
                               size_t len, const char *path, struct err *err)
{
    size_t n = json_array_size(jobs), next = 0;

    if (n == 0)
        return refuse(err, path, "its header names no job");
    plan->jobs = calloc(n, sizeof *plan->jobs);
    if (!plan->jobs)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        struct plan_job *job = &plan->jobs[plan->n_jobs];
        const char *name = "?", *settings = "";
        json_int_t changes = 0;
        json_t *files;

        if (json_unpack(json_array_get(jobs, i), "{s:s, s:I, s:s, s:o}", "job", &name, "changes",
                        &changes, "settings", &settings, "files", &files) != 0 ||
            changes < 0 || (size_t)changes > len - plan->n_lines) /* a line takes a byte at least */
            return refuse(err, path, "a job of its header says too little");
        while (next < registry->n_jobs && !str_eq(registry->jobs[next]->name, name))
            next++;
        if (next == registry->n_jobs || registry->jobs[next]->kind != JOB_CHANGE)
            return refuse(err, path, "there is no job \"%s\" at that place", name);
        job->job = registry->jobs[next++];
        job->first = plan->n_lines;
        job->n = (size_t)changes;
        snprintf(job->settings, sizeof job->settings, "%s", settings);
        plan->n_lines += job->n;
        plan->n_jobs++;
        for (size_t k = 0; k < json_array_size(files); k++) {
            const char *sha256 = json_string_value(json_array_get(files, k));

            if (!sha256)
                return refuse(err, path, "a file of %s has no SHA-256", name);
            if (plan_files_add(&job->files, sha256, err) != ERR_OK)
                return err->code;
        }
    }
    return ERR_OK;
}

static enum err_code take_header(struct plan *plan, const struct registry *registry, size_t header,
                                 size_t len, const char *path, struct err *err)
{
    json_t *json = json_loadb(plan->text, header, JSON_REJECT_DUPLICATES, NULL), *jobs = NULL;
    const char *as_of = "", *version = "";
    json_int_t format = 0, changes = -1;
    enum err_code code = ERR_OK;

    if (!json || json_unpack(json, "{s:I}", "lapse_plan", &format) != 0)
        code = refuse(err, path, "it has no header");
    else if (format != PLAN_FORMAT)
        code = refuse(err, path, "it is of format %lld, and this lapse reads %d", (long long)format,
                      PLAN_FORMAT);
    else if (!digest_holds(plan, header, len))
        code = refuse(err, path, "it has been edited or cut off (its SHA-256 is another)");
    else if (json_unpack(json, "{s:s, s:s, s:I, s:o}", "as_of", &as_of, "version", &version,
                         "changes", &changes, "jobs", &jobs) != 0 ||
             instant_parse(as_of, "as_of", &plan->as_of, err) != ERR_OK) {
        err_done(err);
        code = refuse(err, path, "its header is incomplete");
    } else {
        code = take_jobs(plan, registry, jobs, len, path, err);
    }
    if (code == ERR_OK && (json_int_t)plan->n_lines != changes)
        code = refuse(err, path, "its header counts %lld changes, its jobs %zu", (long long)changes,
                      plan->n_lines);
    json_decref(json);
    return code;
}

/* The n-th line: of the job it stands with, behind or at the account before it. */
static enum err_code take_line(struct plan *plan, const struct plan_job *job, size_t n, char *text,
                               size_t len, const char *path, struct err *err)
{
    json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL), *after;
    const char *name, *entity, *reason, *effective_at;
    json_int_t account = 0;
    bool good = json &&
                json_unpack(json, "{s:s, s:I, s:s, s:o, s:s, s:s}", "job", &name, "account_id",
                            &account, "entity", &entity, "after", &after, "reason", &reason,
                            "effective_at", &effective_at) == 0 &&
                str_eq(name, job->job->name) && json_is_object(after) &&
                (n == job->first || account >= plan->lines[n - 1].account);

    json_decref(json);
    if (!good)
        return refuse(err, path, "line %zu is no change of %s", n + 2, job->job->name);
    plan->lines[n] = (struct plan_line){account, text};
    return ERR_OK;
}

static enum err_code take_lines(struct plan *plan, char *body, const char *end, const char *path,
                                struct err *err)
{
    size_t n = 0;

    plan->lines = calloc(plan->n_lines ? plan->n_lines : 1, sizeof *plan->lines);
    if (!plan->lines)
        return err_nomem(err);
    for (size_t i = 0; i < plan->n_jobs; i++)
        for (size_t k = 0; k < plan->jobs[i].n; k++, n++) {
            char *line_end = memchr(body, '\n', (size_t)(end - body));

            if (!line_end)
                return refuse(err, path, "it has %zu changes of the %zu it counts", n,
                              plan->n_lines);
            if (take_line(plan, &plan->jobs[i], n, body, (size_t)(line_end - body), path, err) !=
                ERR_OK)
                return err->code;
            *line_end = '\0';
            body = line_end + 1;
        }
    return body == end ? ERR_OK
                       : refuse(err, path, "it has more than the %zu changes it counts", n);
}

static int by_number(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static enum err_code take_accounts(struct plan *plan, struct err *err)
{
    plan->accounts = calloc(plan->n_lines ? plan->n_lines : 1, sizeof *plan->accounts);
    if (!plan->accounts)
        return err_nomem(err);
    for (size_t i = 0; i < plan->n_lines; i++)
        plan->accounts[i] = plan->lines[i].account;
    qsort(plan->accounts, plan->n_lines, sizeof *plan->accounts, by_number);
    for (size_t i = 0; i < plan->n_lines; i++)
        if (i == 0 || plan->accounts[i] != plan->accounts[plan->n_accounts - 1])
            plan->accounts[plan->n_accounts++] = plan->accounts[i];
    return ERR_OK;
}

enum err_code plan_read(struct plan *ret, const struct registry *registry, const char *path,
                        struct err *err)
{
    struct plan plan = {0};
    char *newline;
    size_t len = 0;
    enum err_code code = read_all(path, &plan.text, &len, err);

    if (code != ERR_OK)
        return code;
    newline = memchr(plan.text, '\n', len);
    if (!newline)
        code = refuse(err, path, "it has no header");
    else
        code = take_header(&plan, registry, (size_t)(newline - plan.text), len, path, err);
    if (code == ERR_OK)
        code = take_lines(&plan, newline + 1, plan.text + len, path, err);
    if (code == ERR_OK)
        code = take_accounts(&plan, err);
    if (code == ERR_OK)
        *ret = plan;
    else
        plan_done(&plan);
    return code;
}

void plan_done(struct plan *plan)
{
    for (size_t i = 0; i < plan->n_jobs; i++)
        free(plan->jobs[i].files.list);
    free(plan->jobs);
    free(plan->lines);
    free(plan->accounts);
    free(plan->text);
    *plan = (struct plan){0};
}

bool plan_account(const struct plan *plan, int64_t account, size_t *ret)
{
    const int64_t *found =
        bsearch(&account, plan->accounts, plan->n_accounts, sizeof account, by_number);

    *ret = found ? (size_t)(found - plan->accounts) : 0;
    return found;
}

size_t plan_lines_behind(const struct plan *plan, const struct plan_job *job, int64_t account)
{
    size_t low = job->first, high = job->first + job->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (plan->lines[middle].account > account)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}
