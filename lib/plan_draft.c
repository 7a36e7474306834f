/* Writing a plan: see plan.h. */
#define _GNU_SOURCE
#include "plan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <libgen.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fs.h"
#include "outfile.h"

#include "ban.h"

static const char no_digest[] = "0000000000000000000000000000000000000000000000000000000000000000";
enum { RANDOM_DIGITS = 16 };

enum err_code plan_draft_begin(struct plan_draft *draft, const struct job *const *jobs, size_t n,
                               struct err *err)
{
    draft->jobs = calloc(n ? n : 1, sizeof *draft->jobs);
    if (!draft->jobs)
        return err_nomem(err);
    draft->n_jobs = n;
    for (size_t i = 0; i < n; i++)
        draft->jobs[i].job = jobs[i];
    return ERR_OK;
}

void plan_draft_done(struct plan_draft *draft)
{
    for (size_t i = 0; i < draft->n_jobs; i++) {
        sb_done(&draft->jobs[i].lines);
        free(draft->jobs[i].files.list);
    }
    free(draft->jobs);
    *draft = (struct plan_draft){0};
}

static struct plan_draft_job *find_job(struct plan_draft *draft, const struct job *job,
                                       struct err *err)
{
    for (size_t i = 0; i < draft->n_jobs; i++)
        if (draft->jobs[i].job == job)
            return &draft->jobs[i];
    err_set(err, ERR_INTERNAL, "%s is not to be planned", job->name);
    return NULL;
}

enum err_code plan_draft_take(struct plan_draft *draft, const struct job *job, const char *sha256,
                              struct err *err)
{
    struct plan_draft_job *of = find_job(draft, job, err);

    return of ? plan_files_add(&of->files, sha256, err) : err->code;
}

enum err_code plan_draft_add(struct plan_draft *draft, const struct job *job, int64_t account,
                             const char *line, struct err *err)
{
    struct plan_draft_job *of = find_job(draft, job, err);

    if (!of)
        return err->code;
    of->accounts += of->changes == 0 || of->last_account != account;
    of->last_account = account;
    of->changes++;
    sb_adds(&of->lines, line);
    sb_adds(&of->lines, "\n");
    return of->lines.failed ? err_nomem(err) : ERR_OK;
}

static char *header(const struct plan_draft *draft, struct instant as_of, const char *digest)
{
    char text[INSTANT_SIZE], *dumped = NULL;
    json_t *jobs = json_array(), *json;
    size_t changes = 0;

    for (size_t i = 0; i < draft->n_jobs; i++) {
        const struct plan_draft_job *job = &draft->jobs[i];
        json_t *files = json_array();

        changes += job->changes;
        for (size_t k = 0; k < job->files.n; k++)
            json_array_append_new(files, json_string(job->files.list[k]));
        if (json_array_size(files) == job->files.n)
            json_array_append_new(
                jobs, json_pack("{s:s, s:I, s:I, s:s, s:O}", "job", job->job->name, "accounts",
                                (json_int_t)job->accounts, "changes", (json_int_t)job->changes,
                                "settings", job->settings, "files", files));
        json_decref(files);
    }
    json = json_pack("{s:i, s:s, s:s, s:I, s:o, s:s}", "lapse_plan", PLAN_FORMAT, "as_of",
                     instant_format(as_of, text), "version", LAPSE_VERSION, "changes",
                     (json_int_t)changes, "jobs", jobs, "sha256", digest);
    if (json && json_array_size(jobs) == draft->n_jobs)
        dumped = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return dumped;
}

static bool digest_of(struct plan_draft *draft, const char *first, char ret[65])
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    unsigned char sum[EVP_MAX_MD_SIZE];
    bool good = digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1 &&
                EVP_DigestUpdate(digest, first, strlen(first)) == 1 &&
                EVP_DigestUpdate(digest, "\n", 1) == 1;

    for (size_t i = 0; good && i < draft->n_jobs; i++)
        good =
            EVP_DigestUpdate(digest, sb_text(&draft->jobs[i].lines), draft->jobs[i].lines.len) == 1;
    good = good && EVP_DigestFinal_ex(digest, sum, NULL) == 1;
    EVP_MD_CTX_free(digest);
    for (size_t i = 0; good && i < 32; i++)
        snprintf(ret + 2 * i, 3, "%02x", sum[i]);
    return good;
}

/* "dir/name" in its parts, which the caller frees. */
static enum err_code split(const char *path, char **ret_dir, char **ret_name, struct err *err)
{
    _cleanup_free_ char *one = strdup(path), *two = strdup(path);

    *ret_dir = one ? strdup(dirname(one)) : NULL;
    *ret_name = two ? strdup(basename(two)) : NULL;
    return *ret_dir && *ret_name ? ERR_OK : err_nomem(err);
}

/* Removes what a process that was killed while it wrote this plan left beside it: writing takes
   moments, so what is an hour old is nobody's. */
static void sweep(const char *dir, const char *name)
{
    _cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *stream = fd < 0 ? NULL : fs_list(fd);
    struct dirent *entry;
    size_t len = strlen(name);
    struct stat st;

    while (stream && (entry = fs_next(stream))) {
        const char *tail = entry->d_name + len + 2;

        if (entry->d_name[0] == '.' && strncmp(entry->d_name + 1, name, len) == 0 &&
            entry->d_name[len + 1] == '.' && strlen(tail) == RANDOM_DIGITS &&
            strspn(tail, "0123456789abcdef") == RANDOM_DIGITS &&
            fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            st.st_mtime < time(NULL) - 3600)
            fs_remove(fd, entry->d_name);
    }
}

enum err_code plan_check_target(const char *path, struct err *err)
{
    _cleanup_free_ char *dir = NULL, *name = NULL;
    struct stat st;
    enum err_code code = split(path, &dir, &name, err);

    if (code != ERR_OK)
        return code;
    if (path[strlen(path) - 1] == '/')
        return err_set(err, ERR_CANTCREAT, "could not write \"%s\": that is a folder's name", path);
    if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        err_set(err, ERR_CANTCREAT, "could not write \"%s\": something is there that is not a file",
                path);
        err_hint(err, "a plan replaces a file, but no link, folder or device; name a file");
        return err->code;
    }
    if (access(dir, W_OK | X_OK) < 0) {
        int errnum = errno;

        err_sys(err, ERR_CANTCREAT, errnum, "could not write into \"%s\"", dir);
        return fs_hint(err, errnum);
    }
    return ERR_OK;
}

static enum err_code write_all(struct plan_draft *draft, const char *first, const char *dir,
                               const char *name, struct err *err)
{
    _cleanup_outfile_ struct outfile *file = NULL;
    enum err_code code = outfile_open(&file, dir, name, err);

    if (code == ERR_OK)
        code = outfile_write(file, first, strlen(first), err);
    if (code == ERR_OK)
        code = outfile_write(file, "\n", 1, err);
    for (size_t i = 0; code == ERR_OK && i < draft->n_jobs; i++)
        code = outfile_write(file, sb_text(&draft->jobs[i].lines), draft->jobs[i].lines.len, err);
    return code == ERR_OK ? outfile_finish(TAKE_PTR(file), err) : code;
}

enum err_code plan_draft_write(struct plan_draft *draft, struct instant as_of, const char *path,
                               char ret_sha256[65], struct err *err)
{
    _cleanup_free_ char *dir = NULL, *name = NULL, *beside = NULL, *from = NULL;
    _cleanup_free_ char *blank = header(draft, as_of, no_digest), *first = NULL;
    char random[RANDOM_DIGITS + 1];
    enum err_code code = plan_check_target(path, err);

    if (code == ERR_OK)
        code = split(path, &dir, &name, err);
    if (code == ERR_OK && (!blank || !digest_of(draft, blank, ret_sha256)))
        code = err_nomem(err);
    if (code == ERR_OK)
        code = fs_random(random, err);
    if (code != ERR_OK)
        return code;
    first = header(draft, as_of, ret_sha256);
    beside = str_format(".%s.%s", name, random);
    from = beside ? str_format("%s/%s", dir, beside) : NULL;
    if (!first || !from)
        return err_nomem(err);
    sweep(dir, name);
    code = write_all(draft, first, dir, beside, err);
    if (code == ERR_OK)
        code = durable_rename(from, path, err);
    if (code != ERR_OK)
        unlink(from);
    return code;
}
