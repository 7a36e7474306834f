/* Errors: one value that says what failed, on which object, why, and what to do.
 *
 * A function that can fail returns `enum err_code` and takes a `struct err *` as its last
 * argument. On failure it fills the error and returns its code; on success it leaves the error
 * alone and returns ERR_OK. The first cause wins: setting an error that is already set changes
 * nothing, so clean-up code may report freely. Only main prints.
 *
 *     _cleanup_err_ struct err err = {0};
 *     if (thing_open(&thing, path, &err) != ERR_OK)
 *         return main_fail(&err);
 *
 * A message is one line without a final full stop, in the PostgreSQL style:
 * `could not rename "a" to "b": No space left on device`. What to do about it goes into the hint.
 */
#ifndef LAPSE_ERR_H
#define LAPSE_ERR_H

#include <stdbool.h>
#include <stddef.h>
#include "util.h"

enum err_code {
    ERR_OK = 0,
#define ERROR(name, status, meaning, hint) ERR_##name = (status),
#include "err.def"
#undef ERROR
    ERR_SIGNAL = 128 /* plus the signal's number, kept in err.signal */
};

struct err {
    enum err_code code;
    int signal;
    char sqlstate[6]; /* "" unless the database said it */
    char *message;
    char *detail; /* may hold personal data: shown at -v only */
    char *hint;
};

/* Sets code and message; returns `code`. `code` is never ERR_OK. */
enum err_code err_set(struct err *err, enum err_code code, const char *format, ...) _printf_(3, 4);

/* As err_set, with ": " and the text of `errnum` behind. ENOMEM, EMFILE... choose their own code.
 */
enum err_code err_sys(struct err *err, enum err_code code, int errnum, const char *format, ...)
    _printf_(4, 5);

enum err_code err_nomem(struct err *err);
enum err_code err_signal(struct err *err, int signal);

/* Add to the error that was just set; the first hint or detail wins. */
void err_hint(struct err *err, const char *format, ...) _printf_(2, 3);
void err_detail(struct err *err, const char *format, ...) _printf_(2, 3);

/* Puts "text: " before the message: the place the failure belongs to. */
void err_prefix(struct err *err, const char *format, ...) _printf_(2, 3);

/* The process' exit status for an error. */
int err_status(const struct err *err);

/* What to do about an error: its own hint, else what its status advises; NULL for nothing. */
const char *err_advice(const struct err *err);

/* What a status means, or NULL for a status that lapse never uses. 0 is "done, ...". */
const char *err_meaning(int status);

/* The n-th status of the list, 0 first; false behind the last. */
bool err_list(size_t n, int *ret_status, const char **ret_meaning);

/* Moves an error: what `to` held is freed, `from` is empty afterwards. */
void err_move(struct err *to, struct err *from);

/* Puts a copy of `from` into `to`, unless that is set already. */
void err_copy(struct err *to, const struct err *from);

void err_done(struct err *err); /* frees, and makes it empty again */

#define _cleanup_err_ _cleanup_(err_done)

#endif
