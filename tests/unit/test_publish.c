/* Publishing when nothing breaks, and what is refused. */
#define _GNU_SOURCE
#include "publish_fixture.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "ban.h"

static void assert_latest(const char *date)
{
    char target[256] = "";
    ssize_t n = readlink(in_out("latest"), target, sizeof target - 1);

    assert_true(n > 0);
    assert_string_equal(target, date);
}

static void assert_content(const char *rest, const char *content)
{
    _cleanup_free_ char *text = read_text(in_out(rest));

    assert_non_null(text);
    assert_string_equal(text, content);
}

static mode_t mode_of(const char *rest)
{
    struct stat st;

    assert_int_equal(lstat(in_out(rest), &st), 0);
    return st.st_mode & 07777;
}

static void test_first(void **state _unused_)
{
    static const char manifest[] =
        "{\n  \"as_of\": \"2026-03-31T00:00:00Z\",\n  \"version\": \"0.1.0\",\n"
        "  \"audit_head\": null,\n  \"files\": [\n    {\n      \"name\": \"end-trials.csv\",\n"
        "      \"job\": \"end-trials\",\n      \"run\": 7,\n"
        "      \"as_of\": \"2026-03-31T00:00:00Z\",\n      \"version\": \"0.1.0\",\n"
        "      \"rows\": 1,\n      \"bytes\": 3,\n      \"totals\": {\n        \"Seats\": 3\n"
        "      },\n      \"sha256\": "
        "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\",\n"
        "      \"altered\": 0\n    }\n  ]\n}\n";
    _cleanup_err_ struct err err = {0};
    mode_t mask = umask(0777);

    assert_int_equal(publish_text("end-trials", "2026-03-31", "abc", 7, 60, &err), ERR_OK);
    umask(mask);
    assert_content("2026-03-31/end-trials.csv", "abc");
    assert_content("2026-03-31/manifest.json", manifest);
    assert_content("2026-03-31/SHA256SUMS",
                   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
                   "  end-trials.csv\n");
    assert_latest("2026-03-31");
    assert_int_equal(mode_of(""), 02750);
    assert_int_equal(mode_of("2026-03-31"), 02750);
    assert_int_equal(mode_of("2026-03-31/end-trials.csv"), 0640);
    assert_int_equal(mode_of("2026-03-31/manifest.json"), 0640);
    assert_int_equal(mode_of("2026-03-31/SHA256SUMS"), 0640);
    assert_int_equal(verify_set("2026-03-31"), ERR_OK);
    assert_int_equal(count_prefix("."), 0);
}

static void test_replace_and_carry(void **state _unused_)
{
    _cleanup_err_ struct err err = {0};
    _cleanup_free_ char *text = NULL;
    struct stat before, after;

    assert_int_equal(publish_text("a", "2026-03-31", "a one", 1, 60, &err), ERR_OK);
    assert_int_equal(publish_text("b", "2026-03-31", "b one", 2, 60, &err), ERR_OK);
    assert_int_equal(stat(in_out("2026-03-31/b.csv"), &before), 0);
    assert_int_equal(publish_text("a", "2026-03-31", "a two", 3, 60, &err), ERR_OK);
    assert_content("2026-03-31/a.csv", "a two");
    assert_content("2026-03-31/b.csv", "b one");
    assert_int_equal(stat(in_out("2026-03-31/b.csv"), &after), 0);
    assert_int_equal(before.st_ino, after.st_ino); /* linked, not copied */
    text = read_text(in_out("2026-03-31/manifest.json"));
    assert_non_null(strstr(text, "\"run\": 2")); /* b keeps its run */
    assert_non_null(strstr(text, "\"run\": 3"));
    assert_null(strstr(text, "\"run\": 1,"));
    assert_int_equal(verify_set("2026-03-31"), ERR_OK);
    assert_int_equal(count_prefix(".retired-2026-03-31-"), 2);
    assert_int_equal(leftovers(), 0);
}

static void test_latest(void **state _unused_)
{
    must_publish("a", "2026-03-30", "x");
    assert_latest("2026-03-30");
    must_publish("a", "2026-04-01", "x");
    assert_latest("2026-04-01");
    must_publish("a", "2026-03-30", "again");
    must_publish("a", "2025-12-31", "older");
    assert_latest("2026-04-01");
    /* Neither of these is a set. */
    assert_int_equal(mkdir(in_out("2026-13-01"), 0750), 0);
    assert_int_equal(mkdir(in_out("2027-01-01"), 0750), 0);
    /* A link that leads astray is turned back. */
    assert_int_equal(unlink(in_out("latest")), 0);
    assert_int_equal(symlink("/nowhere", in_out("latest")), 0);
    must_publish("a", "2026-03-30", "third");
    assert_latest("2026-04-01");
}

static void test_unknown_files(void **state _unused_)
{
    _cleanup_err_ struct err err = {0};

    must_publish("a", "2026-03-31", "one");
    write_text(in_out("2026-03-31/note.txt"), "by hand");
    assert_int_equal(symlink("../elsewhere", in_out("2026-03-31/link")), 0);
    assert_int_equal(mkdir(in_out("2026-03-31/sub"), 0755), 0);
    write_text(in_out("2026-03-31/sub/deep.txt"), "deep");
    must_publish("a", "2026-03-31", "two");
    assert_content("2026-03-31/note.txt", "by hand");
    assert_content("2026-03-31/sub/deep.txt", "deep");
    assert_int_equal(mode_of("2026-03-31/sub") & 0777, 0755);
    assert_int_equal(mode_of("2026-03-31/link"), 0777);
    assert_int_equal(verify_set("2026-03-31"), ERR_CHECKSUM); /* which names them */
    /* One that a job would overwrite stops it. */
    write_text(in_out("2026-03-31/b.csv"), "not lapse's");
    assert_int_equal(publish_text("b", "2026-03-31", "x", 1, 60, &err), ERR_CANTCREAT);
    assert_non_null(err.hint);
    assert_content("2026-03-31/b.csv", "not lapse's");
    assert_int_equal(leftovers(), 0);
}

static void test_damaged_set(void **state _unused_)
{
    static const char *const manifests[] = {"", "{", "[]", "{\"as_of\": 1}", "{\"files\": []}"};

    must_publish("a", "2026-03-31", "one");
    must_publish("b", "2026-03-31", "two");
    for (size_t i = 0; i < COUNT(manifests) + 1; i++) {
        _cleanup_err_ struct err err = {0};
        _cleanup_free_ char *whole = read_text(in_out("2026-03-31/manifest.json"));

        if (i < COUNT(manifests))
            write_text(in_out("2026-03-31/manifest.json"), manifests[i]);
        else
            unlink(in_out("2026-03-31/manifest.json"));
        assert_int_equal(publish_text("a", "2026-03-31", "new", 1, 60, &err), ERR_CHECKSUM);
        assert_non_null(strstr(err.message, "2026-03-31/manifest.json"));
        assert_non_null(err.hint);
        assert_content("2026-03-31/a.csv", "one");
        assert_int_equal(verify_set("2026-03-31"), ERR_CHECKSUM);
        write_text(in_out("2026-03-31/manifest.json"), whole);
    }
    /* An edited file of another job is not vouched for again; its own job replaces it. */
    for (int i = 0; i < 2; i++) {
        _cleanup_err_ struct err err = {0};

        if (i == 0)
            write_text(in_out("2026-03-31/b.csv"), "TWO");
        else
            unlink(in_out("2026-03-31/b.csv"));
        assert_int_equal(publish_text("a", "2026-03-31", "new", 1, 60, &err), ERR_CHECKSUM);
        assert_non_null(strstr(err.message, "b.csv"));
        assert_content("2026-03-31/a.csv", "one");
        must_publish("b", "2026-03-31", "three");
        assert_int_equal(verify_set("2026-03-31"), ERR_OK);
    }
    assert_int_equal(leftovers(), 0);
}

struct seen {
    char text[512];
};

static void note_difference(void *arg, const char *name, enum set_difference what,
                            const char *detail)
{
    struct seen *seen = arg;
    size_t len = strlen(seen->text);

    snprintf(seen->text + len, sizeof seen->text - len, "%s %d %s; ", name, (int)what, detail);
}

static void test_verify(void **state _unused_)
{
    _cleanup_err_ struct err err = {0}, missing = {0};
    struct seen seen = {""};

    must_publish("a", "2026-03-31", "one");
    must_publish("b", "2026-03-31", "two");
    must_publish("c", "2026-03-31", "three");
    write_text(in_out("2026-03-31/a.csv"), "eno");
    write_text(in_out("2026-03-31/b.csv"), "longer");
    unlink(in_out("2026-03-31/c.csv"));
    write_text(in_out("2026-03-31/d.csv"), "");
    write_text(in_out("2026-03-31/SHA256SUMS"), "nothing");
    assert_int_equal(set_verify(in_out("latest"), NULL, note_difference, &seen, &err),
                     ERR_CHECKSUM);
    assert_string_equal(seen.text, "a.csv 1 other bytes; b.csv 1 6 bytes instead of 3; "
                                   "c.csv 0 it is gone; SHA256SUMS 1 it does not say what the "
                                   "manifest says; d.csv 2 the manifest does not name it; ");
    assert_non_null(strstr(err.message, "5 files in"));
    assert_int_equal(set_verify(in_out("2020-01-01"), NULL, NULL, NULL, &missing), ERR_NOINPUT);
}

static void expect_open(const char *path, enum err_code code, const char *words)
{
    _cleanup_err_ struct err err = {0};
    _cleanup_staging_ struct staging *staging = NULL;

    assert_int_equal(staging_open(&staging, path, &err), code);
    if (code == ERR_OK)
        return;
    assert_null(staging);
    assert_non_null(err.hint);
    if (!strstr(err.message, words))
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
}

static void test_out_refused(void **state _unused_)
{
    _cleanup_free_ char *deep = str_format("%s/no/such", base), *link = str_format("%s/l", base);
    _cleanup_free_ char *slashes = str_format("%s//", out);

    expect_open("relative/out", ERR_CONFIG, "not an absolute path");
    expect_open("", ERR_CONFIG, "not an absolute path");
    expect_open("/", ERR_CONFIG, "root folder");
    expect_open(deep, ERR_CONFIG, "folder above it is missing");
    expect_open(slashes, ERR_OK, "");
    assert_int_equal(symlink(out, link), 0);
    expect_open(link, ERR_CONFIG, "symbolic link");
    assert_int_equal(chmod(out, 0777), 0);
    expect_open(out, ERR_CONFIG, "everyone may write");
    assert_int_equal(chmod(out, 0750), 0);
    assert_int_equal(mkdir(in_out("latest"), 0750), 0);
    expect_open(out, ERR_CANTCREAT, "not a symbolic link");
    assert_int_equal(rmdir(in_out("latest")), 0);
    assert_int_equal(count_prefix("."), 0);
    assert_int_equal(rmdir(out), 0);
    write_text(out, "a file");
    expect_open(out, ERR_CONFIG, "not a folder");
    assert_int_equal(unlink(out), 0);
    assert_int_equal(mkfifo(out, 0600), 0);
    expect_open(out, ERR_CONFIG, "not a folder");
    assert_int_equal(unlink(out), 0);
    if (geteuid() == 0)
        return;
    assert_int_equal(mkdir(out, 0500), 0);
    expect_open(out, ERR_CANTCREAT, "Permission denied");
}

static void test_date_in_the_way(void **state _unused_)
{
    for (int i = 0; i < 2; i++) {
        _cleanup_err_ struct err err = {0};

        must_publish("a", "2026-03-30", "x");
        if (i == 0)
            write_text(in_out("2026-03-31"), "a file");
        else
            assert_int_equal(symlink("2026-03-30", in_out("2026-03-31")), 0);
        assert_int_equal(publish_text("a", "2026-03-31", "x", 1, 60, &err), ERR_CANTCREAT);
        assert_non_null(err.hint);
        assert_int_equal(unlink(in_out("2026-03-31")), 0);
        assert_latest("2026-03-30");
        assert_int_equal(leftovers(), 0);
    }
}

/* Wrong calls are internal errors, and publish nothing. */
static void test_bad_sets(void **state _unused_)
{
    static const char *const names[] = {".hidden", "a/b", "manifest.json", "a\nb", "absent.csv"};

    for (size_t i = 0; i < COUNT(names) + 1; i++) {
        char name[32];
        struct report_file file = {.name = name};
        struct report_files files = {.files = &file, .n = i < COUNT(names)};
        struct publish_job job = {.job = "a", .files = &files};
        struct publish_set set = {
            .date = "2026-03-31", .as_of = "", .version = "", .jobs = &job, .n_jobs = 1};
        struct deadline deadline = deadline_in(10);
        struct published published = {0};
        _cleanup_err_ struct err err = {0};
        struct staging *staging;

        snprintf(name, sizeof name, "%s", i < COUNT(names) ? names[i] : "");
        assert_int_equal(staging_open(&staging, out, &err), ERR_OK);
        if (i == COUNT(names)) {
            _cleanup_free_ char *stray = str_format("%s/stray", staging_path(staging));

            write_text(stray, "x");
        }
        assert_int_equal(publish(staging, &set, &deadline, &published, &err), ERR_INTERNAL);
        assert_null(published.files);
        assert_int_equal(count_prefix("2"), 0);
        assert_int_equal(count_prefix("."), 0);
    }
}

/* The second publish is refused because the lock is held until its deadline. */
static void test_lock_held(void **state _unused_)
{
    _cleanup_err_ struct err err = {0};
    _cleanup_close_ int fd = -1;

    must_publish("a", "2026-03-31", "one");
    fd = open(out, O_RDONLY | O_DIRECTORY);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(publish_text("a", "2026-03-31", "two", 1, 1, &err), ERR_TEMP);
    assert_non_null(strstr(err.message, "waiting for another publish"));
    assert_content("2026-03-31/a.csv", "one");
    assert_int_equal(leftovers(), 0);
}

static void test_sweep(void **state _unused_)
{
    _cleanup_err_ struct err err = {0};
    _cleanup_staging_ struct staging *live = NULL;
    int ready[2];
    char byte;
    pid_t pid;

    must_publish("a", "2026-03-31", "one");
    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) { /* a run that is killed while it writes */
        struct staging *dying;

        if (staging_open(&dying, out, &err) == ERR_OK &&
            symlink("/etc", str_format("%s/etc", staging_path(dying))) == 0 &&
            mkdir(str_format("%s/sub", staging_path(dying)), 0700) == 0 &&
            write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(count_prefix(".staging-"), 1);
    assert_int_equal(staging_open(&live, out, &err), ERR_OK); /* its owner lives: kept */
    assert_int_equal(count_prefix(".staging-"), 2);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_int_equal(symlink("x", in_out(".latest-0123456789abcdef")), 0);
    assert_int_equal(symlink("/etc", in_out(".staging-1-0123456789abcdef")), 0);
    write_text(in_out(".staging-notes"), "somebody's own");
    must_publish("a", "2026-03-31", "two");
    assert_int_equal(count_prefix(".latest-"), 0);
    assert_int_equal(count_prefix(".staging-"), 3); /* live, the link, the notes: not ours */
    assert_int_equal(access(staging_path(live), F_OK), 0);
    assert_int_equal(access("/etc/passwd", F_OK), 0);
    close(ready[0]);
    close(ready[1]);
}

static bool time_flies; /* every retired set counts as old */

int fs_fault(const char *call)
{
    return time_flies && str_eq(call, "grace") ? ETIMEDOUT : 0;
}

/* A retired set stays for a minute, and longer while somebody verifies it. */
static void test_retired(void **state _unused_)
{
    _cleanup_close_ int reader = -1;

    must_publish("a", "2026-03-31", "one");
    reader = open(in_out("2026-03-31"), O_RDONLY | O_DIRECTORY);
    assert_int_equal(flock(reader, LOCK_SH | LOCK_NB), 0);
    must_publish("a", "2026-03-31", "two");
    must_publish("a", "2026-03-31", "three");
    assert_int_equal(count_prefix(".retired-"), 2);
    time_flies = true;
    must_publish("a", "2026-03-31", "four");
    assert_int_equal(count_prefix(".retired-"), 2); /* "one", which is read, and "three" */
    assert_int_equal(faccessat(reader, "a.csv", F_OK, 0), 0);
    closep(&reader);
    must_publish("a", "2026-03-31", "five");
    assert_int_equal(count_prefix(".retired-"), 1);
    time_flies = false;
}

/* A swap by two renames, cut between them and behind them. */
static void test_interim(void **state _unused_)
{
    must_publish("a", "2026-03-31", "one");
    assert_int_equal(rename(in_out("2026-03-31"), in_out(".swapping-2026-03-31-0123456789abcdef")),
                     0);
    expect_open(out, ERR_OK, "");
    assert_int_equal(verify_set("2026-03-31"), ERR_OK);
    must_publish("a", "2026-03-31", "two");
    assert_int_equal(count_prefix(".retired-"), 1);
    assert_int_equal(mkdir(in_out(".swapping-2026-03-31-0123456789abcdef"), 0750), 0);
    expect_open(out, ERR_OK, "");
    assert_int_equal(count_prefix(".retired-"), 2);
    assert_content("2026-03-31/a.csv", "two");
}

/* Six invocations at once, each with a job of its own, into one date: nothing is lost. */
static void test_together(void **state _unused_)
{
    enum { WRITERS = 6, ROUNDS = 10 };

    for (int i = 0; i < WRITERS; i++)
        if (fork() == 0) {
            char job[8], text[16];
            int bad = 0;

            snprintf(job, sizeof job, "job%d", i);
            for (int round = 0; round < ROUNDS; round++) {
                struct err err = {0};

                snprintf(text, sizeof text, "%d", round);
                if (publish_text(job, "2026-03-31", text, 1, 60, &err) != ERR_OK) {
                    fprintf(stderr, "%s\n", err.message);
                    bad++;
                }
                err_done(&err);
            }
            _exit(bad);
        }
    for (int i = 0; i < WRITERS; i++) {
        int status;

        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        char rest[64];

        snprintf(rest, sizeof rest, "2026-03-31/job%d.csv", i);
        assert_content(rest, "9");
    }
    assert_int_equal(verify_set("2026-03-31"), ERR_OK);
    assert_int_equal(leftovers(), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_first),       TEST(test_replace_and_carry),
        TEST(test_latest),      TEST(test_unknown_files),
        TEST(test_damaged_set), TEST(test_verify),
        TEST(test_out_refused), TEST(test_date_in_the_way),
        TEST(test_bad_sets),    TEST(test_lock_held),
        TEST(test_sweep),       TEST(test_interim),
        TEST(test_retired),     TEST(test_together),
    };

    return cmocka_run_group_tests_name("publish", tests, NULL, NULL);
}
