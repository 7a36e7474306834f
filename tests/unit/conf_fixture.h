/* What the tests of settings share: a list of settings of every type, a file to load them from, and
   what a refusal must look like. */
#ifndef LAPSE_TEST_CONF_FIXTURE_H
#define LAPSE_TEST_CONF_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf.h"

static const struct setting settings[] = {
    {"database", "conninfo", SETTING_TEXT, "", 0, 0, NULL, "How to reach the database", 0},
    {"database", "deadline", SETTING_DURATION, "2 h", 1, 604800, NULL, "How long", 0},
    {"database", "batch_rows", SETTING_INT, "10000", 1, 1000000, NULL, "How many", 0},
    {"reports", "dir", SETTING_PATH, NULL, 0, 0, NULL, "Where", 0},
    {"reports", "formats", SETTING_LIST, "csv,xlsx", 0, 0, "csv|xlsx", "What", 0},
    {"reports", "csv_bom", SETTING_BOOL, "no", 0, 0, NULL, "Whether", 0},
    {"rules", "seat_order", SETTING_CHOICE, "fallback", 0, 0, "fallback|override", "Which", 0},
    {"rules", "shift", SETTING_INT, "0", -10, INT64_C(10000000000), NULL, "How far", 0},
    {"rules", "grace", SETTING_DURATION, NULL, 0, 31536000, NULL, "How long, or not at all", 0},
    {"job.activity-report", "max_changes", SETTING_INT, NULL, 0, 1000, NULL, "The guard", 0},
    {"job.activity-report", "title", SETTING_TEXT, "Who; when #1", 0, 0, NULL, "Heading", 0},
};

/* The file to load from, and the folder that it is alone in. */
static char dir[] = "/tmp/lapse-test-conf-XXXXXX";
static char file[sizeof dir + 16];

static _unused_ int fixture_setup(void **state _unused_)
{
    for (char **v = environ; *v;) { /* none of ours from outside */
        char *name = strncmp(*v, "LAPSE_", 6) == 0 ? strndup(*v, strcspn(*v, "=")) : NULL;

        if (!name) {
            v++;
            continue;
        }
        unsetenv(name);
        free(name);
        v = environ;
    }
    if (!mkdtemp(dir))
        return -1;
    snprintf(file, sizeof file, "%s/lapse.ini", dir);
    return 0;
}

static _unused_ int fixture_teardown(void **state _unused_)
{
    unlink(file);
    return rmdir(dir);
}

static _unused_ void write_bytes(const char *text, size_t len)
{
    FILE *f;

    unlink(file);
    f = fopen(file, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(file, 0640), 0);
}

static _unused_ void write_text(const char *text)
{
    write_bytes(text, strlen(text));
}

static _unused_ enum err_code load(struct conf **ret, const char *const *sets, size_t n_sets,
                                   struct err *err)
{
    struct conf_source source = {.file = file, .sets = sets, .n_sets = n_sets};

    return conf_load(ret, settings, COUNT(settings), &source, err);
}

/* The load must fail so, with both phrases, and say nothing of a secret. */
static _unused_ void expect_fault(const char *const *sets, size_t n_sets, enum err_code code,
                                  const char *message, const char *hint)
{
    _cleanup_conf_ struct conf *conf = NULL;
    _cleanup_err_ struct err err = {0};

    if (load(&conf, sets, n_sets, &err) != code)
        fail_msg("%s: %s, not %d", message, err.message ? err.message : "(loaded)", code);
    assert_null(conf);
    if (!strstr(err.message, message) || strchr(err.message, '\n'))
        fail_msg("\"%s\" does not hold \"%s\"", err.message, message);
    assert_non_null(err.hint);
    if (!strstr(err.hint, hint))
        fail_msg("%s: hint \"%s\" does not hold \"%s\"", err.message, err.hint, hint);
    assert_null(strstr(err.message, "hunter2"));
    assert_null(strstr(err.hint, "hunter2"));
}

#endif
