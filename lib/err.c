/* Errors: see err.h. */
#define _GNU_SOURCE
#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ban.h"

/* What messages fall back on when there is no memory for the real one; never freed. */
static char out_of_memory[] = "out of memory";

_printf_(1, 0) static char *format_or_fallback(const char *format, va_list args)
{
    char *text = NULL;

    if (vasprintf(&text, format, args) < 0)
        return out_of_memory;
    return text;
}

static void release(char **text)
{
    if (*text != out_of_memory)
        free(*text);
    *text = NULL;
}

enum err_code err_set(struct err *err, enum err_code code, const char *format, ...)
{
    va_list args;

    if (err->code != ERR_OK)
        return err->code;
    va_start(args, format);
    err->code = code;
    err->message = format_or_fallback(format, args);
    va_end(args);
    return code;
}

static enum err_code code_for_errno(enum err_code code, int errnum)
{
    switch (errnum) {
    case ENOMEM:
    case EAGAIN:
    case EMFILE:
    case ENFILE:
        return ERR_NOMEM;
    case EACCES:
    case EPERM:
    case EROFS:
        return code == ERR_CONFIG || code == ERR_CANTCREAT ? code : ERR_NOPERM;
    default:
        return code;
    }
}

enum err_code err_sys(struct err *err, enum err_code code, int errnum, const char *format, ...)
{
    char *text = NULL, reason[128];
    va_list args;

    if (err->code != ERR_OK)
        return err->code;
    va_start(args, format);
    text = format_or_fallback(format, args);
    va_end(args);
    err_set(err, code_for_errno(code, errnum), "%s: %s", text,
            strerror_r(errnum, reason, sizeof reason));
    release(&text);
    return err->code;
}

enum err_code err_nomem(struct err *err)
{
    if (err->code != ERR_OK)
        return err->code;
    err->code = ERR_NOMEM;
    err->message = out_of_memory;
    return ERR_NOMEM;
}

enum err_code err_signal(struct err *err, int signal)
{
    if (err->code != ERR_OK)
        return err->code;
    err->signal = signal;
    return err_set(err, ERR_SIGNAL, "stopped by signal SIG%s", sigabbrev_np(signal));
}

void err_hint(struct err *err, const char *format, ...)
{
    va_list args;

    if (err->hint)
        return;
    va_start(args, format);
    err->hint = format_or_fallback(format, args);
    va_end(args);
}

void err_detail(struct err *err, const char *format, ...)
{
    va_list args;

    if (err->detail)
        return;
    va_start(args, format);
    err->detail = format_or_fallback(format, args);
    va_end(args);
}

void err_prefix(struct err *err, const char *format, ...)
{
    char *place, *joined = NULL;
    va_list args;

    if (!err->message)
        return;
    va_start(args, format);
    place = format_or_fallback(format, args);
    va_end(args);
    if (asprintf(&joined, "%s: %s", place, err->message) >= 0) {
        release(&err->message);
        err->message = joined;
    }
    release(&place);
}

int err_status(const struct err *err)
{
    if (err->code == ERR_SIGNAL)
        return 128 + err->signal;
    return (int)err->code;
}

static const struct {
    int status;
    const char *meaning, *hint;
} statuses[] = {
    {0, "done, or nothing to do", NULL},
#define ERROR(name, status, meaning, hint) {status, meaning, hint},
#include "err.def"
#undef ERROR
};

bool err_list(size_t n, int *ret_status, const char **ret_meaning)
{
    if (n >= COUNT(statuses))
        return false;
    *ret_status = statuses[n].status;
    *ret_meaning = statuses[n].meaning;
    return true;
}

const char *err_meaning(int status)
{
    for (size_t i = 0; i < COUNT(statuses); i++)
        if (statuses[i].status == status)
            return statuses[i].meaning;
    return NULL;
}

const char *err_advice(const struct err *err)
{
    if (err->hint)
        return err->hint;
    for (size_t i = 0; i < COUNT(statuses); i++)
        if (statuses[i].status == (int)err->code)
            return statuses[i].hint;
    return NULL;
}

void err_move(struct err *to, struct err *from)
{
    err_done(to);
    *to = *from;
    *from = (struct err){0};
}

void err_copy(struct err *to, const struct err *from)
{
    if (to->code != ERR_OK || from->code == ERR_OK)
        return;
    err_set(to, from->code, "%s", from->message);
    to->signal = from->signal;
    memcpy(to->sqlstate, from->sqlstate, sizeof to->sqlstate);
    if (from->detail)
        err_detail(to, "%s", from->detail);
    if (from->hint)
        err_hint(to, "%s", from->hint);
}

void err_done(struct err *err)
{
    release(&err->message);
    release(&err->detail);
    release(&err->hint);
    *err = (struct err){0};
}
