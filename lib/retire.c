/* Retiring a published set that is past its time: see publish.h. */
#define _GNU_SOURCE
#include "publish.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs.h"
#include "staging.h"

#include "ban.h"

/* A file of the set: of that name, and a file. */
static bool is_known(int dir, const char *name, const char *const *known, size_t n)
{
    bool named = str_eq(name, "manifest.json") || str_eq(name, "SHA256SUMS");
    struct stat st;

    for (size_t i = 0; !named && i < n; i++)
        named = str_eq(name, known[i]);
    return named && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

/* The first name in the folder that is not known, or NULL. */
static enum err_code find_stranger(int dir, const char *folder, const char *const *known, size_t n,
                                   char **ret, struct err *err)
{
    _cleanup_closedir_ DIR *stream = fs_list(dir);
    struct dirent *entry;

    if (!stream)
        return err_sys(err, ERR_IO, errno, "could not read \"%s\"", folder);
    while ((entry = fs_next(stream)))
        if (!is_known(dir, entry->d_name, known, n)) {
            *ret = strdup(entry->d_name);
            return *ret ? ERR_OK : err_nomem(err);
        }
    return ERR_OK;
}

static bool is_latest(int out, const char *date)
{
    char target[PATH_MAX];
    ssize_t n = readlinkat(out, "latest", target, sizeof target - 1);

    if (n < 0)
        return false;
    target[n] = '\0';
    return str_eq(target, date);
}

static enum err_code retire(const struct staging *staging, const char *date,
                            const char *const *known, size_t n, char **ret_kept, struct err *err)
{
    _cleanup_free_ char *stranger = NULL, *retired = NULL;
    _cleanup_close_ int dir = fs_open_dir(staging->out_fd, date);
    char random[17];

    if (dir < 0 && errno == ENOENT)
        return ERR_OK;
    if (dir < 0 && (errno == ENOTDIR || errno == ELOOP)) {
        *ret_kept = strdup("it is not a folder");
        return *ret_kept ? ERR_OK : err_nomem(err);
    }
    if (dir < 0)
        return err_sys(err, ERR_IO, errno, "could not open \"%s/%s\"", staging->out, date);
    if (find_stranger(dir, date, known, n, &stranger, err) != ERR_OK)
        return err->code;
    if (stranger || is_latest(staging->out_fd, date)) {
        *ret_kept = stranger
                        ? str_format("it holds \"%s\", which the ledger does not know", stranger)
                        : strdup("it is the latest there is");
        return *ret_kept ? ERR_OK : err_nomem(err);
    }
    if (fs_random(random, err) != ERR_OK)
        return err->code;
    retired = str_format(".retired-%s-%s", date, random);
    if (!retired)
        return err_nomem(err);
    if (fs_rename(staging->out_fd, date, retired, 0) < 0)
        return err_sys(err, ERR_IO, errno, "could not retire \"%s/%s\"", staging->out, date);
    /* Before the ledger forgets it: a set that came back after a power cut would stay for ever. */
    if (fsync(staging->out_fd) < 0)
        return err_sys(err, ERR_IO, errno, "could not write \"%s\" to the disk", staging->out);
    return ERR_OK;
}

enum err_code set_retire(const char *folder, const char *const *known, size_t n_known,
                         const struct deadline *deadline, char **ret_kept, struct err *err)
{
    _cleanup_staging_ struct staging *staging = NULL;
    _cleanup_free_ char *out = strdup(folder);
    char *slash = out ? strrchr(out, '/') : NULL;
    enum err_code code;

    *ret_kept = NULL;
    if (!out)
        return err_nomem(err);
    if (!slash || slash == out || !is_date(slash + 1))
        return err_set(err, ERR_INTERNAL, "\"%s\" is not the folder of a set", folder);
    *slash = '\0';
    if (access(out, F_OK) < 0 && errno == ENOENT)
        return ERR_OK;
    code = staging_open(&staging, out, err);
    if (code == ERR_OK)
        code = out_lock(staging, deadline, err);
    if (code == ERR_OK)
        code = retire(staging, slash + 1, known, n_known, ret_kept, err);
    return code;
}
