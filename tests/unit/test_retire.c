/* Retiring published sets: what goes, and what stays whatever its age. */
#define _GNU_SOURCE
#include "publish_fixture.h"

#include <sys/file.h>

#include "ban.h"

static const char *const known[] = {"a.csv", "a.xlsx", "gone-since.csv"};

static enum err_code retire(const char *date, char **ret_kept, struct err *err)
{
    struct deadline deadline = deadline_in(60);

    return set_retire(in_out(date), known, COUNT(known), &deadline, ret_kept, err);
}

static void must_retire(const char *date)
{
    _cleanup_err_ struct err err = {0};
    _cleanup_free_ char *kept = NULL;

    assert_int_equal(retire(date, &kept, &err), ERR_OK);
    assert_null(kept);
    assert_int_not_equal(faccessat(AT_FDCWD, in_out(date), F_OK, AT_SYMLINK_NOFOLLOW), 0);
}

/* It stays as it is, and somebody is told why. */
static void must_keep(const char *date, const char *words)
{
    _cleanup_err_ struct err err = {0};
    _cleanup_free_ char *kept = NULL;

    assert_int_equal(retire(date, &kept, &err), ERR_OK);
    assert_non_null(kept);
    if (!strstr(kept, words))
        fail_msg("\"%s\" does not say \"%s\"", kept, words);
    assert_int_equal(faccessat(AT_FDCWD, in_out(date), F_OK, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(count_prefix(".retired-"), 0);
    assert_int_equal(leftovers(), 0);
}

static void must_fail(const char *folder, enum err_code code, const char *words)
{
    _cleanup_err_ struct err err = {0};
    struct deadline deadline = deadline_in(1);
    char *kept = NULL;

    assert_int_equal(set_retire(folder, known, COUNT(known), &deadline, &kept, &err), code);
    assert_null(kept);
    if (!strstr(err.message, words))
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
}

/* An old set and the newest one, which <out>/latest leads to. */
static void publish_two(void)
{
    must_publish("a", "2026-01-01", "old");
    must_publish("a", "2026-03-31", "new");
}

static void test_goes(void **state _unused_)
{
    _cleanup_free_ char *text = NULL;

    publish_two();
    must_retire("2026-01-01");
    assert_int_equal(count_prefix(".retired-2026-01-01-"), 1); /* for those who read it */
    assert_int_equal(leftovers(), 0);
    text = read_text(in_out("2026-03-31/a.csv"));
    assert_string_equal(text, "new");
    assert_int_equal(verify_set("2026-03-31"), ERR_OK);
    must_retire("2026-01-01"); /* gone already: a run that was killed, or somebody by hand */
    assert_int_equal(count_prefix(".retired-"), 1);
}

static void test_out_is_gone(void **state _unused_)
{
    publish_two();
    assert_int_equal(fs_remove(AT_FDCWD, out), 0);
    must_retire("2026-01-01");
    assert_int_not_equal(access(out, F_OK), 0); /* and is not made again */
}

static void test_latest_stays(void **state _unused_)
{
    publish_two();
    must_keep("2026-03-31", "it is the latest there is");
    assert_int_equal(verify_set("2026-03-31"), ERR_OK);
    /* The link is what counts, not the greatest date. */
    assert_int_equal(unlink(in_out("latest")), 0);
    assert_int_equal(symlink("2026-01-01", in_out("latest")), 0);
    must_keep("2026-01-01", "it is the latest there is");
    must_retire("2026-03-31");
}

static void test_strangers_stay(void **state _unused_)
{
    publish_two();
    write_text(in_out("2026-01-01/notes.txt"), "by hand");
    must_keep("2026-01-01", "\"notes.txt\", which the ledger does not know");
    assert_int_equal(unlink(in_out("2026-01-01/notes.txt")), 0);
    write_text(in_out("2026-01-01/.hidden"), "");
    must_keep("2026-01-01", "\".hidden\"");
    assert_int_equal(unlink(in_out("2026-01-01/.hidden")), 0);
    assert_int_equal(mkdir(in_out("2026-01-01/sub"), 0750), 0);
    must_keep("2026-01-01", "\"sub\"");
    assert_int_equal(rmdir(in_out("2026-01-01/sub")), 0);
    assert_int_equal(symlink("/etc/passwd", in_out("2026-01-01/link")), 0);
    must_keep("2026-01-01", "\"link\"");
    assert_int_equal(unlink(in_out("2026-01-01/link")), 0);
    must_retire("2026-01-01");
}

/* A name that the ledger knows, over something that it does not. */
static void test_known_names_only(void **state _unused_)
{
    publish_two();
    assert_int_equal(unlink(in_out("2026-01-01/a.csv")), 0);
    assert_int_equal(symlink("/etc/passwd", in_out("2026-01-01/a.csv")), 0);
    must_keep("2026-01-01", "\"a.csv\"");
    assert_int_equal(unlink(in_out("2026-01-01/a.csv")), 0);
    assert_int_equal(mkdir(in_out("2026-01-01/a.csv"), 0750), 0);
    write_text(in_out("2026-01-01/a.csv/deep.txt"), "somebody's own");
    must_keep("2026-01-01", "\"a.csv\"");
    assert_int_equal(unlink(in_out("2026-01-01/a.csv/deep.txt")), 0);
    assert_int_equal(rmdir(in_out("2026-01-01/a.csv")), 0);
    must_retire("2026-01-01"); /* what it lacks does not matter */
}

/* A date that is no folder of ours. */
static void test_no_folder(void **state _unused_)
{
    _cleanup_free_ char *elsewhere = str_format("%s/elsewhere", base);

    publish_two();
    assert_int_equal(mkdir(elsewhere, 0750), 0);
    assert_int_equal(symlink(elsewhere, in_out("2026-02-01")), 0);
    must_keep("2026-02-01", "it is not a folder");
    assert_int_equal(access(elsewhere, F_OK), 0);
    write_text(in_out("2026-02-02"), "a file");
    must_keep("2026-02-02", "it is not a folder");
}

static void test_refused(void **state _unused_)
{
    static const char *const names[] = {"20260101", "latest", "2026-01-01x", ""};
    _cleanup_close_ int fd = -1;

    publish_two();
    for (size_t i = 0; i < COUNT(names); i++)
        must_fail(in_out(names[i]), ERR_INTERNAL, "is not the folder of a set");
    must_fail("2026-01-01", ERR_INTERNAL, "is not the folder of a set");
    must_fail("/2026-01-01", ERR_INTERNAL, "is not the folder of a set");
    /* Somebody publishes, and does not come to an end. */
    fd = open(out, O_RDONLY | O_DIRECTORY);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    must_fail(in_out("2026-01-01"), ERR_TEMP, "waiting for another publish");
    assert_int_equal(access(in_out("2026-01-01/a.csv"), F_OK), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_goes),           TEST(test_out_is_gone),      TEST(test_latest_stays),
        TEST(test_strangers_stay), TEST(test_known_names_only), TEST(test_no_folder),
        TEST(test_refused),
    };

    return cmocka_run_group_tests_name("retire", tests, NULL, NULL);
}
