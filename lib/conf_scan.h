/* The strict scan of a settings file, which stands before iniparser.
 *
 * iniparser cuts values at `#`, joins lines behind a backslash, lets the last of two equal keys win
 * and drops lines when memory is short, all in silence. The scan refuses, with `file:line:`, every
 * text that iniparser could read in another way than a person does, and yields what the file says;
 * conf.c then holds iniparser to that, key by key. The scan knows no setting: whether a name
 * exists, stands twice, or has a good value is for conf.c to judge.
 *
 * Messages never show a line, since it may hold a secret.
 */
#ifndef LAPSE_CONF_SCAN_H
#define LAPSE_CONF_SCAN_H

#include <stddef.h>
#include "err.h"

enum {
    CONF_FILE_MAX = 64 * 1024, /* bytes */
    CONF_LINE_MAX = 1000,      /* bytes without the line's end; iniparser fails above 1,023 */
};

/* A `[section]` line (key and value NULL) or a `key = value` line, value without its quotes. */
struct scan_item {
    size_t line;
    const char *section, *key, *value;
};

struct conf_scan {
    struct scan_item *items; /* in the order of the file; they point into `text` */
    size_t n_items;
    char *text;
};

/* Reads a regular file, safe from others' writing and of a sane size, into new memory (the caller
   frees it). A missing, odd, unreadable, empty or large file is ERR_CONFIG. */
enum err_code conf_read_file(const char *file, char **ret_text, size_t *ret_len,
                             struct err *err) _must_check_;

/* Scans `text`; `file` names it in messages. ERR_CONFIG for what the format does not allow. */
enum err_code conf_scan(struct conf_scan *ret, const char *text, size_t len, const char *file,
                        struct err *err) _must_check_;
void conf_scan_done(struct conf_scan *scan);

#define _cleanup_scan_ _cleanup_(conf_scan_done)

#endif
