/* What the tests of reports share: a staging folder and what is in it, tables made from strings,
   and a sample report. */
#ifndef LAPSE_TEST_REPORT_FIXTURE_H
#define LAPSE_TEST_REPORT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <minizip/unzip.h>

#include "fs.h"
#include "report.h"

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

/* ---- a staging folder, and what is in it ---- */

static char folder[32]; /* /tmp/test_report.XXXXXX */

static _unused_ int fixture_setup(void **state _unused_)
{
    snprintf(folder, sizeof folder, "/tmp/test_report.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static _unused_ int fixture_teardown(void **state _unused_)
{
    return fs_remove(AT_FDCWD, folder);
}

static _unused_ void empty_folder(void)
{
    assert_int_equal(fs_remove(AT_FDCWD, folder), 0);
    assert_int_equal(mkdir(folder, 0700), 0);
}

static _unused_ size_t count_files(void)
{
    _cleanup_close_ int fd = fs_open_dir(AT_FDCWD, folder);
    _cleanup_closedir_ DIR *stream = fs_list(fd);
    size_t n = 0;

    assert_non_null(stream);
    while (fs_next(stream))
        n++;
    return n;
}

static _unused_ void read_named(const char *name, struct strbuf *out)
{
    _cleanup_free_ char *path = str_format("%s/%s", folder, name);
    _cleanup_fclose_ FILE *file = fopen(path, "re");
    char block[4096];
    size_t n;

    sb_reset(out);
    assert_non_null(file);
    while ((n = fread(block, 1, sizeof block, file)) > 0)
        sb_add(out, block, n);
    assert_false(out->failed);
}

static _unused_ void write_named(const char *name, const char *data, size_t len)
{
    _cleanup_free_ char *path = str_format("%s/%s", folder, name);
    _cleanup_fclose_ FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
}

static _unused_ void expect_file(const char *name, const char *want)
{
    _cleanup_sb_ struct strbuf text = {0};

    read_named(name, &text);
    assert_string_equal(sb_text(&text), want);
}

static _unused_ unzFile open_book(const char *name)
{
    _cleanup_free_ char *path = str_format("%s/%s", folder, name);
    unzFile zip = unzOpen64(path);

    assert_non_null(zip);
    return zip;
}

/* Adds the part of a workbook that was gone to. */
static _unused_ void add_part(unzFile zip, struct strbuf *out)
{
    char block[4096];
    int n;

    assert_int_equal(unzOpenCurrentFile(zip), UNZ_OK);
    while ((n = unzReadCurrentFile(zip, block, sizeof block)) > 0)
        sb_add(out, block, (size_t)n);
    assert_int_equal(n, 0);
    assert_int_equal(unzCloseCurrentFile(zip), UNZ_OK);
}

/* ---- reports from strings ---- */

static _unused_ void expect_ok(enum err_code code, const struct err *err)
{
    if (code != ERR_OK)
        fail_msg("error %d: %s", (int)code, err->message);
}

/* A report with a table to be filled. */
static _unused_ struct report *begin(const struct report_meta *of, unsigned formats,
                                     const struct report_table *table)
{
    _cleanup_err_ struct err err = {0};
    struct report *report;

    expect_ok(report_open(&report, of, formats, folder, &err), &err);
    expect_ok(report_begin(report, table, &err), &err);
    return report;
}

static _unused_ enum err_code put(struct report *report, const char *const *texts, size_t n,
                                  const char *split, struct err *err)
{
    struct cell cells[16], split_cell = {split, split ? strlen(split) : 0};

    for (size_t i = 0; i < n; i++)
        cells[i] = (struct cell){texts[i], texts[i] ? strlen(texts[i]) : 0};
    return report_row(report, cells, &split_cell, n > 2 ? &cells[2] : NULL, err);
}

static _unused_ void must_put(struct report *report, const char *const *texts, size_t n,
                              const char *split)
{
    _cleanup_err_ struct err err = {0};

    expect_ok(put(report, texts, n, split, &err), &err);
}

/* Ends the table and the report. */
static _unused_ void finish(struct report *report, struct report_files *files)
{
    _cleanup_err_ struct err err = {0};

    expect_ok(report_end(report, &err), &err);
    expect_ok(report_finish(report, files, &err), &err);
}

/* ---- a sample ---- */

static const struct column columns[] = {
    {"Account ID", "account_id", COL_ID, 12, false},
    {"Account", "account", COL_TEXT, 20, false},
    {"Reason", "reason", COL_TEXT, 20, false},
    {"Effective At", "effective_at", COL_INSTANT, 20, false},
    {"Since", "since", COL_DATE, 12, false},
    {"Seats", "seats", COL_COUNT, 8, true},
    {"Utilisation", "utilisation", COL_DECIMAL1, 8, false},
    {0},
};

static const struct report_table changes = {
    .name = "",
    .sheet = "Changes",
    .columns = columns,
    .tally = "reason",
    .question = "Why?",
};

static const struct report_table detail = {.name = "detail", .sheet = "Detail", .columns = columns};

static const struct report_setting settings[] = {{"rules.trial", "30 d"}};
static const char *const notes[] = {"Accounts on hold are left out."};

static const struct report_meta meta = {
    .job = "plan-changes",
    .title = "Plan changes",
    .as_of = "2026-03-31T00:00:00Z",
    .version = "0.1.0",
    .settings = settings,
    .n_settings = 1,
    .notes = notes,
    .n_notes = 1,
};

#define ROW(...)          \
    (const char *const[]) \
    {                     \
        __VA_ARGS__       \
    }

static const char *const *const sample[] = {
    ROW("1", "Acme", "trial_ended", "2026-03-30 01:02:03.9+00", "2026-01-31", "5", "12.5"),
    ROW("2", "=1+1", "cancelled", NULL, NULL, "-3", "0.0"),
    ROW("9007199254740993", "", NULL, "infinity", "1899-01-01", NULL, NULL),
    ROW("-4", "a \"b\", c\r\n_x003D_", "cancelled", "1969-12-31 23:59:59+00", "infinity",
        "9007199254740993", "NaN"),
    ROW("5", "bad \xFF\xEF\xBF\xBF\x01", "cancelled", NULL, NULL, "0", "-0.1"),
};

/* The sample report in `formats`, its rows again and again until there are `rows`; the first
   error. */
static _unused_ enum err_code make(unsigned formats, size_t rows, struct report_files *files,
                                   struct err *err)
{
    _cleanup_report_ struct report *report = NULL;

    if (report_open(&report, &meta, formats, folder, err) != ERR_OK ||
        report_begin(report, &changes, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < rows; i++)
        if (put(report, sample[i % COUNT(sample)], 7, NULL, err) != ERR_OK)
            return err->code;
    if (report_end(report, err) != ERR_OK || report_begin(report, &detail, err) != ERR_OK ||
        report_end(report, err) != ERR_OK ||
        report_note_figure(report, "Skipped", 3, err) != ERR_OK)
        return err->code;
    return report_finish(TAKE_PTR(report), files, err);
}

#endif
