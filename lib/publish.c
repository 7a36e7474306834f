/* Publishing a set: see publish.h. staging.c makes and sweeps the folders, manifest.c knows the
   two files that describe a set; here the set is put together and exchanged. */
#define _GNU_SOURCE
#include "publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs.h"
#include "manifest.h"
#include "outfile.h"
#include "staging.h"

#include "ban.h"

void published_done(struct published *published)
{
    for (size_t i = 0; i < published->n; i++) {
        free(published->files[i].job);
        free(published->files[i].name);
    }
    free(published->files);
    free(published->path);
    *published = (struct published){0};
}

#define _cleanup_published_ _cleanup_(published_done)

/* One publish under way. */
struct work {
    struct staging *staging;
    const struct publish_set *set;
    const struct deadline *deadline;
    struct manifest manifest; /* of the new set */
    char *path;               /* <out>/<date> */
    int old;                  /* the folder that stands there, or -1 */
    char *interim, *retired;  /* names the old folder takes, see staging.h */
    char *link;               /* the next `latest` under its temporary name, or NULL */
    char *link_before;        /* where `latest` led, or NULL */
};

static void work_done(struct work *work)
{
    if (work->link && work->staging)
        unlinkat(work->staging->out_fd, work->link, 0); /* gone already when it was used */
    manifest_done(&work->manifest);
    free(work->path);
    closep(&work->old);
    free(work->interim);
    free(work->retired);
    free(work->link);
    free(work->link_before);
}

#define _cleanup_work_ _cleanup_(work_done)

static enum err_code io_error(struct err *err, int errnum, const char *verb, const char *folder,
                              const char *name)
{
    err_sys(err, ERR_IO, errnum, "could not %s \"%s/%s\"", verb, folder, name);
    return fs_hint(err, errnum);
}

static bool runs_now(const struct publish_set *set, const char *job)
{
    for (size_t i = 0; i < set->n_jobs; i++)
        if (str_eq(set->jobs[i].job, job))
            return true;
    return false;
}

/* The new files. */

/* Gives a new file its mode, makes it durable, and reads back what is on disk. */
static enum err_code settle_file(const struct work *work, struct manifest_file *file,
                                 struct err *err)
{
    const char *folder = work->staging->path;
    _cleanup_free_ char *path = str_format("%s/%s", folder, file->name);
    _cleanup_close_ int fd =
        openat(work->staging->fd, file->name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

    if (!path)
        return err_nomem(err);
    if (fd < 0 && (errno == ENOENT || errno == ELOOP))
        return err_sys(err, ERR_INTERNAL, errno, "could not find the report \"%s\"", path);
    if (fd < 0)
        return io_error(err, errno, "open", folder, file->name);
    if (fs_inject("fchmod") < 0 || fchmod(fd, FILE_MODE) < 0)
        return io_error(err, errno, "set the mode of", folder, file->name);
    if (fs_sync(fd, path, err) != ERR_OK)
        return err->code;
    return fd_sha256(fd, path, file->sha256, &file->bytes, err);
}

static enum err_code copy_totals(const struct report_file *from, struct manifest_file *to,
                                 struct err *err)
{
    to->totals = calloc(from->n_totals + 1, sizeof *to->totals);
    if (!to->totals)
        return err_nomem(err);
    for (size_t i = 0; i < from->n_totals; i++) {
        to->totals[i].value = from->totals[i].value;
        to->totals[i].header = strdup(from->totals[i].header);
        if (!to->totals[i].header)
            return err_nomem(err);
        to->n_totals++;
    }
    return ERR_OK;
}

static enum err_code add_file(struct work *work, const struct publish_job *job,
                              const struct report_file *from, struct err *err)
{
    _cleanup_(manifest_file_done) struct manifest_file file = {
        .run_id = job->run_id,
        .rows = from->rows,
        .altered = from->altered,
    };

    if (!manifest_name_ok(from->name))
        return err_set(err, ERR_INTERNAL, "\"%s\" of job \"%s\" cannot be a report's file name",
                       from->name, job->job);
    file.name = strdup(from->name);
    file.job = strdup(job->job);
    file.as_of = strdup(work->set->as_of);
    file.version = strdup(work->set->version);
    if (!file.name || !file.job || !file.as_of || !file.version)
        return err_nomem(err);
    if (copy_totals(from, &file, err) != ERR_OK || deadline_check(work->deadline, err) != ERR_OK ||
        settle_file(work, &file, err) != ERR_OK)
        return err->code;
    return manifest_add(&work->manifest, &file, err);
}

/* Nothing may be published that no job answers for: a library's forgotten temporary file, say. */
static enum err_code refuse_strays(const struct work *work, struct err *err)
{
    _cleanup_closedir_ DIR *stream = fs_list(work->staging->fd);
    struct dirent *entry;

    if (!stream)
        return err_sys(err, ERR_IO, errno, "could not list \"%s\"", work->staging->path);
    while ((entry = fs_next(stream)))
        if (!manifest_find(&work->manifest, entry->d_name))
            return err_set(err, ERR_INTERNAL, "\"%s/%s\" belongs to no job", work->staging->path,
                           entry->d_name);
    if (errno != 0)
        return err_sys(err, ERR_IO, errno, "could not list \"%s\"", work->staging->path);
    return ERR_OK;
}

static enum err_code collect(struct work *work, struct err *err)
{
    const struct publish_set *set = work->set;

    work->manifest.as_of = strdup(set->as_of);
    work->manifest.version = strdup(set->version);
    work->manifest.audit_head = set->audit_head ? strdup(set->audit_head) : NULL;
    if (!work->manifest.as_of || !work->manifest.version ||
        (set->audit_head && !work->manifest.audit_head))
        return err_nomem(err);
    for (size_t i = 0; i < set->n_jobs; i++)
        for (size_t j = 0; j < set->jobs[i].files->n; j++)
            if (add_file(work, &set->jobs[i], &set->jobs[i].files->files[j], err) != ERR_OK)
                return err->code;
    if (manifest_sort(&work->manifest, err) != ERR_OK)
        return err->code;
    return refuse_strays(work, err);
}

/* What stands there already, and stays. */

static enum err_code open_old(struct work *work, struct err *err)
{
    int errnum;

    work->old = fs_open_dir(work->staging->out_fd, work->set->date);
    if (work->old >= 0 || errno == ENOENT)
        return ERR_OK;
    errnum = errno;
    err_sys(err, ERR_CANTCREAT, errnum, "could not open the set \"%s\"", work->path);
    if (errnum == ENOTDIR || errnum == ELOOP)
        err_hint(err, "move away what stands there: it is not a folder");
    return fs_hint(err, errnum);
}

/* What the old set's folder holds beside lapse's own. */
static enum err_code carry_unknown(const struct work *work, const struct manifest *old,
                                   struct err *err)
{
    _cleanup_closedir_ DIR *stream = fs_list(work->old);
    struct dirent *entry;

    if (!stream)
        return err_sys(err, ERR_IO, errno, "could not list \"%s\"", work->path);
    while ((entry = fs_next(stream))) {
        const char *name = entry->d_name;
        _cleanup_free_ char *shown = str_format("%s/%s", work->path, name);

        if (!shown)
            return err_nomem(err);
        if (str_eq(name, MANIFEST_NAME) || str_eq(name, SUMS_NAME) || manifest_find(old, name))
            continue;
        if (manifest_find(&work->manifest, name)) {
            err_set(err, ERR_CANTCREAT, "could not replace \"%s\": the manifest does not know it",
                    shown);
            err_hint(err, "lapse did not publish it: move it away, then run the job again");
            return err->code;
        }
        if (fs_carry(work->old, work->staging->fd, name, shown, err) != ERR_OK)
            return err->code;
    }
    if (errno != 0)
        return err_sys(err, ERR_IO, errno, "could not list \"%s\"", work->path);
    return ERR_OK;
}

/* One file of a job that did not run now: checked, so that a set never vouches for bytes that
   somebody has edited, then linked. */
static enum err_code carry_known(const struct work *work, const struct manifest_file *file,
                                 struct err *err)
{
    const struct manifest_file *mine = manifest_find(&work->manifest, file->name);
    _cleanup_free_ char *shown = str_format("%s/%s", work->path, file->name), *detail = NULL;
    enum set_difference what;

    if (!shown)
        return err_nomem(err);
    if (mine)
        return err_set(err, ERR_CONFIG, "\"%s\" is written twice: by \"%s\" and by \"%s\"", shown,
                       file->job, mine->job);
    if (deadline_check(work->deadline, err) != ERR_OK ||
        manifest_compare(file, work->old, work->path, &what, &detail, err) != ERR_OK)
        return err->code;
    if (detail) {
        err_set(err, ERR_CHECKSUM, "\"%s\" changed since it was published: %s", shown, detail);
        err_hint(err,
                 "restore it from a backup, or run \"%s\" for that date as well: it writes "
                 "the file anew",
                 file->job);
        return err->code;
    }
    return fs_carry(work->old, work->staging->fd, file->name, shown, err);
}

static enum err_code carry_over(struct work *work, struct err *err)
{
    _cleanup_manifest_ struct manifest old = {0};

    if (open_old(work, err) != ERR_OK)
        return err->code;
    if (work->old < 0)
        return ERR_OK;
    if (manifest_read(&old, work->old, work->path, err) != ERR_OK ||
        carry_unknown(work, &old, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < old.n; i++)
        if (!runs_now(work->set, old.files[i].job) &&
            carry_known(work, &old.files[i], err) != ERR_OK)
            return err->code;
    /* Added only now: the new manifest had to stay in order for the look-ups above. */
    for (size_t i = 0; i < old.n; i++)
        if (!runs_now(work->set, old.files[i].job) &&
            manifest_add(&work->manifest, &old.files[i], err) != ERR_OK)
            return err->code;
    return manifest_sort(&work->manifest, err);
}

/* Both descriptions, the published mode, and all of it on disk. */
static enum err_code seal(const struct work *work, struct err *err)
{
    const struct staging *staging = work->staging;

    if (manifest_write(&work->manifest, staging->path, err) != ERR_OK)
        return err->code;
    if (fs_inject("fchmod") < 0 || fchmod(staging->fd, DIR_MODE) < 0)
        return io_error(err, errno, "set the mode of", staging->out, staging->name);
    return fs_sync(staging->fd, staging->path, err);
}

/* The link to the newest set. */

static enum err_code greatest_date(const struct work *work, char ret[11], struct err *err)
{
    _cleanup_closedir_ DIR *stream = fs_list(work->staging->out_fd);
    struct dirent *entry;

    if (!stream)
        return err_sys(err, ERR_IO, errno, "could not list \"%s\"", work->staging->out);
    memcpy(ret, work->set->date, 11);
    while ((entry = fs_next(stream))) {
        const char *name = entry->d_name;
        _cleanup_close_ int dir = -1;

        if (!is_date(name) || strcmp(name, ret) <= 0)
            continue;
        dir = fs_open_dir(work->staging->out_fd, name);
        if (dir >= 0 && faccessat(dir, MANIFEST_NAME, F_OK, 0) == 0)
            memcpy(ret, name, 11);
    }
    if (errno != 0)
        return err_sys(err, ERR_IO, errno, "could not list \"%s\"", work->staging->out);
    return ERR_OK;
}

static enum err_code make_link(const struct work *work, const char *target, char **ret,
                               struct err *err)
{
    _cleanup_free_ char *name = NULL;
    char random[17];

    if (fs_random(random, err) != ERR_OK)
        return err->code;
    name = str_format(".latest-%s", random);
    if (!name)
        return err_nomem(err);
    if (fs_inject("symlinkat") < 0 || symlinkat(target, work->staging->out_fd, name) < 0)
        return io_error(err, errno, "create", work->staging->out, name);
    *ret = TAKE_PTR(name);
    return ERR_OK;
}

/* Makes the link under a temporary name, before the exchange: a full disk shows here. */
static enum err_code prepare_link(struct work *work, struct err *err)
{
    char target[4096], date[11];
    ssize_t n = readlinkat(work->staging->out_fd, "latest", target, sizeof target - 1);

    if (latest_check(work->staging, err) != ERR_OK || greatest_date(work, date, err) != ERR_OK)
        return err->code;
    if (n >= 0) {
        target[n] = '\0';
        if (str_eq(target, date))
            return ERR_OK;
        work->link_before = strdup(target);
        if (!work->link_before)
            return err_nomem(err);
    }
    return make_link(work, date, &work->link, err);
}

/* The exchange. */

static bool no_such_flag(int errnum)
{
    return errnum == EINVAL || errnum == ENOSYS || errnum == EOPNOTSUPP;
}

/* Where folders cannot be exchanged: two renames. Killed between them, the date has no folder
   until the next sweep gives it the old one back. */
static int swap_in_two(const struct work *work)
{
    int out = work->staging->out_fd, errnum;

    if (fs_rename(out, work->set->date, work->interim, 0) < 0)
        return -1;
    if (fs_rename(out, work->staging->name, work->set->date, 0) == 0)
        return 0;
    errnum = errno;
    (void)fs_rename(out, work->interim, work->set->date, 0);
    errno = errnum;
    return -1;
}

/* Puts the new folder into place. *ret_old is the name that the old one has then, NULL when there
   was none. */
static enum err_code put_in_place(const struct work *work, const char **ret_old, struct err *err)
{
    const char *from = work->staging->name, *to = work->set->date;
    int out = work->staging->out_fd, rc;

    rc = fs_rename(out, from, to, work->old >= 0 ? RENAME_EXCHANGE : RENAME_NOREPLACE);
    *ret_old = work->old >= 0 ? from : NULL;
    if (rc < 0 && no_such_flag(errno)) {
        rc = work->old >= 0 ? swap_in_two(work) : fs_rename(out, from, to, 0);
        *ret_old = work->old >= 0 ? work->interim : NULL;
    }
    if (rc < 0) {
        int errnum = errno;

        err_sys(err, ERR_IO, errnum, "could not rename \"%s\" to \"%s\"", work->staging->path,
                work->path);
        return fs_hint(err, errnum);
    }
    return ERR_OK;
}

/* After a failure behind put_in_place: the old set back in its place, the new one back under the
   staging name, from where it is discarded. As far as the disk still allows. */
static void take_back(const struct work *work, const char *old, bool link_turned)
{
    const char *mine = work->staging->name, *date = work->set->date;
    int out = work->staging->out_fd;
    _cleanup_err_ struct err ignored = {0};
    _cleanup_free_ char *link = NULL;

    if (old && fs_rename(out, old, date, RENAME_EXCHANGE) == 0) {
        if (!str_eq(old, mine))
            (void)fs_rename(out, old, mine, 0);
    } else {
        /* Where `mine` is the old set, this fails: a folder that is not empty is never replaced. */
        (void)fs_rename(out, date, mine, 0);
        if (old)
            (void)fs_rename(out, old, date, 0);
    }
    if (link_turned && !work->link_before)
        (void)unlinkat(out, "latest", 0);
    else if (link_turned && make_link(work, work->link_before, &link, &ignored) == ERR_OK)
        (void)fs_rename(out, link, "latest", 0);
    (void)fsync(out);
}

static enum err_code exchange(const struct work *work, struct err *err)
{
    const struct staging *staging = work->staging;
    const char *old;
    bool turned = false;

    if (put_in_place(work, &old, err) != ERR_OK)
        return err->code;
    if (old && fs_rename(staging->out_fd, old, work->retired, 0) < 0)
        io_error(err, errno, "retire", staging->out, old);
    else if (old)
        old = work->retired;
    if (err->code == ERR_OK && fs_sync(staging->out_fd, staging->out, err) == ERR_OK &&
        work->link) {
        if (fs_rename(staging->out_fd, work->link, "latest", 0) < 0) {
            io_error(err, errno, "replace", staging->out, "latest");
        } else {
            turned = true;
            (void)!fs_sync(staging->out_fd, staging->out, err);
        }
    }
    if (err->code != ERR_OK)
        take_back(work, old, turned);
    return err->code;
}

/* What the ledger is told, prepared before the exchange so that nothing can fail behind it. */
static enum err_code describe(const struct work *work, struct published *ret, struct err *err)
{
    const struct manifest *manifest = &work->manifest;

    ret->files = calloc(manifest->n + 1, sizeof *ret->files);
    ret->path = strdup(work->path);
    if (!ret->files || !ret->path)
        return err_nomem(err);
    for (size_t i = 0; i < manifest->n; i++) {
        const struct manifest_file *file = &manifest->files[i];
        struct published_file *to = &ret->files[ret->n];

        if (!runs_now(work->set, file->job))
            continue;
        ret->n++;
        *to = (struct published_file){.rows = file->rows, .bytes = file->bytes};
        memcpy(to->sha256, file->sha256, sizeof to->sha256);
        to->job = strdup(file->job);
        to->name = strdup(file->name);
        if (!to->job || !to->name)
            return err_nomem(err);
    }
    return ERR_OK;
}

static enum err_code begin(struct work *work, struct err *err)
{
    char random[17];

    if (!is_date(work->set->date))
        return err_set(err, ERR_INTERNAL, "\"%s\" is not the date of a set", work->set->date);
    if (fs_random(random, err) != ERR_OK)
        return err->code;
    work->path = str_format("%s/%s", work->staging->out, work->set->date);
    work->interim = str_format(".swapping-%s-%s", work->set->date, random);
    work->retired = str_format(".retired-%s-%s", work->set->date, random);
    return work->path && work->interim && work->retired ? ERR_OK : err_nomem(err);
}

enum err_code publish(struct staging *staging, const struct publish_set *set,
                      const struct deadline *deadline, struct published *ret, struct err *err)
{
    _cleanup_staging_ struct staging *owned = staging; /* done last: it holds the lock */
    _cleanup_published_ struct published published = {0};
    _cleanup_work_ struct work work = {
        .staging = owned, .set = set, .deadline = deadline, .old = -1};

    if (begin(&work, err) != ERR_OK || collect(&work, err) != ERR_OK ||
        out_lock(staging, deadline, err) != ERR_OK)
        return err->code;
    out_sweep(staging->out_fd);
    if (carry_over(&work, err) != ERR_OK || seal(&work, err) != ERR_OK ||
        describe(&work, &published, err) != ERR_OK || prepare_link(&work, err) != ERR_OK ||
        deadline_check(deadline, err) != ERR_OK)
        return err->code;
    /* Shared from here on, so that a reader of the new set can take a lock of its own. */
    flock(staging->fd, LOCK_SH | LOCK_NB);
    if (exchange(&work, err) != ERR_OK)
        return err->code;
    *ret = published;
    published = (struct published){0};
    return ERR_OK;
}
