/* What test_publish.c and test_publish_faults.c share: a folder to publish into, sets made from
   strings, and a fingerprint of all that a reader can see. */
#ifndef LAPSE_TEST_PUBLISH_FIXTURE_H
#define LAPSE_TEST_PUBLISH_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs.h"
#include "manifest.h"
#include "outfile.h"
#include "publish.h"

static char base[32], out[64]; /* /tmp/test_publish.XXXXXX and the report folder in it */

static _unused_ int fixture_setup(void **state _unused_)
{
    snprintf(base, sizeof base, "/tmp/test_publish.XXXXXX");
    if (!mkdtemp(base))
        return -1;
    snprintf(out, sizeof out, "%s/out", base);
    return 0;
}

static _unused_ int fixture_teardown(void **state _unused_)
{
    return fs_remove(AT_FDCWD, base);
}

/* <out>/<rest>, in one of a few buffers that take turns. */
static _unused_ const char *in_out(const char *rest)
{
    static char texts[4][160];
    static unsigned turn;
    char *text = texts[turn++ % COUNT(texts)];

    snprintf(text, sizeof texts[0], "%s/%s", out, rest);
    return text;
}

/* Publishes <job>.csv holding `content`, for the date, by run `run_id`. */
static _unused_ enum err_code publish_text(const char *job, const char *date, const char *content,
                                           int64_t run_id, int64_t seconds, struct err *err)
{
    _cleanup_free_ char *name = str_format("%s.csv", job);
    _cleanup_free_ char *as_of = str_format("%sT00:00:00Z", date);
    struct report_total total = {.header = "Seats", .value = (int64_t)strlen(content)};
    struct report_file file = {.name = name, .rows = 1, .totals = &total, .n_totals = 1};
    struct report_files files = {.files = &file, .n = 1};
    struct publish_job jobs = {.job = job, .run_id = run_id, .files = &files};
    struct publish_set set = {
        .date = date, .as_of = as_of, .version = "0.1.0", .jobs = &jobs, .n_jobs = 1};
    struct deadline deadline = deadline_in(seconds);
    _cleanup_staging_ struct staging *staging = NULL;
    struct published published = {0};
    struct outfile *text;
    enum err_code code;

    if (staging_open(&staging, out, err) != ERR_OK ||
        outfile_open(&text, staging_path(staging), name, err) != ERR_OK)
        return err->code;
    if (outfile_write(text, content, strlen(content), err) != ERR_OK) {
        outfile_discard(text);
        return err->code;
    }
    if (outfile_finish(text, err) != ERR_OK)
        return err->code;
    code = publish(TAKE_PTR(staging), &set, &deadline, &published, err);
    published_done(&published);
    return code;
}

static _unused_ void must_publish(const char *job, const char *date, const char *content)
{
    _cleanup_err_ struct err err = {0};
    enum err_code code = publish_text(job, date, content, 1, 60, &err);

    if (code != ERR_OK)
        fail_msg("publish: %s", err.message);
}

static _unused_ void write_text(const char *path, const char *content)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* The file's content, to be freed; NULL when it is not there. */
static _unused_ char *read_text(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;

    if (!file)
        return NULL;
    if (getdelim(&text, &size, '\0', file) < 0) {
        free(text);
        text = strdup("");
    }
    fclose(file);
    return text;
}

/* Entries of `out` that begin with `prefix`. */
static _unused_ size_t count_prefix(const char *prefix)
{
    _cleanup_close_ int fd = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *stream = fd < 0 ? NULL : fs_list(fd);
    struct dirent *entry;
    size_t n = 0;

    while (stream && (entry = fs_next(stream)))
        n += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    return n;
}

/* Everything that lapse's temporary names stand for, except retired sets. */
static _unused_ size_t leftovers(void)
{
    return count_prefix(".") - count_prefix(".retired-");
}

static _unused_ enum err_code verify_set(const char *date)
{
    _cleanup_err_ struct err err = {0};

    return set_verify(in_out(date), NULL, NULL, NULL, &err);
}

/* What a reader sees of a date: manifest, sums, and where `latest` leads. To be freed. */
static _unused_ char *fingerprint(const char *date)
{
    _cleanup_free_ char *path = str_format("%s/%s", out, date);
    _cleanup_free_ char *manifest_path = str_format("%s/manifest.json", path);
    _cleanup_free_ char *sums_path = str_format("%s/SHA256SUMS", path);
    _cleanup_free_ char *manifest = read_text(manifest_path), *sums = read_text(sums_path);
    char latest[256] = "";
    struct stat st = {0};
    ssize_t n = readlink(in_out("latest"), latest, sizeof latest - 1);

    latest[n < 0 ? 0 : n] = '\0';
    stat(path, &st);
    return str_format("%s|%s|%s|%o|%s", manifest ? manifest : "none", sums ? sums : "none", latest,
                      (unsigned)st.st_mode, verify_set(date) == ERR_OK ? "good" : "bad");
}

#endif
