/* Staging folders, the lock on `out`, and sweeping: see publish.h and staging.h. */
#define _GNU_SOURCE
#include "staging.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fs.h"
#include "outfile.h"

#include "ban.h"

enum { LOCK_PAUSE_NS = 20 * 1000 * 1000, MAX_TRIES = 100 };

/* Names. */

static size_t digits(const char *text)
{
    return strspn(text, "0123456789");
}

static bool is_random(const char *text)
{
    return strlen(text) == 16 && strspn(text, "0123456789abcdef") == 16;
}

static bool starts_with_date(const char *text)
{
    if (digits(text) != 4 || text[4] != '-' || digits(text + 5) != 2 || text[7] != '-' ||
        digits(text + 8) < 2)
        return false;
    return memcmp(text + 5, "01", 2) >= 0 && memcmp(text + 5, "12", 2) <= 0 &&
           memcmp(text + 8, "01", 2) >= 0 && memcmp(text + 8, "31", 2) <= 0;
}

bool is_date(const char *text)
{
    return starts_with_date(text) && text[10] == '\0';
}

/* What follows `prefix`, or NULL. */
static const char *behind(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);

    return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

static bool is_staging(const char *name)
{
    const char *pid = behind(name, ".staging-");

    return pid && digits(pid) > 0 && pid[digits(pid)] == '-' && is_random(pid + digits(pid) + 1);
}

static bool is_temporary_link(const char *name)
{
    const char *random = behind(name, ".latest-");

    return random && is_random(random);
}

/* ".retired-2026-03-31-<random>": the date within, or NULL. */
static const char *set_aside(const char *name, const char *prefix)
{
    const char *date = behind(name, prefix);

    return date && starts_with_date(date) && date[10] == '-' && is_random(date + 11) ? date : NULL;
}

/* Sweeping. */

/* Removes a folder that nobody has locked. */
static void remove_unlocked(int out, const char *name)
{
    _cleanup_close_ int fd = fs_open_dir(out, name);

    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        (void)fs_remove(out, name);
}

/* The time of the rename, which is a change of the folder's inode. A time in the future is one
   that a clock was set back over. */
static bool grace_is_over(int out, const char *name)
{
    struct timespec now;
    struct stat st;

    if (fs_inject("grace") < 0)
        return true; /* a test that cannot wait */
    if (fstatat(out, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || clock_gettime(CLOCK_REALTIME, &now) < 0)
        return false;
    return st.st_ctim.tv_sec + RETIRED_GRACE_S <= now.tv_sec ||
           st.st_ctim.tv_sec > now.tv_sec + RETIRED_GRACE_S;
}

/* A swap by two renames was killed: between them the date has no folder, behind them the old set
   still has its interim name. */
static void finish_swap(int out, const char *name, const char *date_and_random)
{
    _cleanup_free_ char *date = strndup(date_and_random, 10);
    _cleanup_free_ char *retired = str_format(".retired-%s", date_and_random);
    struct stat st;

    if (!date || !retired)
        return;
    if (fstatat(out, date, &st, AT_SYMLINK_NOFOLLOW) == 0)
        (void)fs_rename(out, name, retired, 0);
    else if (errno == ENOENT)
        (void)fs_rename(out, name, date, 0);
}

void out_sweep(int out)
{
    _cleanup_closedir_ DIR *stream = fs_list(out);
    struct dirent *entry;

    if (!stream)
        return;
    while ((entry = fs_next(stream))) {
        const char *name = entry->d_name, *swapping = set_aside(name, ".swapping-");

        if (swapping)
            finish_swap(out, name, swapping);
        else if (is_staging(name))
            remove_unlocked(out, name);
        else if (set_aside(name, ".retired-") && grace_is_over(out, name))
            remove_unlocked(out, name);
        else if (is_temporary_link(name))
            (void)unlinkat(out, name, 0);
    }
}

enum err_code out_lock(const struct staging *staging, const struct deadline *deadline,
                       struct err *err)
{
    static const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};

    while (fs_inject("flock") < 0 || flock(staging->out_fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            err_sys(err, ERR_CANTCREAT, errno, "could not lock \"%s\"", staging->out);
            err_hint(err, "the report folder must be on a file system with flock");
            return err->code;
        }
        if (deadline_check(deadline, err) != ERR_OK) {
            err_prefix(err, "waiting for another publish into \"%s\"", staging->out);
            return err->code;
        }
        nanosleep(&pause, NULL);
    }
    return ERR_OK;
}

/* Opening. */

static enum err_code refuse(struct err *err, const char *out, const char *what, const char *hint)
{
    err_set(err, ERR_CONFIG, "could not use the report folder \"%s\": %s", out, what);
    err_hint(err, "%s", hint);
    return err->code;
}

static enum err_code cannot_create(struct err *err, int errnum, const char *path)
{
    err_sys(err, ERR_CANTCREAT, errnum, "could not create \"%s\"", path);
    return fs_hint(err, errnum);
}

static enum err_code make_out(const char *out, struct err *err)
{
    _cleanup_free_ char *copy = strdup(out);
    const char *parent;
    struct stat st;

    if (!copy)
        return err_nomem(err);
    parent = dirname(copy);
    if (stat(parent, &st) < 0 && (errno == ENOENT || errno == ENOTDIR))
        return refuse(err, out, "the folder above it is missing",
                      "create it, or correct [reports] dir or --out");
    if (mkdir(out, 0750) < 0) {
        if (errno == EEXIST)
            return ERR_OK; /* another run was faster */
        return cannot_create(err, errno, out);
    }
    if (chmod(out, DIR_MODE) < 0) /* regardless of the umask */
        return cannot_create(err, errno, out);
    return durable_sync(parent, err);
}

static enum err_code check_out(const char *out, const struct stat *st, struct err *err)
{
    if (S_ISLNK(st->st_mode))
        return refuse(err, out, "it is a symbolic link", "name the folder that it leads to");
    if (!S_ISDIR(st->st_mode))
        return refuse(err, out, "it is not a folder", "move it away, or name another folder");
    if (st->st_mode & S_IWOTH)
        return refuse(err, out, "everyone may write to it", "run chmod o-w on it");
    return ERR_OK;
}

static enum err_code open_out(struct staging *staging, struct err *err)
{
    const char *out = staging->out;
    struct stat st;

    if (lstat(out, &st) < 0) {
        if (errno != ENOENT) {
            int errnum = errno;

            err_sys(err, errnum == ENOTDIR || errnum == ELOOP ? ERR_CONFIG : ERR_CANTCREAT, errnum,
                    "could not use the report folder \"%s\"", out);
            return fs_hint(err, errnum);
        }
        if (make_out(out, err) != ERR_OK)
            return err->code;
    } else if (check_out(out, &st, err) != ERR_OK) {
        return err->code;
    }
    staging->out_fd = fs_open_dir(AT_FDCWD, out);
    if (staging->out_fd < 0 || fstat(staging->out_fd, &st) < 0) {
        int errnum = errno;

        err_sys(err, ERR_CANTCREAT, errnum, "could not open the report folder \"%s\"", out);
        return fs_hint(err, errnum);
    }
    return check_out(out, &st, err); /* what was opened, whatever stood there before */
}

enum err_code latest_check(const struct staging *staging, struct err *err)
{
    struct stat st;

    if (fstatat(staging->out_fd, "latest", &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISLNK(st.st_mode))
        return ERR_OK;
    err_set(err, ERR_CANTCREAT, "could not replace \"%s/latest\": it is not a symbolic link",
            staging->out);
    err_hint(err, "move it away; lapse keeps a link of that name to the newest reports");
    return err->code;
}

/* True while the name still leads to the folder that was opened. */
static bool still_there(const struct staging *staging)
{
    struct stat own, named;

    return fstat(staging->fd, &own) == 0 &&
           fstatat(staging->out_fd, staging->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           own.st_dev == named.st_dev && own.st_ino == named.st_ino;
}

/* Makes, opens and locks the folder. Between making and locking it, somebody's sweep may have it:
   then *ret_lost, and another name is tried. The mode's 2000 hands the group of `out` on. */
static enum err_code make_folder(struct staging *staging, bool *ret_lost, struct err *err)
{
    int errnum = 0;

    if (fs_inject("mkdirat") < 0 || mkdirat(staging->out_fd, staging->name, 0700) < 0)
        return cannot_create(err, errno, staging->path);
    if (fchmodat(staging->out_fd, staging->name, 02700, 0) < 0)
        errnum = errno;
    else if ((staging->fd = fs_open_dir(staging->out_fd, staging->name)) < 0)
        errnum = errno;
    else if (flock(staging->fd, LOCK_EX | LOCK_NB) < 0)
        errnum = errno;
    else if (!still_there(staging))
        errnum = ENOENT;
    *ret_lost = errnum == ENOENT || errnum == EWOULDBLOCK;
    if (errnum == 0 || *ret_lost) {
        if (*ret_lost)
            closep(&staging->fd);
        return ERR_OK;
    }
    closep(&staging->fd);
    (void)fs_remove(staging->out_fd, staging->name);
    return cannot_create(err, errnum, staging->path);
}

static enum err_code make_staging(struct staging *staging, struct err *err)
{
    bool lost = true;

    for (int tries = 0; lost && tries < MAX_TRIES; tries++) {
        char random[17];

        if (fs_random(random, err) != ERR_OK)
            return err->code;
        free(staging->name);
        free(staging->path);
        staging->path = NULL;
        staging->name = str_format(".staging-%jd-%s", (intmax_t)getpid(), random);
        if (staging->name)
            staging->path = str_format("%s/%s", staging->out, staging->name);
        if (!staging->path)
            return err_nomem(err);
        if (make_folder(staging, &lost, err) != ERR_OK)
            return err->code;
    }
    if (lost)
        return err_set(err, ERR_TEMP, "could not keep a folder in \"%s\": something removes it",
                       staging->out);
    return ERR_OK;
}

enum err_code staging_open(struct staging **ret, const char *out, struct err *err)
{
    _cleanup_staging_ struct staging *staging = calloc(1, sizeof *staging);
    size_t len = strlen(out);

    if (!staging)
        return err_nomem(err);
    staging->out_fd = staging->fd = -1;
    while (len > 1 && out[len - 1] == '/')
        len--;
    staging->out = strndup(out, len);
    if (!staging->out)
        return err_nomem(err);
    if (*out != '/')
        return refuse(err, out, "it is not an absolute path", "write it from the root: /srv/...");
    if (len == 1)
        return refuse(err, out, "it is the root folder", "name a folder of its own");
    if (open_out(staging, err) != ERR_OK || latest_check(staging, err) != ERR_OK)
        return err->code;
    /* Somebody who publishes just now sweeps as well. */
    if (flock(staging->out_fd, LOCK_EX | LOCK_NB) == 0) {
        out_sweep(staging->out_fd);
        flock(staging->out_fd, LOCK_UN);
    }
    if (make_staging(staging, err) != ERR_OK)
        return err->code;
    *ret = TAKE_PTR(staging);
    return ERR_OK;
}

const char *staging_path(const struct staging *staging)
{
    return staging->path;
}

/* The folder is removed only where its name still leads to it: after a publish it has the date's
   name, and what stands under the old one may be the set that was replaced. */
void staging_discard(struct staging *staging)
{
    int saved = errno;

    if (!staging)
        return;
    if (staging->fd >= 0 && still_there(staging))
        (void)fs_remove(staging->out_fd, staging->name);
    if (staging->out_fd >= 0)
        flock(staging->out_fd, LOCK_UN);
    closep(&staging->fd);
    closep(&staging->out_fd);
    free(staging->out);
    free(staging->name);
    free(staging->path);
    free(staging);
    errno = saved;
}

void staging_discardp(struct staging **staging)
{
    staging_discard(*staging);
    *staging = NULL;
}
