/* Instants and days: a second of UTC, read strictly and written one way.
 *
 * WHEN on the command line is an ISO date (`2026-03-31`, its 00:00:00 UTC) or an RFC 3339 instant
 * with its zone (`2026-03-31T02:00:00Z`, `2026-03-31T04:00:00+02:00`), from 1970-01-01 to
 * 9999-12-31 UTC. Nothing else is understood: no local time, no `now`, no leap second. Neither
 * locale nor time zone of the process has a say.
 */
#ifndef LAPSE_INSTANT_H
#define LAPSE_INSTANT_H

#include <stdint.h>
#include "err.h"

struct instant {
    int64_t seconds; /* since 1970-01-01T00:00:00Z */
};

enum {
    INSTANT_SIZE = 21, /* "2026-03-31T02:00:00Z" and its NUL */
    DAY_SIZE = 11,     /* "2026-03-31" and its NUL */
};

/* The last instant there is: 9999-12-31T23:59:59Z. The first is 0. */
#define INSTANT_MAX INT64_C(253402300799)

/* ERR_USAGE with a hint that shows a right one; `option` ("--as-of") names it in the message. A
   fraction of up to six digits is read, and refused if it is not zero: an instant is a whole
   second. */
enum err_code instant_parse(const char *text, const char *option, struct instant *ret,
                            struct err *err) _must_check_;

/* 00:00:00 UTC of the instant's day, for whole-day rules. */
struct instant instant_day(struct instant instant);

/* Into `ret`, which is returned. The instant is one that instant_parse can yield (else abort). */
char *instant_format(struct instant instant, char ret[static INSTANT_SIZE]);
char *instant_format_day(struct instant instant, char ret[static DAY_SIZE]);

#endif
