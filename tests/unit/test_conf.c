/* Settings: every fault of a file or value, the order of sources, the sample, memory running out.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "conf.h"

/* ---- malloc that fails when it is told to; the sanitizers bring their own ---- */

#if defined(__SANITIZE_ADDRESS__)
#define OWN_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define OWN_MALLOC 0
#endif
#endif
#ifndef OWN_MALLOC
#define OWN_MALLOC 1
#endif

/* Shared with the loader's child, so that its allocations count; NULL: nothing is counted. */
static struct {
    long allocations;
    long fail_at; /* this one fails, counted from 0; -1: none */
    void *victim; /* who asked for it */
} * memory;

#if OWN_MALLOC
static bool may_allocate(void *caller)
{
    if (!memory || memory->allocations++ != memory->fail_at)
        return true;
    memory->victim = caller;
    return false;
}

/* The next allocator in line: libc's, or valgrind's. */
static void *next_symbol(const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);

    if (!symbol)
        abort();
    return symbol;
}

void *malloc(size_t size)
{
    static void *(*next)(size_t);

    if (!next)
        *(void **)&next = next_symbol("malloc");
    return may_allocate(__builtin_return_address(0)) ? next(size) : NULL;
}

void *calloc(size_t n, size_t size)
{
    static void *(*next)(size_t, size_t);

    if (!next)
        *(void **)&next = next_symbol("calloc");
    return may_allocate(__builtin_return_address(0)) ? next(n, size) : NULL;
}

void *realloc(void *p, size_t size)
{
    static void *(*next)(void *, size_t);

    if (!next)
        *(void **)&next = next_symbol("realloc");
    return may_allocate(__builtin_return_address(0)) ? next(p, size) : NULL;
}
#endif

/* ---- the settings of this test ---- */

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

static char dir[] = "/tmp/lapse-test-conf-XXXXXX";
static char file[sizeof dir + 16];

static void write_bytes(const char *text, size_t len)
{
    FILE *f;

    unlink(file);
    f = fopen(file, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(file, 0640), 0);
}

static enum err_code load(struct conf **ret, const char *const *sets, size_t n_sets,
                          struct err *err)
{
    struct conf_source source = {.file = file, .sets = sets, .n_sets = n_sets};

    return conf_load(ret, settings, COUNT(settings), &source, err);
}

/* The load must fail so, with both phrases, and say nothing of a secret. */
static void expect_fault(const char *const *sets, size_t n_sets, enum err_code code,
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

/* ---- faults of the text ---- */

static const struct {
    const char *text, *message, *hint;
} text_faults[] = {
    /* names */
    {"[reports]\nformat = csv\n", "lapse.ini:2: unknown setting \"format\" in section [reports]",
     "did you mean \"formats\"?"},
    {"[reports]\nFormats = csv\n", ":2: unknown setting \"Formats\"", "did you mean \"formats\"?"},
    {"[reports]\nseat_order = x\n", ":2: unknown setting \"seat_order\"", "a setting of [rules]"},
    {"[reports]\nhunter = 2\n", ":2: unknown setting", "conf --sample"},
    {"\n[report]\n", ":2: unknown section [report]", "did you mean [reports]?"},
    {"[REPORTS]\n", ":1: unknown section [REPORTS]", "did you mean [reports]?"},
    {"[job.activity-reports]\n", ":1: unknown section", "did you mean [job.activity-report]?"},
    {"[shift]\n", ":1: unknown section [shift]", "\"shift\" is a setting of [rules]"},
    {"[reports:dir]\n", ":1: the section is named like a key", "section names"},
    {"[reports]\nreports:dir = /x\n", ":2: the key holds a character", "key = value"},
    {"[reports]\ncsv_bom = no\n\ncsv_bom = yes\n",
     ":4: [reports] csv_bom stands twice, first on line 2", "remove"},
    {"[reports]\n[rules]\n[reports]\n", ":3: section [reports] stands twice, first on line 1",
     "together"},
    {"dir = /x\n[reports]\n", ":1: the key stands before the first section", "[section]"},
    /* sections */
    {"[]\n", ":1: the section has no name", "[section]"},
    {"[x\n", ":1: the section's closing bracket is missing", "[section]"},
    {"[reports\ncsv_bom = no\n", ":1: the section's closing bracket is missing", "[section]"},
    {"[x] ; c=d\n", ":1: text stands behind the section's closing bracket", "[section]"},
    {"[rules] # why\n", ":1: text stands behind", "comments have lines of their own"},
    {"[ rules ]\n", ":1: the section's name holds a character", "without blanks"},
    /* lines */
    {"[rules]\nhunter2\n", ":2: the line has no \"=\"", "key = value"},
    {"[rules]\n= hunter2\n", ":2: there is no key before \"=\"", "key = value"},
    {"[rules]\nx", ":2: the line has no \"=\"", "key = value"},
    {"[rules]\nmy key = 1\n", ":2: the key holds a character", "key = value"},
    {"[database]\nconninfo = hunter2#x\n", ":2: \"#\" stands in a value without quotes", "quotes"},
    {"[database]\nconninfo = hunter2 ; x\n", ":2: \";\" stands in a value without quotes",
     "quotes"},
    {"[rules]\nshift = 1 # one\n", ":2: \"#\" stands in a value", "lines of their own"},
    {"[database]\nconninfo = \"hunter2\n", ":2: the value's closing quote is missing", "quote"},
    {"[database]\nconninfo = 'hunter2\n", ":2: the value's closing quote is missing", "quote"},
    {"[database]\nconninfo = 'hunter2' x\n", ":2: text stands behind the value's closing",
     "quoted"},
    {"[rules]\nshift = \"1\" ; one\n", ":2: text stands behind the value's closing quote",
     "quoted"},
    {"[database]\nconninfo = hunter2\"\n", ":2: the quotes in the value are not balanced",
     "quotes"},
    {"[database]\nconninfo = don't\n", ":2: the quotes in the value are not balanced", "quotes"},
    {"[database]\nconninfo = hunter2\\\n", ":2: the line ends in a backslash", "one line"},
    {"[database]\nconninfo = hunter2\\ \t\r\n", ":2: the line ends in a backslash", "one line"},
    {"[rules]\n# path c:\\\nshift = 1\n", ":2: the line ends in a backslash", "comment"},
    /* characters */
    {"\xef\xbb\xbf[rules]\n", ":1: the file starts with a byte order mark", "UTF-8"},
    {"[rules]\nshift\xc2\xa0= 1\n", ":2: the line holds a no-break space", "plain space"},
    {"[rules]\n\xc2\xa0# comment\n", ":2: the line holds a no-break space", "plain space"},
    {"[rules]\nshift =\xe3\x80\x80"
     "1\n",
     ":2: the line holds a no-break space", "plain space"},
    {"[rules]\nshift = \xff\n", ":2: the line is not valid UTF-8", "UTF-8"},
    {"[rules]\n# caf\xe9\n", ":2: the line is not valid UTF-8", "UTF-8"},
    {"[rules]\n# \xc0\xaf\n", ":2: the line is not valid UTF-8", "UTF-8"},
    {"[rules]\n# \xed\xa0\x80\n", ":2: the line is not valid UTF-8", "UTF-8"},
    {"[rules]\nshift = \x01\n", ":2: the line holds a control character", "UTF-8"},
    {"[rules]\rshift = 1\r", ":1: the line holds a control character", "LF or CRLF"},
    {"[database]\nconninfo = \"a\tb\"\n", ":2: [database] conninfo: the value holds a control",
     "UTF-8"},
    {"", "is empty", "conf --sample"},
    {" \r\n\t\n", "is empty", "conf --sample"},
    /* secrets */
    {"[database]\nconninfo = host=a password=hunter2\n",
     ":2: [database] conninfo: the value holds a "
     "password",
     "PGPASSFILE"},
    {"[database]\nconninfo = \"host=a password = 'hunter2'\"\n", "holds a password", "PGPASSFILE"},
    {"[database]\nconninfo = sslPassword=hunter2\n", "holds a password", "service"},
    {"[database]\nconninfo = postgresql://joe:hunter2@db/x\n", "holds a password", "service"},
    {"[database]\nconninfo = postgres://db/x?password=hunter2\n", "holds a password", "service"},
    {"[database]\nconninfo = postgres://db/x?%70assword=hunter2\n", "holds a password", "service"},
};

static void test_text_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(text_faults); i++) {
        write_bytes(text_faults[i].text, strlen(text_faults[i].text));
        expect_fault(NULL, 0, ERR_CONFIG, text_faults[i].message, text_faults[i].hint);
    }
}

static void test_bytes(void **state)
{
    static const char nul[] = "[rules]\nshift = 1\0 2\n";
    static const char little[] = "\xff\xfe[\0r\0]\0\n\0", bare[] = "[\0r\0]\0\n\0";

    (void)state;
    write_bytes(nul, sizeof nul - 1);
    expect_fault(NULL, 0, ERR_CONFIG, ":2: the line holds a NUL byte", "UTF-8");
    write_bytes(little, sizeof little - 1);
    expect_fault(NULL, 0, ERR_CONFIG, ":1: the file looks like UTF-16", "UTF-8");
    write_bytes(bare, sizeof bare - 1);
    expect_fault(NULL, 0, ERR_CONFIG, ":1: the file looks like UTF-16", "UTF-8");
}

/* A comment line of `len` bytes before a good setting. */
static void write_comment(size_t len, size_t lines)
{
    _cleanup_sb_ struct strbuf text = {0};

    for (size_t i = 0; i < lines; i++) {
        for (size_t j = 0; j < len; j++)
            sb_adds(&text, "#");
        sb_adds(&text, "\n");
    }
    sb_adds(&text, "[rules]\nshift = 7\n");
    assert_non_null(sb_text(&text));
    write_bytes(text.text, text.len);
}

static void test_sizes(void **state)
{
    _cleanup_conf_ struct conf *conf = NULL;
    _cleanup_err_ struct err err = {0};

    (void)state;
    write_comment(1001, 1);
    expect_fault(NULL, 0, ERR_CONFIG, ":1: the line is longer than 1000 bytes", "shorten");
    write_comment(1000, 66);
    expect_fault(NULL, 0, ERR_CONFIG, "is larger than 64 KiB", "right file");
    write_comment(1000, 65);
    assert_int_equal(load(&conf, NULL, 0, &err), ERR_OK);
    assert_int_equal(conf_int(conf, "rules", "shift"), 7);
}

/* ---- faults of the file ---- */

static void test_files(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int s;

    (void)state;
    unlink(file);
    expect_fault(NULL, 0, ERR_CONFIG, "No such file or directory", "LAPSE_CONFIG");
    assert_int_equal(mkdir(file, 0755), 0);
    expect_fault(NULL, 0, ERR_CONFIG, "is a directory", "-c");
    assert_int_equal(rmdir(file), 0);
    assert_int_equal(mkfifo(file, 0644), 0); /* must not wait for a writer */
    expect_fault(NULL, 0, ERR_CONFIG, "is not a regular file", "-c");
    unlink(file);
    assert_int_equal(symlink("/dev/null", file), 0);
    expect_fault(NULL, 0, ERR_CONFIG, "is not a regular file", "-c");
    unlink(file);
    s = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", file);
    assert_int_equal(bind(s, (struct sockaddr *)&address, sizeof address), 0);
    expect_fault(NULL, 0, ERR_CONFIG, "is not a regular file", "-c");
    close(s);
    write_bytes("[rules]\n", 8);
    assert_int_equal(chmod(file, 0660), 0);
    expect_fault(NULL, 0, ERR_CONFIG, "is writable by its group", "chmod go-w");
    assert_int_equal(chmod(file, 0646), 0);
    expect_fault(NULL, 0, ERR_CONFIG, "is writable by everyone", "chmod go-w");
    if (geteuid() != 0) { /* root reads everything */
        assert_int_equal(chmod(file, 0), 0);
        expect_fault(NULL, 0, ERR_CONFIG, "Permission denied", "-c");
    }
}

/* ---- values ---- */

static const struct {
    const char *set; /* without its "=" and value: the setting */
    const char *value;
    const char *message; /* NULL: a good value */
    const char *hint;
} values[] = {
    {"database.batch_rows", "30", NULL, NULL},
    {"database.batch_rows", "1", NULL, NULL},
    {"database.batch_rows", "1000000", NULL, NULL},
    {"database.batch_rows", "0", "\"0\" is not a whole number from 1 to 1000000", "such as 10000"},
    {"database.batch_rows", "1000001", "\"1000001\" is not a whole number", "digits alone"},
    {"database.batch_rows", "030", "\"030\" is not a whole number from 1", "leading zero"},
    {"database.batch_rows", "30d", "\"30d\" is not a whole number", "unit"},
    {"database.batch_rows", "", "an empty value is not a whole number", "such as 10000"},
    {"database.batch_rows", "-5", "\"-5\" is not a whole number", "digits"},
    {"database.batch_rows", "+5", "\"+5\" is not a whole number", "digits"},
    {"database.batch_rows", " 5", "\" 5\" is not a whole number", "digits"},
    {"database.batch_rows", "1e3", "\"1e3\" is not a whole number", "digits"},
    {"database.batch_rows", "0x1f", "\"0x1f\" is not a whole number", "digits"},
    {"database.batch_rows", "4294967296", "\"4294967296\" is not a whole number", "digits"},
    {"database.batch_rows", "99999999999999999999", "is not a whole number", "digits"},
    {"database.batch_rows", "\xd9\xa3\xd9\xa0", "\xd9\xa3\xd9\xa0\" is not a whole", "digits"},
    {"rules.shift", "-10", NULL, NULL},
    {"rules.shift", "4294967296", NULL, NULL}, /* 64 bits */
    {"rules.shift", "-0", "\"-0\" is not a whole number from -10", "digits"},
    {"reports.csv_bom", "yes", NULL, NULL},
    {"reports.csv_bom", "tomorrow", "\"tomorrow\" is not yes or no", "yes or no"},
    {"reports.csv_bom", "on", "\"on\" is not yes or no", "yes or no"},
    {"reports.csv_bom", "Yes", "\"Yes\" is not yes or no", "yes or no"},
    {"reports.csv_bom", "1", "\"1\" is not yes or no", "yes or no"},
    {"database.deadline", "1 s", NULL, NULL},
    {"database.deadline", "7 d", NULL, NULL},
    {"database.deadline", "90 min", NULL, NULL},
    {"database.deadline", "30min", "\"30min\" is not a duration from 1 s to 7 d", "such as 30 min"},
    {"database.deadline", "3600s", "\"3600s\" is not a duration", "such as 1 h"},
    {"database.deadline", "30", "\"30\" is not a duration", "such as 2 h"},
    {"database.deadline", "8 d", "\"8 d\" is not a duration from 1 s to 7 d", "such as"},
    {"database.deadline", "0 s", "\"0 s\" is not a duration", "such as 2 h"},
    {"database.deadline", "1  h", "\"1  h\" is not a duration", "such as 2 h"},
    {"database.deadline", "1 hour", "\"1 hour\" is not a duration", "min, h or d"},
    {"database.deadline", "1 h ", "\"1 h \" is not a duration", "min, h or d"},
    {"database.deadline", "1.5 h", "\"1.5 h\" is not a duration", "min, h or d"},
    {"database.deadline", "030 min", "\"030 min\" is not a duration", "min, h or d"},
    {"database.deadline", "-5 s", "\"-5 s\" is not a duration", "min, h or d"},
    {"database.deadline", "1e3 s", "\"1e3 s\" is not a duration", "min, h or d"},
    {"database.deadline", "99999999999999999999 d", "is not a duration", "min, h or d"},
    {"database.deadline", "", "an empty value is not a duration", "min, h or d"},
    {"rules.grace", "0 d", NULL, NULL},
    {"rules.grace", "x", "\"x\" is not a duration from 0 s to 365 d", "such as 0 s"},
    {"rules.seat_order", "override", NULL, NULL},
    {"rules.seat_order", "overrid", "\"overrid\" is not one of fallback, override", "one of them"},
    {"rules.seat_order", "fallback|override", "is not one of fallback, override", "one of them"},
    {"reports.formats", "xlsx,csv", NULL, NULL},
    {"reports.formats", "csv", NULL, NULL},
    {"reports.formats", "cvs", "\"cvs\" is not one of csv, xlsx", "such as csv,xlsx"},
    {"reports.formats", "csv,xls", "\"xls\" is not one of csv, xlsx", "such as csv,xlsx"},
    {"reports.formats", "csv, xlsx", "\" xlsx\" is not one of csv, xlsx", "without blanks"},
    {"reports.formats", "csv,csv", "\"csv\" is listed twice", "none twice"},
    {"reports.formats", "csv,", "an empty value is not one of csv, xlsx", "commas"},
    {"reports.formats", "", "an empty value is not one of csv, xlsx", "commas"},
    {"reports.dir", "/srv/lapse", NULL, NULL},
    {"reports.dir", "reports", "\"reports\" is not an absolute path", "start it with /"},
    {"reports.dir", "", "an empty value is not an absolute path", "start it with /"},
    {"database.conninfo", "", NULL, NULL},
    {"database.conninfo", "service=lapse passfile=/etc/lapse/pgpass", NULL, NULL},
    {"database.conninfo", "postgresql://joe@db:5432/x?application_name=a%20b%", NULL, NULL},
    {"database.conninfo", "host=a password=hunter2", "the value holds a password", "PGPASSFILE"},
    {"database.conninfo", "a\nb", "the value holds a control character", "UTF-8"},
    {"database.conninfo", "a\xff", "the value is not valid UTF-8", "UTF-8"},
};

static void test_values(void **state)
{
    (void)state;
    write_bytes("[rules]\n", 8);
    for (size_t i = 0; i < COUNT(values); i++) {
        _cleanup_free_ char *set = str_format("%s=%s", values[i].set, values[i].value);
        _cleanup_conf_ struct conf *conf = NULL;
        _cleanup_err_ struct err err = {0};
        const char *sets[] = {set};

        if (values[i].message) {
            expect_fault(sets, 1, ERR_CONFIG, values[i].message, values[i].hint);
        } else if (load(&conf, sets, 1, &err) != ERR_OK)
            fail_msg("%s: %s", set, err.message);
    }
}

static void test_message(void **state)
{
    _cleanup_free_ char *expected = str_format("%s:3: [reports] formats: \"cvs\" is not one of "
                                               "csv, xlsx",
                                               file);
    _cleanup_conf_ struct conf *conf = NULL;
    _cleanup_err_ struct err err = {0};
    static const char text[] = "# x\n[reports]\nformats = cvs\n";

    (void)state;
    write_bytes(text, sizeof text - 1);
    assert_int_equal(load(&conf, NULL, 0, &err), ERR_CONFIG);
    assert_string_equal(err.message, expected);
}

static void test_judge(void **state)
{
    _cleanup_err_ struct err err = {0};

    (void)state;
    assert_int_equal(setting_judge(&settings[5], "yes", "--bom", ERR_USAGE, &err), ERR_OK);
    assert_int_equal(setting_judge(&settings[5], "on", "--bom", ERR_USAGE, &err), ERR_USAGE);
    assert_string_equal(err.message, "--bom: \"on\" is not yes or no");
    assert_int_equal(duration_seconds("30 d"), 2592000);
    assert_int_equal(duration_seconds("0 s"), 0);
}

/* ---- what is read ---- */

static void test_good_file(void **state)
{
    static const char text[] = "; a comment\r\n  # and one more, with a \xc2\xa0 in it\r\n\r\n"
                               "[database]\r\n"
                               "\tconninfo =  host=/run/pg application_name='lapse x' \t\r\n"
                               "deadline=\"90 min\"\r\n"
                               "[job.activity-report]\r\n"
                               "max_changes = 0\r\n"
                               "title = '  \"a\" = # ; '\r\n"
                               "[rules]\r\n"
                               "[reports]\r\n"
                               "dir = /srv/r=1";
    _cleanup_conf_ struct conf *conf = NULL;
    _cleanup_err_ struct err err = {0};
    const struct setting *setting;
    enum setting_source source;
    const char *value;

    (void)state;
    write_bytes(text, sizeof text - 1);
    if (load(&conf, NULL, 0, &err) != ERR_OK)
        fail_msg("%s", err.message);
    assert_string_equal(conf_file(conf), file);
    assert_string_equal(conf_text(conf, "database", "conninfo"),
                        "host=/run/pg application_name='lapse x'");
    assert_int_equal(conf_seconds(conf, "database", "deadline"), 5400);
    assert_true(conf_is_set(conf, "job.activity-report", "max_changes"));
    assert_int_equal(conf_int(conf, "job.activity-report", "max_changes"), 0);
    assert_string_equal(conf_text(conf, "job.activity-report", "title"), "  \"a\" = # ; ");
    assert_string_equal(conf_text(conf, "reports", "dir"), "/srv/r=1");
    assert_false(conf_bool(conf, "reports", "csv_bom"));
    assert_false(conf_is_set(conf, "rules", "grace"));
    assert_null(conf_text(conf, "rules", "grace"));
    assert_true(conf_each(conf, 1, &setting, &value, &source));
    assert_ptr_equal(setting, &settings[1]);
    assert_string_equal(value, "90 min");
    assert_int_equal(source, FROM_FILE);
    assert_true(conf_each(conf, 2, &setting, &value, &source));
    assert_int_equal(source, FROM_DEFAULT);
    assert_false(conf_each(conf, COUNT(settings), &setting, &value, &source));
}

/* iniparser and the scan agree on empty values in all their forms. */
static void test_empty_values(void **state)
{
    static const char *const texts[] = {"conninfo =", "conninfo=", "conninfo = \"\"",
                                        "conninfo = ''", "conninfo = \t\r\n[rules]"};

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        _cleanup_free_ char *text = str_format("[database]\n%s", texts[i]);
        _cleanup_conf_ struct conf *conf = NULL;
        _cleanup_err_ struct err err = {0};

        write_bytes(text, strlen(text));
        if (load(&conf, NULL, 0, &err) != ERR_OK)
            fail_msg("%s: %s", text, err.message);
        assert_string_equal(conf_text(conf, "database", "conninfo"), "");
    }
}

static enum setting_source source_of(const struct conf *conf, size_t n)
{
    enum setting_source source;
    const struct setting *setting;
    const char *value;

    assert_true(conf_each(conf, n, &setting, &value, &source));
    return source;
}

static void test_order(void **state)
{
    static const char text[] = "[rules]\nshift = 1\n[database]\nbatch_rows = 1\ndeadline = 1 s\n";
    const char *sets[] = {"rules.shift=3", "job.activity-report.max_changes=3"};
    _cleanup_conf_ struct conf *conf = NULL;
    _cleanup_err_ struct err err = {0};

    (void)state;
    write_bytes(text, sizeof text - 1);
    setenv("LAPSE_RULES_SHIFT", "2", 1);
    setenv("LAPSE_DATABASE_BATCH_ROWS", "2", 1);
    setenv("LAPSE_JOB_ACTIVITY_REPORT_TITLE", "from outside", 1);
    setenv("LAPSE_TEST_SOMETHING", "x", 1);
    if (load(&conf, sets, 2, &err) != ERR_OK)
        fail_msg("%s", err.message);
    assert_int_equal(conf_int(conf, "rules", "shift"), 3);
    assert_int_equal(source_of(conf, 7), FROM_COMMAND_LINE);
    assert_int_equal(conf_int(conf, "database", "batch_rows"), 2);
    assert_int_equal(source_of(conf, 2), FROM_ENVIRONMENT);
    assert_int_equal(source_of(conf, 1), FROM_FILE);
    assert_int_equal(conf_int(conf, "job.activity-report", "max_changes"), 3);
    assert_string_equal(conf_text(conf, "job.activity-report", "title"), "from outside");
    unsetenv("LAPSE_RULES_SHIFT");
    unsetenv("LAPSE_DATABASE_BATCH_ROWS");
    unsetenv("LAPSE_JOB_ACTIVITY_REPORT_TITLE");
    unsetenv("LAPSE_TEST_SOMETHING");
}

static void test_environment_faults(void **state)
{
    (void)state;
    write_bytes("[rules]\n", 8);
    setenv("LAPSE_REPORT_DIR", "/x", 1);
    expect_fault(NULL, 0, ERR_CONFIG, "environment variable LAPSE_REPORT_DIR names no setting",
                 "did you mean LAPSE_REPORTS_DIR?");
    unsetenv("LAPSE_REPORT_DIR");
    setenv("LAPSE_REPORTS_CSV_BOM", "on", 1);
    expect_fault(NULL, 0, ERR_CONFIG, "LAPSE_REPORTS_CSV_BOM: \"on\" is not yes or no", "yes");
    unsetenv("LAPSE_REPORTS_CSV_BOM");
    setenv("LAPSE_DATABASE_CONNINFO", "password=hunter2", 1);
    expect_fault(NULL, 0, ERR_CONFIG, "LAPSE_DATABASE_CONNINFO: the value holds a password",
                 "PGPASSFILE");
    unsetenv("LAPSE_DATABASE_CONNINFO");
}

static void test_set_faults(void **state)
{
    static const char *const malformed[] = {"",     "x",    "=",     "a.b",      "a=b",
                                            ".b=c", "a.=c", "a=b.c", "\xff.b=c", "hunter2"};
    static const struct {
        const char *set;
        enum err_code code;
        const char *message, *hint;
    } faults[] = {
        {"reports.format=csv", ERR_CONFIG,
         "--set reports.format: unknown setting \"format\" in section [reports]", "\"formats\""},
        {"report.dir=/x", ERR_CONFIG, "--set report.dir: unknown section [report]", "[reports]"},
        {"job.x.y=1", ERR_CONFIG, "--set job.x.y: unknown section [job.x]", "sample"},
    };
    const char *twice[] = {"rules.shift=1", "rules.shift=1"};

    (void)state;
    write_bytes("[rules]\n", 8);
    for (size_t i = 0; i < COUNT(malformed); i++)
        expect_fault(&malformed[i], 1, ERR_USAGE, "option --set needs SECTION.KEY=VALUE",
                     "--set reports.formats=csv");
    for (size_t i = 0; i < COUNT(faults); i++)
        expect_fault(&faults[i].set, 1, faults[i].code, faults[i].message, faults[i].hint);
    expect_fault(twice, 2, ERR_USAGE, "--set rules.shift is given twice", "once");
}

/* Without -c: LAPSE_CONFIG, which must exist. */
static void test_which_file(void **state)
{
    _cleanup_conf_ struct conf *conf = NULL;
    _cleanup_err_ struct err err = {0};
    struct conf_source source = {0};

    (void)state;
    write_bytes("[rules]\nshift = 5\n", 18);
    setenv("LAPSE_CONFIG", file, 1);
    assert_int_equal(conf_load(&conf, settings, COUNT(settings), &source, &err), ERR_OK);
    assert_int_equal(conf_int(conf, "rules", "shift"), 5);
    conf_freep(&conf);
    setenv("LAPSE_CONFIG", "/nonexistent/lapse.ini", 1);
    assert_int_equal(conf_load(&conf, settings, COUNT(settings), &source, &err), ERR_CONFIG);
    err_done(&err);
    unsetenv("LAPSE_CONFIG");
    if (access(LAPSE_SYSCONFDIR "/lapse/lapse.ini", F_OK) < 0) {
        assert_int_equal(conf_load(&conf, settings, COUNT(settings), &source, &err), ERR_OK);
        assert_null(conf_file(conf));
        assert_int_equal(conf_int(conf, "rules", "shift"), 0);
    }
}

/* A list that contradicts itself is found by any load. */
static void test_bad_lists(void **state)
{
    static const struct setting twice[] = {
        {"a", "b", SETTING_BOOL, "no", 0, 0, NULL, "", 0},
        {"a", "c", SETTING_BOOL, "no", 0, 0, NULL, "", 0},
        {"a", "b", SETTING_INT, "1", 0, 1, NULL, "", 0},
    };
    static const struct setting bad_default[] = {{"a", "b", SETTING_INT, "7", 0, 1, NULL, "", 0}};
    _cleanup_conf_ struct conf *conf = NULL;
    _cleanup_err_ struct err err = {0};
    struct conf_source source = {.file = file};

    (void)state;
    assert_int_equal(conf_load(&conf, twice, 3, &source, &err), ERR_INTERNAL);
    assert_non_null(strstr(err.message, "[a] b is listed twice"));
    err_done(&err);
    assert_int_equal(conf_load(&conf, bad_default, 1, &source, &err), ERR_INTERNAL);
    assert_non_null(strstr(err.message, "[a] b: default: \"7\" is not"));
}

/* ---- the sample ---- */

/* The sample with every "#key" line uncommented, or as it is. */
static void write_sample(const struct setting *list, size_t n, bool uncomment)
{
    _cleanup_free_ char *text = NULL;
    size_t len, line = 0;
    FILE *f = open_memstream(&text, &len);

    conf_sample(list, n, f);
    assert_int_equal(fclose(f), 0);
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n') {
            assert_true(i - line <= 90);
            line = i + 1;
        } else if (uncomment && i == line && text[i] == '#' && text[i + 1] != ' ')
            text[i] = ' ';
    }
    write_bytes(text, len);
}

static void test_sample(void **state)
{
    (void)state;
    for (int uncomment = 0; uncomment < 2; uncomment++) {
        _cleanup_conf_ struct conf *conf = NULL;
        _cleanup_conf_ struct conf *runner = NULL;
        _cleanup_err_ struct err err = {0};
        struct conf_source source = {.file = file};

        write_sample(settings, COUNT(settings), uncomment);
        if (load(&conf, NULL, 0, &err) != ERR_OK)
            fail_msg("%s", err.message);
        for (size_t i = 0; i < COUNT(settings); i++) {
            const struct setting *s = &settings[i];

            assert_int_equal(source_of(conf, i),
                             s->fallback || uncomment ? FROM_FILE : FROM_DEFAULT);
            if (s->fallback)
                assert_string_equal(conf_text(conf, s->section, s->key), s->fallback);
        }
        write_sample(runner_settings, runner_settings_count, uncomment);
        if (conf_load(&runner, runner_settings, runner_settings_count, &source, &err) != ERR_OK)
            fail_msg("%s", err.message);
    }
}

/* ---- memory ---- */

/* An allocation failed and the load went well: the last realloc of vasprintf, stdio's buffer. One
   of iniparser's must never pass so. */
static void expect_harmless(void *victim)
{
    Dl_info info;

    assert_non_null(victim);
    if (dladdr(victim, &info) && strstr(info.dli_fname, "iniparser"))
        fail_msg("memory was short in iniparser, and nobody saw");
}

static void test_out_of_memory(void **state)
{
    static const char text[] = "[database]\nconninfo = service=x\ndeadline = 1 h\nbatch_rows = 5\n"
                               "[reports]\ndir = /x\ncsv_bom = yes\nformats = \"csv\"\n"
                               "[rules]\nshift = 1\ngrace = 5 d\n";
    const char *sets[] = {"rules.shift=4", "reports.csv_bom=no"};
    enum err_code code = ERR_NOMEM;
    long n = 0;

    (void)state;
    write_bytes(text, sizeof text - 1);
    setenv("LAPSE_DATABASE_DEADLINE", "3 h", 1);
    for (; OWN_MALLOC && code != ERR_OK; n++) {
        _cleanup_conf_ struct conf *conf = NULL;
        _cleanup_err_ struct err err = {0};

        memory->allocations = 0;
        memory->fail_at = n;
        code = load(&conf, sets, 2, &err);
        memory->fail_at = -1;
        if (code == ERR_NOMEM) {
            assert_non_null(strstr(err.message, "out of memory"));
            continue;
        }
        if (code != ERR_OK)
            fail_msg("allocation %ld: %s", n, err.message);
        assert_int_equal(conf_seconds(conf, "database", "deadline"), 10800);
        assert_string_equal(conf_text(conf, "reports", "dir"), "/x");
        assert_int_equal(conf_seconds(conf, "rules", "grace"), 432000);
        if (memory->allocations > n) {
            expect_harmless(memory->victim);
            code = ERR_NOMEM;
        }
    }
    unsetenv("LAPSE_DATABASE_DEADLINE");
    if (!OWN_MALLOC || n < 2)
        skip();
    assert_true(n > 40);
}

static int set_up(void **state)
{
    (void)state;
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
    memory = mmap(NULL, sizeof *memory, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || !mkdtemp(dir))
        return -1;
    memory->fail_at = -1;
    snprintf(file, sizeof file, "%s/lapse.ini", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(file);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_faults),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_message),
        cmocka_unit_test(test_judge),
        cmocka_unit_test(test_good_file),
        cmocka_unit_test(test_empty_values),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_environment_faults),
        cmocka_unit_test(test_set_faults),
        cmocka_unit_test(test_which_file),
        cmocka_unit_test(test_bad_lists),
        cmocka_unit_test(test_sample),
        cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests_name("conf", tests, set_up, tear_down);
}
