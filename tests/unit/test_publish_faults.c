/* Publishing while things break: killed at every step and at random, every step failing, size
   limits, a full disk, readers all the while. What was published before stays as it was, or the
   new set is whole. */
#define _GNU_SOURCE
#include "publish_fixture.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "ban.h"

#define DATE "2026-03-31"

static int fault_at;          /* the step to break, counted from 1; 0 is none */
static int fault_errno;       /* what it says; 0: the process is killed there */
static bool without_exchange; /* as a file system that has no such rename */
static int step;
static char fault_call[32]; /* which it was */

int fs_fault(const char *call)
{
    if (without_exchange &&
        (str_eq(call, "renameat2/exchange") || str_eq(call, "renameat2/noreplace")))
        return EINVAL;
    if (++step != fault_at)
        return 0;
    snprintf(fault_call, sizeof fault_call, "%s", call);
    if (fault_errno == 0)
        kill(getpid(), SIGKILL);
    return fault_errno;
}

static void start_over(void)
{
    fault_at = 0;
    fs_remove(AT_FDCWD, out);
    must_publish("a", DATE, "a old");
    must_publish("b", DATE, "b");
}

/* The set that a reader finds after a break: whole, and b's file in it. */
static void assert_whole(void)
{
    _cleanup_free_ char *a = read_text(in_out(DATE "/a.csv"));
    _cleanup_free_ char *b = read_text(in_out(DATE "/b.csv"));

    if (verify_set(DATE) != ERR_OK || !a || !b)
        fail_msg("step %d: the set is not whole", fault_at);
    assert_true(str_eq(a, "a old") || str_eq(a, "a new"));
    assert_string_equal(b, "b");
}

/* Publishes "a new" in a child that may be killed. True when it came to its end. */
static bool publish_in_child(const char *date)
{
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0) {
        struct err err = {0};

        step = 0;
        _exit(publish_text("a", date, "a new", 2, 60, &err) == ERR_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(status == 0 || WIFSIGNALED(status));
    return status == 0;
}

static void kill_at_every_step(const char *date)
{
    bool done = false;

    for (int at = 1; !done; at++) {
        _cleanup_err_ struct err err = {0};
        _cleanup_staging_ struct staging *staging = NULL;

        start_over();
        fault_errno = 0;
        fault_at = at;
        done = publish_in_child(date);
        fault_at = 0;
        if (without_exchange) { /* the sweep of the next run puts the old set back */
            assert_int_equal(staging_open(&staging, out, &err), ERR_OK);
            staging_discard(TAKE_PTR(staging));
        }
        assert_whole();
        must_publish("a", date, "a new"); /* the next run */
        assert_whole();
        assert_int_equal(verify_set(date), ERR_OK);
        assert_int_equal(leftovers(), 0);
        assert_int_equal(set_verify(in_out("latest"), NULL, NULL, NULL, &err), ERR_OK);
        assert_true(at < 500);
    }
}

static void test_killed_replacing(void **state _unused_)
{
    kill_at_every_step(DATE);
}

static void test_killed_new_date(void **state _unused_)
{
    kill_at_every_step("2026-04-01");
}

static void test_killed_without_exchange(void **state _unused_)
{
    without_exchange = true;
    kill_at_every_step(DATE);
    kill_at_every_step("2026-04-01");
    without_exchange = false;
}

/* Every step fails once, in several ways: an error leaves all as it was. */
static void fail_at_every_step(const char *date)
{
    static const int errnos[] = {EIO, ENOSPC, EACCES};

    for (size_t i = 0; i < COUNT(errnos); i++)
        for (int at = 1;; at++) {
            _cleanup_err_ struct err err = {0};
            _cleanup_free_ char *before = NULL, *after = NULL, *target = NULL, *now = NULL;
            enum err_code code;

            start_over();
            before = fingerprint(DATE);
            target = fingerprint(date);
            fault_call[0] = '\0';
            step = 0;
            fault_errno = errnos[i];
            fault_at = at;
            code = publish_text("a", date, "a new", 2, 60, &err);
            fault_at = 0;
            if (fault_call[0] == '\0') {
                assert_int_equal(code, ERR_OK);
                break;
            }
            assert_whole();
            if (code == ERR_OK) /* clean-up, or a link that a copy stood in for */
                continue;
            assert_true(code == ERR_IO || code == ERR_CANTCREAT || code == ERR_NOPERM);
            if (!err.hint)
                fail_msg("no hint: %s", err.message);
            after = fingerprint(DATE);
            now = fingerprint(date);
            if (!str_eq(before, after) || !str_eq(target, now))
                fail_msg("%s failing changed the published set:\n%s\n%s", fault_call, before,
                         after);
            assert_int_equal(leftovers(), 0);
        }
}

static void test_every_step_fails(void **state _unused_)
{
    fail_at_every_step(DATE);
    fail_at_every_step("2026-04-01");
    without_exchange = true;
    fail_at_every_step(DATE);
    fail_at_every_step("2026-04-01");
    without_exchange = false;
}

static void nap_us(long us)
{
    struct timespec pause = {.tv_nsec = us * 1000};

    nanosleep(&pause, NULL);
}

/* A writer that publishes without end is killed at 100 random moments. */
static void test_killed_at_random(void **state _unused_)
{
    start_over();
    srandom(20260331);
    for (int round = 0; round < 100; round++) {
        pid_t pid = fork();

        if (pid == 0)
            for (;;) {
                struct err err = {0};

                if (publish_text("a", DATE, random() % 2 ? "a old" : "a new", 3, 60, &err) !=
                    ERR_OK)
                    _exit(1);
            }
        nap_us(random() % 25000);
        assert_whole();
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_whole();
        must_publish("a", DATE, "a new");
        assert_whole();
        assert_int_equal(leftovers(), 0);
    }
}

/* 200 publishes; two readers open the folder once and read the whole set through that. */
static void test_readers(void **state _unused_)
{
    enum { READERS = 2 };
    int stop[2];

    start_over();
    assert_int_equal(pipe(stop), 0);
    for (int i = 0; i < READERS; i++)
        if (fork() == 0) {
            struct err err = {0};
            int reads = 0;
            char byte;

            close(stop[1]);
            fcntl(stop[0], F_SETFL, O_NONBLOCK);
            for (; read(stop[0], &byte, 1) < 0; reads++) { /* 0 once the writer is done */
                int fd = open(in_out(i ? "latest" : DATE), O_RDONLY | O_DIRECTORY);

                if (fd < 0 || set_verify_at(fd, out, NULL, NULL, NULL, &err) != ERR_OK) {
                    fprintf(stderr, "reader: %s\n", err.message ? err.message : "no folder");
                    _exit(1);
                }
                close(fd);
            }
            _exit(reads >= 100 ? 0 : 2);
        }
    for (int i = 0; i < 200; i++) {
        char text[32];

        snprintf(text, sizeof text, "a number %d", i);
        must_publish("a", DATE, text);
    }
    close(stop[0]);
    close(stop[1]);
    for (int i = 0; i < READERS; i++) {
        int status;

        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
}

/* Publishes 100,000 bytes in a child with limited file sizes. Returns its error code. */
static int publish_limited(rlim_t limit)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        _cleanup_free_ char *text = malloc(100001);
        struct rlimit cap = {.rlim_cur = limit, .rlim_max = limit};
        struct err err = {0};

        memset(text, 'x', 100000);
        text[100000] = '\0';
        signal(SIGXFSZ, SIG_IGN); /* as signals_install does */
        setrlimit(RLIMIT_FSIZE, &cap);
        _exit((int)publish_text("a", DATE, text, 2, 60, &err));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_size_limit(void **state _unused_)
{
    _cleanup_free_ char *before = NULL;

    start_over();
    before = fingerprint(DATE);
    for (rlim_t limit = 0; limit < 100000; limit += limit < 2000 ? 97 : 4999) {
        _cleanup_free_ char *after = NULL;

        assert_int_equal(publish_limited(limit), ERR_IO);
        after = fingerprint(DATE);
        assert_string_equal(before, after);
        assert_int_equal(leftovers(), 0);
    }
    assert_int_equal(publish_limited(100000), ERR_OK);
    assert_int_equal(verify_set(DATE), ERR_OK);
}

/* Publishes ten pages beside a file of so many; false when there is no room for that one. */
static bool publish_beside(int pages, int *failed)
{
    _cleanup_err_ struct err err = {0};
    _cleanup_free_ char *before = NULL, *after = NULL, *filler = str_format("%s/filler", base);
    _cleanup_close_ int fd = -1;
    char text[40001];

    start_over();
    before = fingerprint(DATE);
    fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fallocate(fd, 0, 0, (off_t)pages * 4096) < 0)
        return false;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    if (publish_text("a", DATE, text, 2, 60, &err) != ERR_OK) {
        ++*failed;
        assert_true(err.code == ERR_IO || err.code == ERR_CANTCREAT);
        assert_non_null(strstr(err.message, "No space left on device"));
        after = fingerprint(DATE);
        assert_string_equal(before, after);
    }
    assert_int_equal(verify_set(DATE), ERR_OK);
    assert_int_equal(leftovers(), 0);
    return true;
}

/* A small file system that is full before, while and after: only root can mount one. */
static void test_full_disk(void **state _unused_)
{
    int failed = 0;
    bool room = true;

    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
        skip();
    for (int pages = 1; room; pages++) {
        assert_int_equal(mount("none", base, "tmpfs", 0, "nr_blocks=60"), 0);
        room = publish_beside(pages, &failed);
        assert_int_equal(umount2(base, MNT_DETACH), 0);
    }
    assert_in_range(failed, 5, 55);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_killed_replacing),
        TEST(test_killed_new_date),
        TEST(test_killed_without_exchange),
        TEST(test_every_step_fails),
        TEST(test_killed_at_random),
        TEST(test_readers),
        TEST(test_size_limit),
        TEST(test_full_disk),
    };

    return cmocka_run_group_tests_name("publish_faults", tests, NULL, NULL);
}
