/* Deadlines, the watchdog, and signals: everything that ends a process is tried in a child. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "deadline.h"

#include "ban.h"

static void nap_ms(long ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

/* The status a child ends with; 1000 + n when a signal killed it. */
static int run_child(void (*body)(void))
{
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0) {
        body();
        _exit(99);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void test_left(void **state _unused_)
{
    struct deadline past = deadline_in(-5), soon = deadline_in(2), never = deadline_in(INT64_MAX);
    struct deadline hair = {.end_ns = monotonic_ns() + 900000};
    int left = deadline_left_ms(&hair);

    assert_int_equal(deadline_left_ms(&past), 0);
    assert_true(left == 0 || left == 1); /* rounded up while there is any */
    assert_in_range(deadline_left_ms(&soon), 1900, 2000);
    assert_int_equal(deadline_left_ms(&never), INT_MAX);
}

static void test_check(void **state _unused_)
{
    struct deadline past = deadline_in(0), soon = deadline_in(60);
    _cleanup_err_ struct err err = {0};

    assert_int_equal(deadline_check(&soon, &err), ERR_OK);
    assert_int_equal(deadline_check(NULL, &err), ERR_OK);
    assert_null(err.message);
    assert_int_equal(deadline_check(&past, &err), ERR_TEMP);
    assert_string_equal(err.message, "the deadline has passed");
    assert_non_null(err.hint);
}

static void watch_and_hang(void)
{
    struct deadline deadline = deadline_in(0);
    struct err err = {0};

    if (deadline_watch(&deadline, &err) != ERR_OK)
        _exit(98);
    for (;;)
        pause();
}

static void watch_blocked(void)
{
    sigset_t all;

    sigfillset(&all); /* as a careless parent may have left it */
    sigprocmask(SIG_SETMASK, &all, NULL);
    watch_and_hang();
}

/* stderr is a full pipe that nobody reads: the end must come all the same. */
static void watch_full_stderr(void)
{
    int ends[2];
    char block[4096] = {0};

    if (pipe2(ends, O_NONBLOCK) < 0)
        _exit(98);
    while (write(ends[1], block, sizeof block) > 0)
        ;
    fcntl(ends[1], F_SETFL, 0);
    dup2(ends[1], STDERR_FILENO);
    watch_and_hang();
}

static void watch_moved(void)
{
    struct deadline first = deadline_in(0), second = deadline_in(60);
    struct err err = {0};

    if (deadline_watch(&first, &err) != ERR_OK || deadline_watch(&second, &err) != ERR_OK)
        _exit(98);
    nap_ms(1300);
    _exit(7);
}

static int stderr_pipe[2];

static void watch_to_pipe(void)
{
    dup2(stderr_pipe[1], STDERR_FILENO);
    watch_and_hang();
}

static void test_watchdog(void **state _unused_)
{
    char text[256] = "";
    int64_t start = monotonic_ns();
    ssize_t n;

    assert_int_equal(pipe(stderr_pipe), 0);
    assert_int_equal(run_child(watch_to_pipe), ERR_TEMP);
    assert_in_range((monotonic_ns() - start) / 1000000, 900, 1900);
    n = read(stderr_pipe[0], text, sizeof text - 1);
    assert_true(n > 0);
    assert_ptr_equal(strchr(text, '\n'), text + n - 1); /* one line */
    assert_non_null(strstr(text, "watchdog"));
    close(stderr_pipe[0]);
    close(stderr_pipe[1]);
}

static void test_watchdog_blocked(void **state _unused_)
{
    assert_int_equal(run_child(watch_full_stderr), ERR_TEMP);
    assert_int_equal(run_child(watch_moved), 7);
}

static void test_watchdog_mask(void **state _unused_)
{
    int null = open("/dev/null", O_WRONLY), before = dup(STDERR_FILENO);

    dup2(null, STDERR_FILENO);
    assert_int_equal(run_child(watch_blocked), ERR_TEMP);
    dup2(before, STDERR_FILENO);
    close(null);
    close(before);
}

static void one_signal(void)
{
    struct err err = {0};
    struct pollfd none = {.fd = -1};

    if (signals_install(&err) != ERR_OK || signals_pending() != 0)
        _exit(98);
    raise(SIGTERM);
    raise(SIGINT); /* another kind: noted, the first stays */
    if (signals_pending() != SIGTERM || deadline_check(NULL, &err) != ERR_SIGNAL)
        _exit(97);
    if (poll(&none, 1, 0) != 0)
        _exit(96);
    _exit(err_status(&err));
}

static void second_signal(void)
{
    struct err err = {0};

    if (signals_install(&err) != ERR_OK)
        _exit(98);
    raise(SIGHUP);
    raise(SIGHUP);
    _exit(97);
}

static void interrupted(void)
{
    struct err err = {0};
    char byte;
    int ends[2];
    pid_t self = getpid();

    if (signals_install(&err) != ERR_OK || pipe(ends) < 0)
        _exit(98);
    if (fork() == 0) {
        nap_ms(100);
        kill(self, SIGINT);
        _exit(0);
    }
    if (read(ends[0], &byte, 1) == -1 && errno == EINTR) /* no SA_RESTART */
        _exit(signals_pending());
    _exit(97);
}

static void under_nohup(void)
{
    struct err err = {0};
    int ends[2];

    signal(SIGHUP, SIG_IGN);
    if (signals_install(&err) != ERR_OK || signals_install(&err) != ERR_OK)
        _exit(98);
    raise(SIGHUP);
    raise(SIGHUP);
    raise(SIGXFSZ);
    if (signals_pending() != 0 || pipe(ends) < 0)
        _exit(97);
    close(ends[0]);
    _exit(write(ends[1], "x", 1) == -1 && errno == EPIPE ? 5 : 96);
}

static void test_signals(void **state _unused_)
{
    assert_int_equal(run_child(one_signal), 128 + SIGTERM);
    assert_int_equal(run_child(second_signal), 128 + SIGHUP);
    assert_int_equal(run_child(interrupted), SIGINT);
    assert_int_equal(run_child(under_nohup), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_left),          cmocka_unit_test(test_check),
        cmocka_unit_test(test_watchdog),      cmocka_unit_test(test_watchdog_blocked),
        cmocka_unit_test(test_watchdog_mask), cmocka_unit_test(test_signals),
    };

    return cmocka_run_group_tests_name("deadline", tests, NULL, NULL);
}
