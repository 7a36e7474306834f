/* What is read of settings: a good file, which file, the order of sources, the sample. */
#define _GNU_SOURCE
#include "conf_fixture.h"

#include "ban.h"

static void test_good_file(void **state _unused_)
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

    write_text(text);
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
static void test_empty_values(void **state _unused_)
{
    static const char *const texts[] = {"conninfo =", "conninfo=", "conninfo = \"\"",
                                        "conninfo = ''", "conninfo = \t\r\n[rules]"};

    for (size_t i = 0; i < COUNT(texts); i++) {
        _cleanup_free_ char *text = str_format("[database]\n%s", texts[i]);
        _cleanup_conf_ struct conf *conf = NULL;
        _cleanup_err_ struct err err = {0};

        write_text(text);
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

static void test_order(void **state _unused_)
{
    static const char text[] = "[rules]\nshift = 1\n[database]\nbatch_rows = 1\ndeadline = 1 s\n";
    const char *sets[] = {"rules.shift=3", "job.activity-report.max_changes=3"};
    _cleanup_conf_ struct conf *conf = NULL;
    _cleanup_err_ struct err err = {0};

    write_text(text);
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

/* Without -c: LAPSE_CONFIG, which must exist. */
static void test_which_file(void **state _unused_)
{
    _cleanup_conf_ struct conf *conf = NULL;
    _cleanup_err_ struct err err = {0};
    struct conf_source source = {0};

    write_text("[rules]\nshift = 5\n");
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

static void test_sample(void **state _unused_)
{
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_file), cmocka_unit_test(test_empty_values),
        cmocka_unit_test(test_order),     cmocka_unit_test(test_which_file),
        cmocka_unit_test(test_sample),
    };

    return cmocka_run_group_tests_name("conf", tests, fixture_setup, fixture_teardown);
}
