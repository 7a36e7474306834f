/* LD_PRELOAD: makes the n-th call of a kind fail, on files below one folder.
 *
 *     LAPSE_TEST_FAULT_CALL    write, fsync, rename, close (stdio's fwrite counts as write)
 *     LAPSE_TEST_FAULT_AT      which call fails, from 1; 0: none
 *     LAPSE_TEST_FAULT_ERRNO   its errno, a number
 *     LAPSE_TEST_FAULT_FOR     "1": that call alone, else all from then on (a full disk stays full)
 *     LAPSE_TEST_FAULT_UNDER   the folder
 *     LAPSE_TEST_FAULT_COUNT   a file that is told, at the end, how many calls there were */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int count;

static const char *wanted(const char *name)
{
    const char *value = getenv(name);

    return value ? value : "";
}

static int is_ours(int fd)
{
    char link[64], path[4096];
    const char *under = wanted("LAPSE_TEST_FAULT_UNDER");
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof path - 1);
    if (n < 0)
        return 0;
    path[n] = '\0';
    return *under && strncmp(path, under, strlen(under)) == 0;
}

/* True, with errno set, where this call is to fail. */
static int strikes(const char *call)
{
    long at = strtol(wanted("LAPSE_TEST_FAULT_AT"), NULL, 10);

    if (strcmp(call, wanted("LAPSE_TEST_FAULT_CALL")) != 0)
        return 0;
    count++;
    if (at == 0 || count < at || (count > at && strcmp(wanted("LAPSE_TEST_FAULT_FOR"), "1") == 0))
        return 0;
    errno = (int)strtol(wanted("LAPSE_TEST_FAULT_ERRNO"), NULL, 10);
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *data, size_t len)
{
    if (is_ours(fd) && strikes("write"))
        return -1;
    return REAL(write)(fd, data, len);
}

size_t fwrite(const void *data, size_t size, size_t n, FILE *file)
{
    if (is_ours(fileno(file)) && strikes("write"))
        return 0;
    return REAL(fwrite)(data, size, n, file);
}

int fsync(int fd)
{
    if (is_ours(fd) && strikes("fsync"))
        return -1;
    return REAL(fsync)(fd);
}

int rename(const char *from, const char *to)
{
    if (strikes("rename"))
        return -1;
    return REAL(rename)(from, to);
}

int renameat(int a, const char *from, int b, const char *to)
{
    if (strikes("rename"))
        return -1;
    return REAL(renameat)(a, from, b, to);
}

int renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
    if (strikes("rename"))
        return -1;
    return REAL(renameat2)(a, from, b, to, flags);
}

/* The descriptor is given back, as on Linux. Folders and read-only files are closed without a
 * check. */
int close(int fd)
{
    int ours = fd > 2 && is_ours(fd) && (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY;
    int failed = ours && strikes("close"), errnum = errno;
    int rc = REAL(close)(fd);

    if (failed)
        errno = errnum;
    return failed ? -1 : rc;
}

int fclose(FILE *file)
{
    int failed = is_ours(fileno(file)) && strikes("close"), errnum = errno;
    int rc = REAL(fclose)(file);

    if (failed)
        errno = errnum;
    return failed ? EOF : rc;
}

__attribute__((destructor)) static void tell(void)
{
    const char *path = wanted("LAPSE_TEST_FAULT_COUNT");
    int fd = *path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    char text[32];
    int n = snprintf(text, sizeof text, "%d\n", count);

    if (fd >= 0) {
        ssize_t ignored = REAL(write)(fd, text, (size_t)n);

        (void)ignored;
        REAL(close)(fd);
    }
}
