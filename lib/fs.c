/* Small checked steps on the file system: see fs.h. */
#define _GNU_SOURCE
#include "fs.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ban.h"

enum { MAX_DEPTH = 64, COPY_BLOCK = 128 * 1024 };

int fs_inject(const char *call)
{
    int errnum = fs_fault ? fs_fault(call) : 0;

    if (errnum == 0)
        return 0;
    errno = errnum;
    return -1;
}

enum err_code fs_hint(struct err *err, int errnum)
{
    switch (errnum) {
    case ENOSPC:
        err_hint(err, "free space (or inodes) on that file system and run it again; what was "
                      "published before is untouched");
        break;
    case EDQUOT:
        err_hint(err, "raise the disk quota or free space and run it again; what was published "
                      "before is untouched");
        break;
    case EFBIG:
        err_hint(err, "raise the limit on file sizes (ulimit -f, LimitFSIZE=) and run it again; "
                      "what was published before is untouched");
        break;
    case EIO:
        err_hint(err, "look for disk errors in the kernel log; what was published before is "
                      "untouched");
        break;
    case EROFS:
        err_hint(err, "the file system is read-only: mount it writable, or choose another "
                      "folder; in a systemd unit name it in ReadWritePaths=");
        break;
    case EACCES:
    case EPERM:
        err_hint(err, "run it as the user who owns the folder, or give that user write access");
        break;
    default:
        break;
    }
    return err->code;
}

int fs_write(int fd, const void *data, size_t len)
{
    const unsigned char *bytes = data;

    while (len > 0) {
        ssize_t n = fs_inject("write") < 0 ? -1 : write(fd, bytes, len);

        if (n == 0)
            errno = EIO; /* no progress and no reason: do not loop for ever */
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

int fs_scratch(const char *dir)
{
    _cleanup_free_ char *path = str_format("%s/.scratch.XXXXXX", dir);
    int fd;

    if (!path) {
        errno = ENOMEM;
        return -1;
    }
    fd = fs_inject("open") < 0 ? -1 : mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

enum err_code fs_sync(int fd, const char *shown, struct err *err)
{
    struct stat st;
    int errnum;

    while (fs_inject("fsync") < 0 || fsync(fd) < 0) {
        errnum = errno;
        if (errnum == EINTR)
            continue;
        if ((errnum == EINVAL || errnum == EBADF) && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
            break; /* as PostgreSQL's fsync_fname: some file systems cannot sync folders */
        err_sys(err, ERR_IO, errnum, "could not fsync \"%s\"", shown);
        return fs_hint(err, errnum);
    }
    return ERR_OK;
}

enum err_code durable_rename(const char *from, const char *to, struct err *err)
{
    _cleanup_free_ char *copy = strdup(to);
    _cleanup_close_ int dir = -1;
    char *parent;

    if (!copy)
        return err_nomem(err);
    parent = dirname(copy);
    dir = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return err_sys(err, ERR_IO, errno, "could not open \"%s\"", parent);
    if (fs_inject("rename") < 0 || rename(from, to) < 0) {
        int errnum = errno;

        err_sys(err, ERR_IO, errnum, "could not rename \"%s\" to \"%s\"", from, to);
        return fs_hint(err, errnum);
    }
    return fs_sync(dir, parent, err);
}

int fs_rename(int dir, const char *from, const char *to, unsigned flags)
{
    /* Each kind under a name of its own, so that a test can take one away. */
    const char *call = flags & RENAME_EXCHANGE    ? "renameat2/exchange"
                       : flags & RENAME_NOREPLACE ? "renameat2/noreplace"
                                                  : "renameat";

    if (fs_inject(call) < 0)
        return -1;
    return flags ? renameat2(dir, from, dir, to, flags) : renameat(dir, from, dir, to);
}

int fs_open_dir(int dir, const char *name)
{
    return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

DIR *fs_list(int dir)
{
    int own = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* its own position */
    DIR *stream;

    if (own < 0)
        return NULL;
    stream = fdopendir(own);
    if (!stream)
        closep(&own);
    return stream;
}

void closedirp(DIR **dir)
{
    int saved = errno;

    if (*dir)
        closedir(*dir);
    *dir = NULL;
    errno = saved;
}

struct dirent *fs_next(DIR *stream)
{
    struct dirent *entry;

    do {
        errno = 0;
        entry = readdir(stream);
    } while (entry && (str_eq(entry->d_name, ".") || str_eq(entry->d_name, "..")));
    return entry;
}

static int remove_at_depth(int dir, const char *name, int depth);

static int remove_entries(int dir, int depth)
{
    _cleanup_closedir_ DIR *stream = fs_list(dir);
    struct dirent *entry;
    int first = 0;

    if (!stream)
        return -1;
    while ((entry = fs_next(stream)))
        if (remove_at_depth(dir, entry->d_name, depth) < 0 && first == 0)
            first = errno;
    if (first == 0)
        first = errno; /* of fs_next */
    errno = first;
    return first ? -1 : 0;
}

static int remove_at_depth(int dir, const char *name, int depth)
{
    _cleanup_close_ int fd = -1;

    if (fs_inject("unlinkat") < 0)
        return -1;
    if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -1;
    if (depth >= MAX_DEPTH) {
        errno = ELOOP;
        return -1;
    }
    fd = fs_open_dir(dir, name);
    if (fd < 0 || remove_entries(fd, depth + 1) < 0)
        return -1;
    if (fs_inject("rmdir") < 0)
        return -1;
    return unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -1;
}

int fs_remove(int dir, const char *name)
{
    return remove_at_depth(dir, name, 0);
}

/* Everything from `in` into `out`, then fsync. -1 with errno. */
static int copy_bytes(int in, int out)
{
    _cleanup_free_ char *block = malloc(COPY_BLOCK);
    ssize_t n;

    if (!block)
        return -1;
    while ((n = read(in, block, COPY_BLOCK)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        for (ssize_t done = 0; done < n;) {
            ssize_t m = fs_inject("write") < 0 ? -1 : write(out, block + done, (size_t)(n - done));

            if (m < 0 && errno == EINTR)
                continue;
            if (m <= 0)
                return -1;
            done += m;
        }
    }
    return fs_inject("fsync") < 0 || fsync(out) < 0 ? -1 : 0;
}

/* A durable copy of a regular file, its mode and time kept. -1 with errno. */
static int copy_file(int from, int to, const char *name)
{
    _cleanup_close_ int in = openat(from, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_close_ int out = -1;
    struct stat st;
    struct timespec times[2];

    if (in < 0 || fstat(in, &st) < 0)
        return -1;
    out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (out < 0)
        return -1;
    times[0] = st.st_atim;
    times[1] = st.st_mtim;
    if (fchmod(out, st.st_mode & 0777) < 0 || futimens(out, times) < 0)
        return -1;
    return copy_bytes(in, out);
}

static int copy_link(int from, int to, const char *name)
{
    char target[4096];
    ssize_t n = readlinkat(from, name, target, sizeof target - 1);

    if (n < 0)
        return -1;
    if ((size_t)n == sizeof target - 1) {
        errno = ENAMETOOLONG;
        return -1;
    }
    target[n] = '\0';
    return symlinkat(target, to, name);
}

static int carry_at_depth(int from, int to, const char *name, int depth);

static int carry_folder(int from, int to, const char *name, mode_t mode, int depth)
{
    _cleanup_close_ int source = fs_open_dir(from, name), target = -1;
    _cleanup_closedir_ DIR *stream = NULL;
    struct dirent *entry;

    if (depth >= MAX_DEPTH) {
        errno = ELOOP;
        return -1;
    }
    if (source < 0 || mkdirat(to, name, 0700) < 0)
        return -1;
    target = fs_open_dir(to, name);
    stream = fs_list(source);
    if (target < 0 || !stream)
        return -1;
    while ((entry = fs_next(stream)))
        if (carry_at_depth(source, target, entry->d_name, depth + 1) < 0)
            return -1;
    if (errno != 0 || fchmod(target, mode & 07777) < 0)
        return -1;
    return fs_inject("fsync") < 0 || fsync(target) < 0 ? -1 : 0;
}

/* linkat fails for good reasons that a copy does not share: another user's file under
   protected_hardlinks, a file system without links, too many links. */
static bool copy_instead(int errnum)
{
    return errnum == EPERM || errnum == EACCES || errnum == EXDEV || errnum == EMLINK ||
           errnum == EOPNOTSUPP || errnum == ENOSYS;
}

static int carry_at_depth(int from, int to, const char *name, int depth)
{
    struct stat st;

    if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    if (S_ISDIR(st.st_mode))
        return carry_folder(from, to, name, st.st_mode, depth);
    if (fs_inject("linkat") == 0 && linkat(from, name, to, name, 0) == 0)
        return 0;
    if (!copy_instead(errno))
        return -1;
    if (S_ISLNK(st.st_mode))
        return copy_link(from, to, name);
    if (S_ISREG(st.st_mode))
        return copy_file(from, to, name);
    return -1;
}

enum err_code fs_carry(int from, int to, const char *name, const char *shown, struct err *err)
{
    int errnum;

    if (carry_at_depth(from, to, name, 0) == 0)
        return ERR_OK;
    errnum = errno;
    err_sys(err, ERR_IO, errnum, "could not carry over \"%s\"", shown);
    return fs_hint(err, errnum);
}

enum err_code fs_random(char ret[17], struct err *err)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char bytes[8];

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return err_sys(err, ERR_INTERNAL, errno, "could not get random bytes");
    for (size_t i = 0; i < sizeof bytes; i++) {
        ret[2 * i] = hex[bytes[i] >> 4];
        ret[2 * i + 1] = hex[bytes[i] & 15];
    }
    ret[16] = '\0';
    return ERR_OK;
}
