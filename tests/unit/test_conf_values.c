/* What a setting of each type takes and refuses. */
#define _GNU_SOURCE
#include "conf_fixture.h"

#include "ban.h"

static const struct {
    const char *setting, *value;
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

static void test_values(void **state _unused_)
{
    write_text("[rules]\n");
    for (size_t i = 0; i < COUNT(values); i++) {
        _cleanup_free_ char *set = str_format("%s=%s", values[i].setting, values[i].value);
        _cleanup_conf_ struct conf *conf = NULL;
        _cleanup_err_ struct err err = {0};
        const char *sets[] = {set};

        if (values[i].message) {
            expect_fault(sets, 1, ERR_CONFIG, values[i].message, values[i].hint);
        } else if (load(&conf, sets, 1, &err) != ERR_OK)
            fail_msg("%s: %s", set, err.message);
    }
}

/* All of a message, with the line. */
static void test_message(void **state _unused_)
{
    _cleanup_free_ char *expected = str_format("%s:3: [reports] formats: \"cvs\" is not one of "
                                               "csv, xlsx",
                                               file);
    _cleanup_conf_ struct conf *conf = NULL;
    _cleanup_err_ struct err err = {0};

    write_text("# x\n[reports]\nformats = cvs\n");
    assert_int_equal(load(&conf, NULL, 0, &err), ERR_CONFIG);
    assert_string_equal(err.message, expected);
}

static void test_judge(void **state _unused_)
{
    _cleanup_err_ struct err err = {0};

    assert_int_equal(setting_judge(&settings[5], "yes", "--bom", ERR_USAGE, &err), ERR_OK);
    assert_int_equal(setting_judge(&settings[5], "on", "--bom", ERR_USAGE, &err), ERR_USAGE);
    assert_string_equal(err.message, "--bom: \"on\" is not yes or no");
    assert_int_equal(duration_seconds("30 d"), 2592000);
    assert_int_equal(duration_seconds("0 s"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_message),
        cmocka_unit_test(test_judge),
    };

    return cmocka_run_group_tests_name("conf_values", tests, fixture_setup, fixture_teardown);
}
