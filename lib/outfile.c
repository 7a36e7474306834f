/* A file that is whole or not there: see outfile.h. */
#define _GNU_SOURCE
#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/evp.h>

#include "fs.h"

#include "ban.h"

enum { BUFFER_SIZE = 128 * 1024, WRITEBACK = 8 * 1024 * 1024 };

struct outfile {
    char *path;
    int fd;                         /* -1 once the file is closed or, after a failure, removed */
    uint64_t written, on_their_way; /* bytes: in the file, and of these to the disk */
    size_t used;
    unsigned char buffer[BUFFER_SIZE];
};

/* Closes and removes; the struct stays for its owner to free. Cannot fail in a way that matters:
   what is left behind lies in a staging folder, and the next sweep removes that. */
static void withdraw(struct outfile *file)
{
    if (file->fd < 0)
        return;
    closep(&file->fd);
    unlink(file->path);
}

void outfile_discard(struct outfile *file)
{
    int saved = errno;

    if (!file)
        return;
    withdraw(file);
    free(file->path);
    free(file);
    errno = saved;
}

void outfile_discardp(struct outfile **file)
{
    outfile_discard(*file);
    *file = NULL;
}

static enum err_code fail(struct outfile *file, int errnum, const char *verb, struct err *err)
{
    err_sys(err, ERR_IO, errnum, "could not %s \"%s\"", verb, file->path);
    withdraw(file);
    return fs_hint(err, errnum);
}

enum err_code outfile_open(struct outfile **ret, const char *dir, const char *name, struct err *err)
{
    _cleanup_outfile_ struct outfile *file = NULL;

    if (*name == '\0' || strchr(name, '/') || str_eq(name, ".") || str_eq(name, ".."))
        return err_set(err, ERR_INTERNAL, "\"%s\" is not a file name", name);
    file = malloc(sizeof *file);
    if (!file)
        return err_nomem(err);
    file->fd = -1;
    file->used = 0;
    file->written = file->on_their_way = 0;
    file->path = str_format("%s/%s", dir, name);
    if (!file->path)
        return err_nomem(err);
    if (fs_inject("open") == 0)
        file->fd = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file->fd < 0) {
        int errnum = errno;

        err_sys(err, ERR_CANTCREAT, errnum, "could not create \"%s\"", file->path);
        return fs_hint(err, errnum);
    }
    if (fs_inject("fchmod") < 0 || fchmod(file->fd, FILE_MODE) < 0)
        return fail(file, errno, "set the mode of", err);
    *ret = TAKE_PTR(file);
    return ERR_OK;
}

/* Has the disk begin with what is there: fsync waits for the rest alone. Whether the disk took it,
   fsync tells. */
static void send_off(struct outfile *file)
{
    sync_file_range(file->fd, (off_t)file->on_their_way,
                    (off_t)(file->written - file->on_their_way), SYNC_FILE_RANGE_WRITE);
    file->on_their_way = file->written;
}

static enum err_code write_out(struct outfile *file, const void *data, size_t len, struct err *err)
{
    if (fs_write(file->fd, data, len) < 0)
        return fail(file, errno, "write", err);
    file->written += len;
    if (file->written - file->on_their_way >= WRITEBACK)
        send_off(file);
    return ERR_OK;
}

static enum err_code flush(struct outfile *file, struct err *err)
{
    size_t used = file->used;

    file->used = 0;
    return write_out(file, file->buffer, used, err);
}

static enum err_code failed_before(const struct outfile *file, struct err *err)
{
    return err_set(err, ERR_IO, "could not write \"%s\": an earlier write failed", file->path);
}

enum err_code outfile_write(struct outfile *file, const void *data, size_t len, struct err *err)
{
    if (file->fd < 0)
        return failed_before(file, err);
    if (len > BUFFER_SIZE - file->used && flush(file, err) != ERR_OK)
        return err->code;
    if (len >= BUFFER_SIZE) /* the buffer is empty now */
        return write_out(file, data, len, err);
    if (len > 0)
        memcpy(file->buffer + file->used, data, len);
    file->used += len;
    return ERR_OK;
}

enum err_code outfile_flush(struct outfile *file, struct err *err)
{
    if (file->fd < 0)
        return failed_before(file, err);
    if (flush(file, err) == ERR_OK)
        send_off(file);
    return err->code;
}

/* close(2), which on Linux gives the descriptor back whatever it says. */
static int close_checked(int fd)
{
    int injected = fs_inject("close"), saved = errno;
    int rc = close(fd);

    if (injected < 0) {
        errno = saved;
        return -1;
    }
    return rc < 0 && errno != EINTR ? -1 : 0; /* interrupted after fsync is no harm */
}

static enum err_code complete(struct outfile *file, struct err *err)
{
    int fd;

    if (file->fd < 0)
        return failed_before(file, err);
    if (flush(file, err) != ERR_OK)
        return err->code;
    while (fs_inject("fsync") < 0 || fsync(file->fd) < 0)
        if (errno != EINTR)
            return fail(file, errno, "write", err);
    fd = file->fd;
    file->fd = -1;
    if (close_checked(fd) < 0) {
        int errnum = errno;

        unlink(file->path);
        err_sys(err, ERR_IO, errnum, "could not close \"%s\"", file->path);
        return fs_hint(err, errnum);
    }
    return ERR_OK;
}

enum err_code outfile_finish(struct outfile *file, struct err *err)
{
    enum err_code code = complete(file, err);

    outfile_discard(file); /* closed or removed: only the memory */
    return code;
}

enum err_code durable_sync(const char *path, struct err *err)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return err_sys(err, ERR_IO, errno, "could not open \"%s\"", path);
    return fs_sync(fd, path, err);
}

static void digest_freep(EVP_MD_CTX **digest)
{
    EVP_MD_CTX_free(*digest);
}

static enum err_code feed_digest(EVP_MD_CTX *digest, int fd, const char *shown, uint64_t *ret_bytes,
                                 struct err *err)
{
    _cleanup_free_ unsigned char *block = malloc(BUFFER_SIZE);
    uint64_t bytes = 0;

    if (!block)
        return err_nomem(err);
    for (;;) {
        ssize_t n = fs_inject("read") < 0 ? -1 : read(fd, block, BUFFER_SIZE);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int errnum = errno;

            err_sys(err, ERR_IO, errnum, "could not read \"%s\"", shown);
            return fs_hint(err, errnum);
        }
        if (n == 0)
            break;
        if (EVP_DigestUpdate(digest, block, (size_t)n) != 1)
            return err_set(err, ERR_INTERNAL, "could not compute a SHA-256");
        bytes += (uint64_t)n;
    }
    *ret_bytes = bytes;
    return ERR_OK;
}

enum err_code fd_sha256(int fd, const char *shown, char ret_hex[65], uint64_t *ret_bytes,
                        struct err *err)
{
    static const char hex[] = "0123456789abcdef";
    _cleanup_(digest_freep) EVP_MD_CTX *digest = EVP_MD_CTX_new();
    unsigned char sum[EVP_MAX_MD_SIZE];
    struct stat st;

    if (!digest)
        return err_nomem(err);
    if (fstat(fd, &st) < 0)
        return err_sys(err, ERR_IO, errno, "could not read \"%s\"", shown);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_IO, "could not read \"%s\": not a regular file", shown);
    if (EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1)
        return err_set(err, ERR_INTERNAL, "could not compute a SHA-256");
    if (feed_digest(digest, fd, shown, ret_bytes, err) != ERR_OK)
        return err->code;
    if (EVP_DigestFinal_ex(digest, sum, NULL) != 1)
        return err_set(err, ERR_INTERNAL, "could not compute a SHA-256");
    for (size_t i = 0; i < 32; i++) {
        ret_hex[2 * i] = hex[sum[i] >> 4];
        ret_hex[2 * i + 1] = hex[sum[i] & 15];
    }
    ret_hex[64] = '\0';
    return ERR_OK;
}

enum err_code file_sha256(const char *path, char ret_hex[65], uint64_t *ret_bytes, struct err *err)
{
    /* O_NONBLOCK: a FIFO of that name must not hang us; it is refused below. */
    _cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return err_sys(err, ERR_IO, errno, "could not open \"%s\"", path);
    return fd_sha256(fd, path, ret_hex, ret_bytes, err);
}
