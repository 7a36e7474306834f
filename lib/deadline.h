/* The one limit on how long a run may take, on the monotonic clock, and the signals that end it.
 *
 * Everything that waits asks the deadline how long it may. Against calls that cannot be asked
 * (a resolver, an fsync on a dead disk) a watchdog ends the process shortly after the deadline;
 * that is safe, because a run that is killed anywhere is completed by the next one. */
#ifndef LAPSE_DEADLINE_H
#define LAPSE_DEADLINE_H

#include <stdint.h>
#include "err.h"

struct deadline {
    int64_t end_ns; /* CLOCK_MONOTONIC */
};

/* From now; less than 0 is 0, and what the clock cannot hold never comes. */
struct deadline deadline_in(int64_t seconds);

/* Ends the process with ERR_TEMP's status one second after the deadline. A second call moves the
   watchdog to another deadline. It is not inherited by fork. */
enum err_code deadline_watch(const struct deadline *deadline, struct err *err) _must_check_;

/* Milliseconds left for poll(), 0 when it has passed, at most INT_MAX. Rounded up, so that a loop
   around poll() does not spin through the last millisecond. */
int deadline_left_ms(const struct deadline *deadline);

/* ERR_SIGNAL when SIGINT, SIGTERM or SIGHUP has come, ERR_TEMP when the deadline has passed.
   With a NULL deadline only the signals count. */
enum err_code deadline_check(const struct deadline *deadline, struct err *err) _must_check_;

/* Installs the handlers for the three signals: the first one sets a flag and interrupts what
   waits (EINTR), a second of the same kind ends the process at once with 128 + its number. One
   that was ignored from the start (nohup) stays ignored. Ignores SIGPIPE and SIGXFSZ, so that the
   write that failed says so (EPIPE, EFBIG). */
enum err_code signals_install(struct err *err) _must_check_;

/* The signal that came first, or 0. */
int signals_pending(void);

int64_t monotonic_ns(void);

#endif
