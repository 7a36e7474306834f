/* The deadline, its watchdog, and the signals that end a run: see deadline.h. */
#define _GNU_SOURCE
#include "deadline.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "ban.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

static volatile sig_atomic_t first_signal;
static volatile sig_atomic_t came[NSIG];

int64_t monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

struct deadline deadline_in(int64_t seconds)
{
    struct deadline deadline = {.end_ns = monotonic_ns()};
    int64_t ns;

    if (seconds < 0)
        seconds = 0;
    /* A second stays free behind the end, for the watchdog. */
    if (__builtin_mul_overflow(seconds, NS_PER_S, &ns) ||
        ns > INT64_MAX - NS_PER_S - deadline.end_ns)
        deadline.end_ns = INT64_MAX - NS_PER_S;
    else
        deadline.end_ns += ns;
    return deadline;
}

/* Runs in a signal handler: nothing but async-signal-safe calls. A stderr that nobody reads must
   not hold up the end, so the line is written only where it fits. */
static void watchdog_bites(int signal _unused_)
{
    static const char line[] = "lapse: ended by its own watchdog: something did not answer within "
                               "the deadline; run it again\n";
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

    if (poll(&out, 1, 0) == 1 && (out.revents & POLLOUT)) {
        ssize_t n _unused_ = write(STDERR_FILENO, line, sizeof line - 1);
    }
    _exit(first_signal ? 128 + first_signal : ERR_TEMP);
}

enum err_code deadline_watch(const struct deadline *deadline, struct err *err)
{
    static timer_t timer;
    static pid_t timer_of; /* a timer does not survive fork */
    int64_t end = deadline->end_ns + NS_PER_S;
    struct itimerspec when = {.it_value = {.tv_sec = end / NS_PER_S, .tv_nsec = end % NS_PER_S}};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    struct sigaction action = {.sa_handler = watchdog_bites};
    sigset_t alarm;

    sigfillset(&action.sa_mask);
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    if (sigaction(SIGALRM, &action, NULL) < 0 || sigprocmask(SIG_UNBLOCK, &alarm, NULL) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "could not install the watchdog's signal");
    if (timer_of != getpid()) {
        if (timer_create(CLOCK_MONOTONIC, &event, &timer) < 0)
            return err_sys(err, ERR_INTERNAL, errno, "could not create the watchdog's timer");
        timer_of = getpid();
    }
    if (timer_settime(timer, TIMER_ABSTIME, &when, NULL) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "could not start the watchdog's timer");
    return ERR_OK;
}

int deadline_left_ms(const struct deadline *deadline)
{
    int64_t left = deadline->end_ns - monotonic_ns();

    if (left <= 0)
        return 0;
    left = left / NS_PER_MS + (left % NS_PER_MS != 0);
    return left > INT_MAX ? INT_MAX : (int)left;
}

enum err_code deadline_check(const struct deadline *deadline, struct err *err)
{
    int signal = signals_pending();

    if (signal)
        return err_signal(err, signal);
    if (deadline && deadline_left_ms(deadline) == 0) {
        err_set(err, ERR_TEMP, "the deadline has passed");
        err_hint(err, "run it again: it goes on where it stopped; if that is the rule, raise "
                      "[database] deadline");
        return err->code;
    }
    return ERR_OK;
}

static void note_signal(int signal)
{
    if (came[signal])
        _exit(128 + signal);
    came[signal] = 1;
    if (!first_signal)
        first_signal = signal;
}

enum err_code signals_install(struct err *err)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP}, ignored[] = {SIGPIPE, SIGXFSZ};
    struct sigaction note = {.sa_handler = note_signal}, ignore = {.sa_handler = SIG_IGN}, before;

    sigemptyset(&ignore.sa_mask);
    sigemptyset(&note.sa_mask); /* one handler at a time, so that the first stays the first */
    for (size_t i = 0; i < COUNT(ending); i++)
        sigaddset(&note.sa_mask, ending[i]);
    for (size_t i = 0; i < COUNT(ending); i++) {
        if (sigaction(ending[i], NULL, &before) < 0)
            return err_sys(err, ERR_INTERNAL, errno, "could not ask for a signal's handler");
        if (before.sa_handler != SIG_IGN && sigaction(ending[i], &note, NULL) < 0)
            return err_sys(err, ERR_INTERNAL, errno, "could not install a signal handler");
    }
    for (size_t i = 0; i < COUNT(ignored); i++)
        if (sigaction(ignored[i], &ignore, NULL) < 0)
            return err_sys(err, ERR_INTERNAL, errno, "could not ignore a signal");
    return ERR_OK;
}

int signals_pending(void)
{
    return first_signal;
}
