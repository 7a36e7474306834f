/* Files that are whole or not there. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs.h"
#include "outfile.h"

#include "ban.h"

static const char *fault_call; /* the call to fail... */
static int fault_errno;        /* ...with this */
static int fault_times;        /* ...so many times */

int fs_fault(const char *call)
{
    if (!str_eq(call, fault_call) || fault_times <= 0)
        return 0;
    fault_times--;
    return fault_errno;
}

static char dir[] = "/tmp/test_outfile.XXXXXX";

static int setup(void **state _unused_)
{
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state _unused_)
{
    return fs_remove(AT_FDCWD, dir);
}

static size_t entries(void)
{
    _cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY);
    _cleanup_closedir_ DIR *stream = fs_list(fd);
    size_t n = 0;

    while (fs_next(stream))
        n++;
    return n;
}

static enum err_code write_pattern(const char *name, size_t len, size_t step, struct err *err)
{
    _cleanup_outfile_ struct outfile *file = NULL;
    _cleanup_free_ char *data = malloc(len + 1);

    for (size_t i = 0; i < len; i++)
        data[i] = (char)('a' + i % 23);
    if (outfile_open(&file, dir, name, err) != ERR_OK)
        return err->code;
    for (size_t done = 0; done < len;) {
        size_t n = len - done < step ? len - done : step;

        if (outfile_write(file, data + done, n, err) != ERR_OK)
            return err->code;
        done += n;
    }
    return outfile_finish(TAKE_PTR(file), err);
}

static void test_happy(void **state _unused_)
{
    static const size_t steps[] = {1, 1000, 131071, 131072, 131073, 400000};
    _cleanup_free_ char *path = str_format("%s/happy", dir);
    char first[65] = "", hex[65];
    uint64_t bytes;
    struct stat st;
    mode_t mask = umask(0777);

    for (size_t i = 0; i < COUNT(steps); i++) {
        _cleanup_err_ struct err err = {0};

        assert_int_equal(write_pattern("happy", 400000, steps[i], &err), ERR_OK);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0640);
        assert_int_equal(file_sha256(path, hex, &bytes, &err), ERR_OK);
        assert_int_equal(bytes, 400000);
        if (i == 0)
            memcpy(first, hex, sizeof first);
        assert_string_equal(hex, first);
        assert_int_equal(durable_sync(path, &err), ERR_OK);
        assert_int_equal(durable_sync(dir, &err), ERR_OK);
        unlink(path);
    }
    umask(mask);
}

/* Longer than what is sent to the disk at a time; what was flushed can be read before the end. */
static void test_flush(void **state _unused_)
{
    _cleanup_err_ struct err err = {0};
    _cleanup_free_ char *path = str_format("%s/flushed", dir);
    _cleanup_free_ char *block = calloc(1, 100000);
    struct outfile *file;
    char hex[65];
    uint64_t bytes;

    assert_non_null(block);
    assert_int_equal(outfile_open(&file, dir, "flushed", &err), ERR_OK);
    for (int i = 0; i < 200; i++)
        assert_int_equal(outfile_write(file, block, 100000, &err), ERR_OK);
    assert_int_equal(outfile_write(file, "end", 3, &err), ERR_OK);
    assert_int_equal(outfile_flush(file, &err), ERR_OK);
    assert_int_equal(file_sha256(path, hex, &bytes, &err), ERR_OK);
    assert_int_equal(bytes, 200 * 100000 + 3);
    assert_int_equal(outfile_write(file, "more", 4, &err), ERR_OK);
    assert_int_equal(outfile_finish(file, &err), ERR_OK);
    assert_int_equal(file_sha256(path, hex, &bytes, &err), ERR_OK);
    assert_int_equal(bytes, 200 * 100000 + 7);
    unlink(path);
}

static void test_sha256(void **state _unused_)
{
    _cleanup_err_ struct err err = {0}, other = {0}, fifo = {0};
    _cleanup_free_ char *path = str_format("%s/abc", dir), *pipe = str_format("%s/fifo", dir);
    struct outfile *file;
    char hex[65];
    uint64_t bytes;

    assert_int_equal(outfile_open(&file, dir, "abc", &err), ERR_OK);
    assert_int_equal(outfile_finish(file, &err), ERR_OK);
    assert_int_equal(file_sha256(path, hex, &bytes, &err), ERR_OK);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_int_equal(bytes, 0);
    unlink(path);
    assert_int_equal(outfile_open(&file, dir, "abc", &err), ERR_OK);
    assert_int_equal(outfile_write(file, "abc", 3, &err), ERR_OK);
    assert_int_equal(outfile_write(file, NULL, 0, &err), ERR_OK);
    assert_int_equal(outfile_finish(file, &err), ERR_OK);
    assert_int_equal(file_sha256(path, hex, &bytes, &err), ERR_OK);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    unlink(path);
    assert_int_equal(file_sha256(path, hex, &bytes, &other), ERR_IO);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(file_sha256(pipe, hex, &bytes, &fifo), ERR_IO); /* does not hang */
    unlink(pipe);
}

static void test_refused(void **state _unused_)
{
    static const char *const names[] = {"", ".", "..", "a/b", "/etc/x"};
    _cleanup_free_ char *link = str_format("%s/link", dir), *target = str_format("%s/t", dir);
    struct outfile *file = NULL;
    struct stat st;

    for (size_t i = 0; i < COUNT(names); i++) {
        _cleanup_err_ struct err err = {0};

        assert_int_equal(outfile_open(&file, dir, names[i], &err), ERR_INTERNAL);
    }
    assert_int_equal(symlink(target, link), 0);
    for (int i = 0; i < 2; i++) { /* a link, dangling or not, is neither followed nor removed */
        _cleanup_err_ struct err err = {0};

        assert_int_equal(outfile_open(&file, dir, "link", &err), ERR_CANTCREAT);
        assert_null(file);
        assert_int_equal(lstat(link, &st), 0);
        assert_int_equal(close(open(target, O_WRONLY | O_CREAT, 0600)), 0);
    }
    unlink(link);
    unlink(target);
    {
        _cleanup_err_ struct err err = {0};

        assert_int_equal(outfile_open(&file, "/nonexistent", "x", &err), ERR_CANTCREAT);
        assert_string_equal(err.message,
                            "could not create \"/nonexistent/x\": No such file or directory");
    }
}

static void test_discard(void **state _unused_)
{
    _cleanup_err_ struct err err = {0};
    struct outfile *file;

    assert_int_equal(outfile_open(&file, dir, "gone", &err), ERR_OK);
    assert_int_equal(outfile_write(file, "abc", 3, &err), ERR_OK);
    outfile_discard(file);
    outfile_discard(NULL);
    assert_int_equal(entries(), 0);
}

/* Every call that can fail, with what a disk can say: the code, the words, and nothing left. */
static void test_faults(void **state _unused_)
{
    static const struct {
        const char *call;
        int errnum;
        enum err_code code;
        const char *message;
    } cases[] = {
        {"open", ENOSPC, ERR_CANTCREAT, "could not create \"%s/f\": No space left on device"},
        {"open", EACCES, ERR_CANTCREAT, "could not create \"%s/f\": Permission denied"},
        {"open", EMFILE, ERR_NOMEM, "could not create \"%s/f\": Too many open files"},
        {"fchmod", EIO, ERR_IO, "could not set the mode of \"%s/f\": Input/output error"},
        {"write", ENOSPC, ERR_IO, "could not write \"%s/f\": No space left on device"},
        {"write", EDQUOT, ERR_IO, "could not write \"%s/f\": Disk quota exceeded"},
        {"write", EFBIG, ERR_IO, "could not write \"%s/f\": File too large"},
        {"write", EIO, ERR_IO, "could not write \"%s/f\": Input/output error"},
        {"fsync", ENOSPC, ERR_IO, "could not write \"%s/f\": No space left on device"},
        {"fsync", EIO, ERR_IO, "could not write \"%s/f\": Input/output error"},
        {"close", EIO, ERR_IO, "could not close \"%s/f\": Input/output error"},
        {"close", EDQUOT, ERR_IO, "could not close \"%s/f\": Disk quota exceeded"},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t len = 1; len <= 300000; len += 299999) {
            _cleanup_err_ struct err err = {0};
            char message[256];

            fault_call = cases[i].call;
            fault_errno = cases[i].errnum;
            fault_times = 1;
            assert_int_equal(write_pattern("f", len, 1000, &err), cases[i].code);
            assert_int_equal(fault_times, 0);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(message, sizeof message, cases[i].message, dir);
#pragma GCC diagnostic pop
            assert_string_equal(err.message, message);
            if (cases[i].errnum != EMFILE)
                assert_non_null(err.hint);
            assert_int_equal(entries(), 0);
        }
    for (size_t i = 0; i < 2; i++) { /* interrupted: goes on */
        _cleanup_err_ struct err err = {0};

        fault_call = i ? "fsync" : "write";
        fault_errno = EINTR;
        fault_times = 3;
        assert_int_equal(write_pattern("f", 300000, 1000, &err), ERR_OK);
        assert_int_equal(fault_times, 0);
        assert_int_equal(entries(), 1);
        fs_remove(AT_FDCWD, dir);
        mkdir(dir, 0700);
    }
    fault_call = NULL;
}

/* A write after a failed one fails too, whoever ignored the first. */
static void test_stays_failed(void **state _unused_)
{
    _cleanup_err_ struct err first = {0}, second = {0}, third = {0};
    _cleanup_free_ char *data = calloc(1, 300000);
    struct outfile *file;

    assert_int_equal(outfile_open(&file, dir, "f", &first), ERR_OK);
    fault_call = "write";
    fault_errno = ENOSPC;
    fault_times = 1;
    assert_int_equal(outfile_write(file, data, 300000, &first), ERR_IO);
    assert_int_equal(entries(), 0);
    assert_int_equal(outfile_write(file, data, 1, &second), ERR_IO);
    assert_int_equal(outfile_finish(file, &third), ERR_IO);
    fault_call = NULL;
}

/* The kernel's own short writes and EFBIG. */
static void test_size_limit(void **state _unused_)
{
    for (rlim_t limit = 0; limit <= 320000; limit += 7919) {
        pid_t pid = fork();
        int status;

        if (pid == 0) {
            struct rlimit cap = {.rlim_cur = limit, .rlim_max = limit};
            struct err err = {0};
            enum err_code code;

            signal(SIGXFSZ, SIG_IGN);
            setrlimit(RLIMIT_FSIZE, &cap);
            code = write_pattern("f", 300000, 4096, &err);
            _exit(code == (limit < 300000 ? ERR_IO : ERR_OK) &&
                          (code == ERR_OK || strstr(err.message, "File too large"))
                      ? 0
                      : 1);
        }
        waitpid(pid, &status, 0);
        assert_int_equal(status, 0);
        assert_int_equal(entries(), limit < 300000 ? 0 : 1);
        fs_remove(AT_FDCWD, dir);
        mkdir(dir, 0700);
    }
}

static void test_rename(void **state _unused_)
{
    _cleanup_err_ struct err err = {0}, renamed = {0};
    _cleanup_free_ char *a = str_format("%s/a", dir), *b = str_format("%s/b", dir);

    assert_int_equal(write_pattern("a", 10, 10, &err), ERR_OK);
    assert_int_equal(durable_rename(a, b, &err), ERR_OK);
    assert_int_equal(durable_rename(a, b, &renamed), ERR_IO);
    assert_non_null(strstr(renamed.message, "could not rename"));
    unlink(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_happy),        cmocka_unit_test(test_flush),
        cmocka_unit_test(test_sha256),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_discard),      cmocka_unit_test(test_faults),
        cmocka_unit_test(test_stays_failed), cmocka_unit_test(test_size_limit),
        cmocka_unit_test(test_rename),
    };

    return cmocka_run_group_tests_name("outfile", tests, setup, teardown);
}
