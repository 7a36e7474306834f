/* Every fault of where settings come from: the text of a file, the file itself, the environment,
   --set, the list of settings. */
#define _GNU_SOURCE
#include "conf_fixture.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "ban.h"

/* Whoever loads the file is told so. */
static void expect_refused(const char *message, const char *hint)
{
    expect_fault(NULL, 0, ERR_CONFIG, message, hint);
}

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

static void test_text_faults(void **state _unused_)
{
    for (size_t i = 0; i < COUNT(text_faults); i++) {
        write_text(text_faults[i].text);
        expect_refused(text_faults[i].message, text_faults[i].hint);
    }
}

static void test_bytes(void **state _unused_)
{
    static const char nul[] = "[rules]\nshift = 1\0 2\n";
    static const char little[] = "\xff\xfe[\0r\0]\0\n\0", bare[] = "[\0r\0]\0\n\0";

    write_bytes(nul, sizeof nul - 1);
    expect_refused(":2: the line holds a NUL byte", "UTF-8");
    write_bytes(little, sizeof little - 1);
    expect_refused(":1: the file looks like UTF-16", "UTF-8");
    write_bytes(bare, sizeof bare - 1);
    expect_refused(":1: the file looks like UTF-16", "UTF-8");
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

static void test_sizes(void **state _unused_)
{
    _cleanup_conf_ struct conf *conf = NULL;
    _cleanup_err_ struct err err = {0};

    write_comment(1001, 1);
    expect_refused(":1: the line is longer than 1000 bytes", "shorten");
    write_comment(1000, 66);
    expect_refused("is larger than 64 KiB", "right file");
    write_comment(1000, 65);
    assert_int_equal(load(&conf, NULL, 0, &err), ERR_OK);
    assert_int_equal(conf_int(conf, "rules", "shift"), 7);
}

static void test_files(void **state _unused_)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int s;

    unlink(file);
    expect_refused("No such file or directory", "LAPSE_CONFIG");
    assert_int_equal(mkdir(file, 0755), 0);
    expect_refused("is a directory", "-c");
    assert_int_equal(rmdir(file), 0);
    assert_int_equal(mkfifo(file, 0644), 0); /* must not wait for a writer */
    expect_refused("is not a regular file", "-c");
    unlink(file);
    assert_int_equal(symlink("/dev/null", file), 0);
    expect_refused("is not a regular file", "-c");
    unlink(file);
    s = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", file);
    assert_int_equal(bind(s, (struct sockaddr *)&address, sizeof address), 0);
    expect_refused("is not a regular file", "-c");
    close(s);
    write_text("[rules]\n");
    assert_int_equal(chmod(file, 0660), 0);
    expect_refused("is writable by its group", "chmod go-w");
    assert_int_equal(chmod(file, 0646), 0);
    expect_refused("is writable by everyone", "chmod go-w");
    if (geteuid() != 0) { /* root reads everything */
        assert_int_equal(chmod(file, 0), 0);
        expect_refused("Permission denied", "-c");
    }
}

static void test_environment_faults(void **state _unused_)
{
    static const struct {
        const char *name, *value, *message, *hint;
    } faults[] = {
        {"LAPSE_REPORT_DIR", "/x", "environment variable LAPSE_REPORT_DIR names no setting",
         "did you mean LAPSE_REPORTS_DIR?"},
        {"LAPSE_REPORTS_CSV_BOM", "on", "LAPSE_REPORTS_CSV_BOM: \"on\" is not yes or no", "yes"},
        {"LAPSE_DATABASE_CONNINFO", "password=hunter2",
         "LAPSE_DATABASE_CONNINFO: the value holds a password", "PGPASSFILE"},
    };

    write_text("[rules]\n");
    for (size_t i = 0; i < COUNT(faults); i++) {
        setenv(faults[i].name, faults[i].value, 1);
        expect_refused(faults[i].message, faults[i].hint);
        unsetenv(faults[i].name);
    }
}

static void test_set_faults(void **state _unused_)
{
    static const char *const malformed[] = {"",     "x",    "=",     "a.b",      "a=b",
                                            ".b=c", "a.=c", "a=b.c", "\xff.b=c", "hunter2"};
    static const struct {
        const char *set, *message, *hint;
    } faults[] = {
        {"reports.format=csv",
         "--set reports.format: unknown setting \"format\" in section [reports]", "\"formats\""},
        {"report.dir=/x", "--set report.dir: unknown section [report]", "[reports]"},
        {"job.x.y=1", "--set job.x.y: unknown section [job.x]", "sample"},
    };
    const char *twice[] = {"rules.shift=1", "rules.shift=1"};

    write_text("[rules]\n");
    for (size_t i = 0; i < COUNT(malformed); i++)
        expect_fault(&malformed[i], 1, ERR_USAGE, "option --set needs SECTION.KEY=VALUE",
                     "--set reports.formats=csv");
    for (size_t i = 0; i < COUNT(faults); i++)
        expect_fault(&faults[i].set, 1, ERR_CONFIG, faults[i].message, faults[i].hint);
    expect_fault(twice, 2, ERR_USAGE, "--set rules.shift is given twice", "once");
}

/* A list that contradicts itself is found by any load. */
static void test_bad_lists(void **state _unused_)
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

    assert_int_equal(conf_load(&conf, twice, 3, &source, &err), ERR_INTERNAL);
    assert_non_null(strstr(err.message, "[a] b is listed twice"));
    err_done(&err);
    assert_int_equal(conf_load(&conf, bad_default, 1, &source, &err), ERR_INTERNAL);
    assert_non_null(strstr(err.message, "[a] b: default: \"7\" is not"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_faults),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_environment_faults),
        cmocka_unit_test(test_set_faults),
        cmocka_unit_test(test_bad_lists),
    };

    return cmocka_run_group_tests_name("conf_faults", tests, fixture_setup, fixture_teardown);
}
