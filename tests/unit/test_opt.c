/* The command line: where options may stand, every way to get them wrong, the list for help. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "opt.h"

static const struct opt globals[] = {
    {"config", 'c', "FILE", "read settings from FILE", false},
    {"set", '\0', "SECTION.KEY=VALUE", "set one setting", true},
    {"verbose", 'v', NULL, "say more", false},
    {"json", '\0', NULL, "print one object per line", false},
    {0},
};
static const struct opt run_table[] = {
    {"as-of", '\0', "WHEN", "judge as of WHEN", false},
    {"dry-run", '\0', NULL, "change nothing", false},
    {"out", 'o', "DIR", "publish below DIR", false},
    {0},
};
static const struct opt job_table[] = {
    {"window", '\0', "DAYS", "days to look back", false},
    {"as-of", '\0', "OTHER", "never seen: run has it", false},
    {0},
};
static const struct opt *const tables[] = {run_table, job_table};

/* Reads "lapse WORD...", whose words end at NULL. */
static enum err_code read_words(struct opts *opts, char **words, struct err *err)
{
    int argc = 0;

    while (words[argc])
        argc++;
    if (opts_begin(opts, globals, argc, words, err) != ERR_OK)
        return err->code;
    return opts_finish(opts, tables, COUNT(tables), err);
}

/* Arguments are char * by tradition; nobody writes to them. */
#define WORDS(...)                           \
    (char *[])                               \
    {                                        \
        (char[]){"lapse"}, __VA_ARGS__, NULL \
    }
#define W(text) ((char[]){text})

static void expect_good(struct opts *opts, char **words)
{
    _cleanup_err_ struct err err = {0};

    if (read_words(opts, words, &err) != ERR_OK)
        fail_msg("%s", err.message);
}

static void test_places(void **state)
{
    _cleanup_opts_ struct opts opts = {0};
    const struct opt *o;
    const char *value;

    (void)state;
    expect_good(&opts,
                WORDS(W("-c"), W("a.ini"), W("--set=x.y=1"), W("run"), W("--as-of"),
                      W("2026-01-01"), W("end-trials"), W("-v"), W("--set"), W("x.z=a=b"), W("-"),
                      W("--out=-"), W("--window=30"), W("--"), W("--json"), W("-5")));
    assert_string_equal(opts.command, "run");
    assert_int_equal(opts.n_operands, 4);
    assert_string_equal(opts.operands[0], "end-trials");
    assert_string_equal(opts.operands[1], "-");
    assert_string_equal(opts.operands[2], "--json");
    assert_string_equal(opts.operands[3], "-5");
    assert_string_equal(opt_text(&opts, "config"), "a.ini");
    assert_string_equal(opt_text(&opts, "as-of"), "2026-01-01");
    assert_string_equal(opt_text(&opts, "out"), "-");
    assert_string_equal(opt_text(&opts, "window"), "30");
    assert_true(opt_flag(&opts, "verbose"));
    assert_false(opt_flag(&opts, "json"));
    assert_false(opt_flag(&opts, "nonexistent"));
    assert_null(opt_text(&opts, "nonexistent"));
    assert_int_equal(opt_count(&opts, "set"), 2);
    assert_string_equal(opt_nth(&opts, "set", 0), "x.y=1");
    assert_string_equal(opt_nth(&opts, "set", 1), "x.z=a=b");
    assert_null(opt_nth(&opts, "set", 2));
    assert_true(opts_each(&opts, 0, &o, &value));
    assert_ptr_equal(o, &globals[0]);
    assert_true(opts_each(&opts, 3, &o, &value));
    assert_ptr_equal(o, &globals[2]);
    assert_null(value);
    assert_true(opts_each(&opts, 2, &o, &value));
    assert_ptr_equal(o, &run_table[0]); /* of two with one name the first */
    assert_false(opts_each(&opts, opts.n_given, &o, &value));
}

static void test_nothing(void **state)
{
    _cleanup_opts_ struct opts opts = {0};
    char *no_words[] = {NULL};

    (void)state;
    expect_good(&opts, WORDS(W("-v")));
    assert_null(opts.command);
    assert_int_equal(opts.n_operands, 0);
    opts_done(&opts);
    expect_good(&opts, no_words); /* argc 0, as execve allows */
    assert_null(opts.command);
}

static void expect_fault(char **words, const char *message, const char *hint)
{
    _cleanup_opts_ struct opts opts = {0};
    _cleanup_err_ struct err err = {0};

    if (read_words(&opts, words, &err) != ERR_USAGE)
        fail_msg("no error: %s", message);
    assert_string_equal(err.message, message);
    assert_non_null(err.hint);
    if (!strstr(err.hint, hint))
        fail_msg("%s: hint \"%s\" does not hold \"%s\"", message, err.hint, hint);
}

static void test_faults(void **state)
{
    static const char help[] = "run \"lapse help run\"";

    (void)state;
    expect_fault(WORDS(W("run"), W("--as-off"), W("x")), "unknown option \"--as-off\"",
                 "did you mean --as-of? run \"lapse help run\"");
    expect_fault(WORDS(W("run"), W("--dryrun")), "unknown option \"--dryrun\"", "--dry-run?");
    expect_fault(WORDS(W("run"), W("--verbos")), "unknown option \"--verbos\"", "--verbose?");
    expect_fault(WORDS(W("run"), W("--windows=hunter2")), "unknown option \"--windows\"",
                 "--window?");
    expect_fault(WORDS(W("run"), W("--xyzzy-plugh")), "unknown option \"--xyzzy-plugh\"", help);
    expect_fault(WORDS(W("run"), W("-x")), "unknown option \"-x\"", help);
    expect_fault(WORDS(W("run"), W("-oDIR")), "unknown option \"-oDIR\"", help);
    expect_fault(WORDS(W("run"), W("--=x")), "unknown option \"--\"", help);
    expect_fault(WORDS(W("--as-of"), W("2026-01-01"), W("run")),
                 "unknown option \"--as-of\" before the command", "stand behind it");
    expect_fault(WORDS(W("--jsn"), W("run")), "unknown option \"--jsn\" before the command",
                 "did you mean --json? run \"lapse help\"");
    expect_fault(WORDS(W("--"), W("run")), "\"--\" stands before the command",
                 "run \"lapse help\"");
    expect_fault(WORDS(W("run"), W("--dry-run"), W("--dry-run")), "option --dry-run is given twice",
                 help);
    expect_fault(WORDS(W("-v"), W("run"), W("--verbose")), "option --verbose is given twice", help);
    expect_fault(WORDS(W("run"), W("-o"), W("a"), W("--out=a")), "option --out is given twice",
                 help);
    expect_fault(WORDS(W("run"), W("--as-of")), "option --as-of needs a value: WHEN", help);
    expect_fault(WORDS(W("run"), W("--as-of=")), "option --as-of needs a value: WHEN", help);
    expect_fault(WORDS(W("run"), W("--as-of"), W("")), "option --as-of needs a value: WHEN", help);
    expect_fault(WORDS(W("run"), W("--as-of"), W("--dry-run")),
                 "option --as-of needs a value: WHEN", help);
    expect_fault(WORDS(W("run"), W("--out"), W("--")), "option --out needs a value: DIR", help);
    expect_fault(WORDS(W("run"), W("-o"), W("-v")), "option --out needs a value: DIR", help);
    expect_fault(WORDS(W("-c")), "option --config needs a value: FILE", "run \"lapse help\"");
    expect_fault(WORDS(W("run"), W("--dry-run=yes")), "option --dry-run takes no value", help);
    expect_fault(WORDS(W("run"), W("--dry-run=")), "option --dry-run takes no value", help);
    expect_fault(WORDS(W("run"), W("caf\xe9")), "argument 2 is not valid UTF-8",
                 "run \"lapse help\"");
    expect_fault(WORDS(W("run"), W("--as-of=\xff")), "argument 2 is not valid UTF-8",
                 "run \"lapse help\"");
    expect_fault(WORDS(W("run"), W("a\033[2J")), "argument 2 holds a control character",
                 "run \"lapse help\"");
}

/* A value may look like a negative number or an unknown option. */
static void test_dashed_values(void **state)
{
    _cleanup_opts_ struct opts opts = {0};

    (void)state;
    expect_good(&opts, WORDS(W("run"), W("--window"), W("-5"), W("--out"), W("--strange")));
    assert_string_equal(opt_text(&opts, "window"), "-5");
    assert_string_equal(opt_text(&opts, "out"), "--strange");
}

static void test_print(void **state)
{
    static const struct opt table[] = {
        {"config", 'c', "FILE", "read settings from FILE", false},
        {"json", '\0', NULL,
         "print one object per line, with the names that the documentation gives, and no table",
         false},
        {0},
    };
    _cleanup_free_ char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);

    (void)state;
    opt_print(table, f);
    assert_int_equal(fclose(f), 0);
    assert_string_equal(text,
                        "  -c, --config FILE  read settings from FILE\n"
                        "      --json         print one object per line, with the names that the "
                        "documentation\n"
                        "                     gives, and no table\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places), cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_faults), cmocka_unit_test(test_dashed_values),
        cmocka_unit_test(test_print),
    };

    return cmocka_run_group_tests_name("opt", tests, NULL, NULL);
}
