/* Reports as files: the exact CSV, what stands in the workbook, and that nothing torn passes. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <minizip/unzip.h>

#include "fs.h"
#include "report.h"
#include "xlsx_check.h"

#include "ban.h"

/* ---- a staging folder, and what is in it ---- */

static char *folder;
static int fault_at = -1; /* which step of the file system fails; -1 for none */

int fs_fault(_unused_ const char *call)
{
    return fault_at >= 0 && fault_at-- == 0 ? ENOSPC : 0;
}

static int set_up(_unused_ void **state)
{
    folder = strdup("/tmp/test_report.XXXXXX");
    return folder && mkdtemp(folder) ? 0 : -1;
}

static size_t count_files(bool remove_them)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    size_t n = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."))
            continue;
        n++;
        if (remove_them)
            assert_int_equal(unlinkat(dirfd(dir), entry->d_name, 0), 0);
    }
    closedir(dir);
    return n;
}

static int tear_down(_unused_ void **state)
{
    fault_at = -1;
    count_files(true);
    rmdir(folder);
    free(folder);
    return 0;
}

static void read_path(const char *path, struct strbuf *out)
{
    _cleanup_fclose_ FILE *file = fopen(path, "re");
    char block[4096];
    size_t n;

    assert_non_null(file);
    while ((n = fread(block, 1, sizeof block, file)) > 0)
        sb_add(out, block, n);
    assert_false(out->failed);
}

static void read_named(const char *name, struct strbuf *out)
{
    _cleanup_free_ char *path = str_format("%s/%s", folder, name);

    sb_reset(out);
    read_path(path, out);
}

static void write_named(const char *name, const char *data, size_t len)
{
    _cleanup_free_ char *path = str_format("%s/%s", folder, name);
    _cleanup_fclose_ FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
}

static void expect_file(const char *name, const char *want)
{
    _cleanup_sb_ struct strbuf text = {0};

    read_named(name, &text);
    assert_string_equal(sb_text(&text), want);
}

/* A part of a workbook as text. */
static void read_part(const char *book, const char *part, struct strbuf *out)
{
    _cleanup_free_ char *path = str_format("%s/%s", folder, book);
    unzFile zip = unzOpen64(path);
    char block[4096];
    int n;

    sb_reset(out);
    assert_non_null(zip);
    assert_int_equal(unzLocateFile(zip, part, 1), UNZ_OK);
    assert_int_equal(unzOpenCurrentFile(zip), UNZ_OK);
    while ((n = unzReadCurrentFile(zip, block, sizeof block)) > 0)
        sb_add(out, block, (size_t)n);
    assert_int_equal(n, 0);
    unzCloseCurrentFile(zip);
    unzClose(zip);
}

static void expect_in(struct strbuf *text, const char *want)
{
    if (!strstr(sb_text(text), want))
        fail_msg("not found: %s\nin: %s", want, sb_text(text));
}

/* ---- a small report ---- */

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

static enum err_code put(struct report *report, const char *const *texts, size_t n,
                         const char *split, struct err *err)
{
    struct cell cells[16], split_cell = {split, split ? strlen(split) : 0};

    for (size_t i = 0; i < n; i++)
        cells[i] = (struct cell){texts[i], texts[i] ? strlen(texts[i]) : 0};
    return report_row(report, cells, &split_cell, n > 2 ? &cells[2] : NULL, err);
}

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

/* The whole sample report in `formats` with the meta given; the first error. */
static enum err_code make(const struct report_meta *of, unsigned formats,
                          struct report_files *files, struct err *err)
{
    _cleanup_report_ struct report *report = NULL;

    if (report_open(&report, of, formats, folder, err) != ERR_OK ||
        report_begin(report, &changes, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < COUNT(sample); i++)
        if (put(report, sample[i], 7, NULL, err) != ERR_OK)
            return err->code;
    if (report_end(report, err) != ERR_OK || report_begin(report, &detail, err) != ERR_OK ||
        report_end(report, err) != ERR_OK ||
        report_note_figure(report, "Skipped", 3, err) != ERR_OK)
        return err->code;
    return report_finish(TAKE_PTR(report), files, err);
}

static void expect_ok(enum err_code code, const struct err *err)
{
    if (code != ERR_OK)
        fail_msg("error %d: %s", (int)code, err->message);
}

#define HEADER "Account ID,Account,Reason,Effective At,Since,Seats,Utilisation\r\n"

static void test_csv(_unused_ void **state)
{
    _cleanup_err_ struct err err = {0};
    struct report_files files = {0};
    struct stat st;

    expect_ok(make(&meta, FORMAT_CSV, &files, &err), &err);
    expect_file("plan-changes.csv",
                HEADER "1,Acme,trial_ended,2026-03-30T01:02:03Z,2026-01-31,5,12.5\r\n"
                       "2,'=1+1,cancelled,,,-3,0.0\r\n"
                       "9007199254740993,\"\",,infinity,1899-01-01,,\r\n"
                       "-4,\"a \"\"b\"\", c\r\n_x003D_\",cancelled,1969-12-31T23:59:59Z,infinity,"
                       "9007199254740993,NaN\r\n"
                       "5,bad \xEF\xBF\xBD\xEF\xBF\xBF\x01,cancelled,,,0,-0.1\r\n");
    expect_file("plan-changes-detail.csv", HEADER);
    assert_int_equal(files.n, 2);
    assert_string_equal(files.files[0].name, "plan-changes.csv");
    assert_int_equal(files.files[0].rows, 5);
    assert_int_equal(files.files[0].altered, 2);
    assert_int_equal(files.files[0].n_totals, 1);
    assert_string_equal(files.files[0].totals[0].header, "Seats");
    assert_int_equal(files.files[0].totals[0].value, 9007199254740995);
    assert_string_equal(files.files[1].name, "plan-changes-detail.csv");
    assert_int_equal(files.files[1].rows, 0);
    assert_int_equal(stat(folder, &st), 0);
    report_files_done(&files);
}

static void test_bom_and_no_guard(_unused_ void **state)
{
    static const struct column two[] = {
        {"A, B", "a", COL_TEXT, 0, false}, {"C", "c", COL_COUNT, 0, false}, {0}};
    static const struct report_table table = {
        .name = NULL, .sheet = "T", .columns = two, .no_formula_guard = true};
    struct report_meta with_bom = meta;
    _cleanup_err_ struct err err = {0};
    struct report_files files = {0};
    struct report *report;

    with_bom.bom = true;
    expect_ok(report_open(&report, &with_bom, FORMAT_CSV, folder, &err), &err);
    expect_ok(report_begin(report, &table, &err), &err);
    expect_ok(put(report, ROW("=1", "-1"), 2, NULL, &err), &err);
    assert_int_equal(report_rows(report), 1);
    expect_ok(report_end(report, &err), &err);
    expect_ok(report_finish(report, &files, &err), &err);
    expect_file("plan-changes.csv", "\xEF\xBB\xBF\"A, B\",C\r\n=1,-1\r\n");
    assert_int_equal(files.files[0].altered, 0);
    report_files_done(&files);
}

static void test_workbook(_unused_ void **state)
{
    _cleanup_err_ struct err err = {0};
    _cleanup_sb_ struct strbuf part = {0};
    _cleanup_free_ char *path = str_format("%s/plan-changes.xlsx", folder);
    struct report_files files = {0};
    struct stat st;

    expect_ok(make(&meta, FORMAT_CSV | FORMAT_XLSX, &files, &err), &err);
    assert_int_equal(files.n, 3);
    assert_string_equal(files.files[0].name, "plan-changes.xlsx");
    assert_int_equal(files.files[0].rows, 5);
    assert_int_equal(files.files[0].altered, 1);
    assert_int_equal(files.files[0].n_totals, 2);
    report_files_done(&files);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);

    read_part("plan-changes.xlsx", "xl/workbook.xml", &part);
    expect_in(&part, "<sheet name=\"Summary\" sheetId=\"1\" r:id=\"rId1\"/>"
                     "<sheet name=\"Changes\" sheetId=\"2\" r:id=\"rId2\"/>"
                     "<sheet name=\"Detail\" sheetId=\"3\" r:id=\"rId3\"/>"
                     "<sheet name=\"Run\" sheetId=\"4\" r:id=\"rId4\"/>");
    read_part("plan-changes.xlsx", "docProps/core.xml", &part);
    expect_in(&part, ">2026-03-31T00:00:00Z</dcterms:created>");
    read_part("plan-changes.xlsx", "xl/worksheets/sheet2.xml", &part);
    expect_in(&part, "<autoFilter ref=\"A1:G6\"/>");
    expect_in(&part, "ySplit=\"1\"");
    expect_in(&part, "t=\"inlineStr\"><is><t>=1+1</t></is></c>");
    expect_in(&part, "<v>46111.0430902777"); /* a real date-time */
    expect_in(&part, "<v>46053</v>");        /* a real date */
    expect_in(&part, "<v>12.5</v>");
    expect_in(&part, "<is><t>9007199254740993</t></is>");
    expect_in(&part, "_x000D_\n_x005F_x003D_");
    expect_in(&part, "bad \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD<");
    expect_in(&part, "<is><t>infinity</t></is>");
    expect_in(&part, "<is><t>1899-01-01</t></is>");
    assert_null(strstr(sb_text(&part), "<f>"));
    read_part("plan-changes.xlsx", "xl/worksheets/sheet1.xml", &part);
    expect_in(&part, "As of 2026-03-31 00:00:00 UTC");
    expect_in(&part, "(none)");
    expect_in(&part, "Skipped");
    read_part("plan-changes.xlsx", "xl/charts/chart1.xml", &part);
    expect_in(&part, "Why?");
    read_part("plan-changes.xlsx", "xl/worksheets/sheet4.xml", &part);
    expect_in(&part, "rules.trial");
    expect_in(&part, "Accounts on hold are left out.");
}

static enum err_code note_all(struct report *report, const char *const (*figures)[2], size_t n,
                              struct err *err)
{
    for (size_t i = 0; i < n; i++)
        if (report_note_amount(report, figures[i][0], figures[i][1], err) != ERR_OK)
            return err->code;
    return ERR_OK;
}

/* Figures as text: a whole number is a count, one with decimals money, a long one stays whole. */
static void test_amounts(_unused_ void **state)
{
    static const char *const figures[][2] = {
        {"At stake, EUR", "1234.50"},    {"At stake, JPY", "98765"},
        {"At stake, KWD", "-0.125"},     {"Most", "12345678901234567.89"},
        {"Many", "9223372036854775808"}, {"None", "0.00"},
    };
    _cleanup_err_ struct err err = {0};
    _cleanup_sb_ struct strbuf part = {0};
    struct report_files files = {0};
    struct report *report;
    unsigned count = 0, money = 0, again = 0;
    const char *at;

    expect_ok(report_open(&report, &meta, FORMAT_CSV | FORMAT_XLSX, folder, &err), &err);
    expect_ok(note_all(report, figures, COUNT(figures), &err), &err);
    expect_ok(report_note_figure(report, "Skipped", 12345, &err), &err);
    expect_ok(report_finish(report, &files, &err), &err);
    report_files_done(&files);
    read_part("plan-changes.xlsx", "xl/worksheets/sheet1.xml", &part);
    expect_in(&part, "<v>1234.5</v>");
    expect_in(&part, "<v>98765</v>");
    expect_in(&part, "<v>-0.125</v>");
    expect_in(&part, "<is><t>12345678901234567.89</t></is>");
    expect_in(&part, "<is><t>9223372036854775808</t></is>");
    at = strstr(sb_text(&part), "<c r=\"B5\"");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "<c r=\"B5\" s=\"%u\"><v>1234.5</v>", &money), 1);
    at = strstr(sb_text(&part), "<c r=\"B6\"");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "<c r=\"B6\" s=\"%u\"><v>98765</v>", &count), 1);
    at = strstr(sb_text(&part), "<c r=\"B11\"");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "<c r=\"B11\" s=\"%u\"><v>12345</v>", &again), 1);
    assert_int_equal(count, again);
    assert_int_not_equal(count, money);
    read_part("plan-changes.xlsx", "xl/styles.xml", &part);
    expect_in(&part, "formatCode=\"#,##0.00##\"");
}

static void test_amounts_of_no_form(_unused_ void **state)
{
    static const char *const bad[] = {"", "12,5", "1.", ".5", "01", "1e3", "twelve", NULL};
    struct report *report;

    for (size_t i = 0; i < COUNT(bad); i++) {
        _cleanup_err_ struct err err = {0};
        struct report_files files = {0};

        expect_ok(report_open(&report, &meta, FORMAT_CSV, folder, &err), &err);
        assert_int_equal(report_note_amount(report, "At stake", bad[i], &err), ERR_INTERNAL);
        assert_non_null(strstr(err.message, "At stake"));
        err_done(&err);
        assert_int_equal(report_finish(report, &files, &err), ERR_INTERNAL);
        assert_int_equal(files.n, 0);
    }
}

/* Rows whose reason is r<0>, r<1> ... as often as `counts` says; then the Summary's tally. */
static void test_tally(_unused_ void **state)
{
    _cleanup_err_ struct err err = {0};
    _cleanup_sb_ struct strbuf part = {0};
    struct report_files files = {0};
    struct report *report;
    const char *at = NULL;

    expect_ok(report_open(&report, &meta, FORMAT_XLSX, folder, &err), &err);
    expect_ok(report_begin(report, &changes, &err), &err);
    for (size_t round = 0; round < 3; round++)
        for (size_t i = 0; i < 45; i++) {
            char reason[8];

            snprintf(reason, sizeof reason, "r%02zu", i);
            if (round == 0 || i == 7 || (i == 30 && round == 1) || i == 44)
                expect_ok(put(report, ROW("1", "a", reason, NULL, NULL, "1", NULL), 7, NULL, &err),
                          &err);
        }
    expect_ok(report_end(report, &err), &err);
    expect_ok(report_finish(report, &files, &err), &err);
    report_files_done(&files);
    read_part("plan-changes.xlsx", "xl/worksheets/sheet1.xml", &part);
    at = strstr(sb_text(&part), ">r07<");
    assert_non_null(at); /* three times */
    assert_true(strncmp(strstr(at, "<v>"), "<v>3<", 5) == 0);
    at = strstr(at, ">r44<");
    assert_non_null(at); /* as often, though it came last of all */
    at = strstr(at, ">r30<");
    assert_non_null(at); /* twice, behind them */
    assert_true(strncmp(strstr(at, "<v>"), "<v>2<", 5) == 0);
    assert_non_null(strstr(at, ">r00<")); /* once: by value */
    at = strstr(at, ">r38<");
    assert_non_null(at); /* the fortieth */
    assert_null(strstr(sb_text(&part), ">r39<"));
    at = strstr(at, ">other<");
    assert_non_null(at);
    assert_true(strncmp(strstr(at, "<v>"), "<v>5<", 5) == 0);
}

static void test_split(_unused_ void **state)
{
    static const struct column one[] = {
        {"Email", "email", COL_TEXT, 0, false}, {"N", "n", COL_COUNT, 0, true}, {0}};
    static const struct report_table table = {
        .name = "", .sheet = "T", .columns = one, .split = "account_id"};
    static const char *const rows[][3] = {
        {"a", "1", "10"},   {"b", "2", "10"},  {"c", "4", "a/b"}, {"d", "8", "a_b"},
        {"e", "16", "a b"}, {"f", "32", ".x"}, {"g", "64", NULL}, {"=", "128", "\xC3\xA9.de"}};
    static const char *const names[] = {"plan-changes-10.csv",    "plan-changes-a_b.csv",
                                        "plan-changes-a_b-2.csv", "plan-changes-a_b-3.csv",
                                        "plan-changes-_x.csv",    "plan-changes-_.csv",
                                        "plan-changes-__.de.csv", "plan-changes.csv"};
    _cleanup_err_ struct err err = {0};
    struct report_files files = {0};
    struct report *report;

    expect_ok(report_open(&report, &meta, FORMAT_CSV, folder, &err), &err);
    expect_ok(report_begin(report, &table, &err), &err);
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_ok(put(report, rows[i], 2, rows[i][2], &err), &err);
    expect_ok(report_end(report, &err), &err);
    expect_ok(report_finish(report, &files, &err), &err);
    assert_int_equal(files.n, COUNT(names));
    for (size_t i = 0; i < COUNT(names); i++)
        assert_string_equal(files.files[i].name, names[i]);
    expect_file("plan-changes-10.csv", "Email,N\r\na,1\r\nb,2\r\n");
    expect_file("plan-changes-a_b-2.csv", "Email,N\r\nd,8\r\n");
    assert_int_equal(files.files[0].rows, 2);
    assert_int_equal(files.files[0].totals[0].value, 3);
    assert_int_equal(files.files[6].altered, 1);
    assert_int_equal(files.files[7].rows, 8);
    assert_int_equal(files.files[7].totals[0].value, 255);
    assert_int_equal(files.files[7].altered, 1);
    report_files_done(&files);

    count_files(true);
    expect_ok(report_open(&report, &meta, FORMAT_CSV, folder, &err), &err);
    expect_ok(report_begin(report, &table, &err), &err);
    expect_ok(put(report, rows[0], 2, "1", &err), &err);
    expect_ok(put(report, rows[0], 2, "2", &err), &err);
    expect_ok(put(report, rows[0], 2, "1", &err), &err); /* comes back */
    assert_int_equal(report_end(report, &err), ERR_INTERNAL);
    report_discard(report);
    assert_int_equal(count_files(false), 0);
}

static void test_bad_cell(_unused_ void **state)
{
    _cleanup_err_ struct err err = {0}, second = {0}, third = {0};
    struct report_files files = {0};
    struct report *report;

    expect_ok(report_open(&report, &meta, FORMAT_CSV | FORMAT_XLSX, folder, &err), &err);
    expect_ok(report_begin(report, &changes, &err), &err);
    expect_ok(put(report, sample[0], 7, NULL, &err), &err);
    assert_int_equal(put(report, ROW("2", "b", "c", NULL, NULL, "1e5", NULL), 7, NULL, &err),
                     ERR_INTERNAL);
    assert_string_equal(err.message, "table \"Changes\", row 2, column \"Seats\": the value does "
                                     "not have the column's form");
    assert_string_equal(err.detail, "value: 1e5");
    assert_int_equal(put(report, sample[0], 7, NULL, &second), ERR_INTERNAL);
    assert_int_equal(report_finish(report, &files, &third), ERR_INTERNAL);
    assert_int_equal(files.n, 0);
    assert_int_equal(count_files(false), 0);
}

static void test_overflow(_unused_ void **state)
{
    _cleanup_err_ struct err err = {0};
    _cleanup_report_ struct report *report = NULL;
    const char *const *row = ROW("1", "b", "c", NULL, NULL, "9223372036854775807", NULL);

    expect_ok(report_open(&report, &meta, FORMAT_CSV, folder, &err), &err);
    expect_ok(report_begin(report, &changes, &err), &err);
    expect_ok(put(report, row, 7, NULL, &err), &err);
    assert_int_equal(put(report, row, 7, NULL, &err), ERR_INTERNAL);
}

static void test_order_of_calls(_unused_ void **state)
{
    static const struct report_table summary = {.sheet = "summary", .columns = columns},
                                     run = {.sheet = "Run", .columns = columns},
                                     strange = {.sheet = "a/b", .columns = columns},
                                     nothing = {.sheet = "N", .columns = columns + 7};
    static const struct report_table *const refused[] = {&summary, &run, &strange, &nothing};
    struct report *report;

    for (size_t i = 0; i < COUNT(refused) + 3; i++) {
        _cleanup_err_ struct err err = {0};

        expect_ok(report_open(&report, &meta, FORMAT_XLSX, folder, &err), &err);
        if (i < COUNT(refused)) {
            assert_int_equal(report_begin(report, refused[i], &err), ERR_INTERNAL);
        } else if (i == COUNT(refused)) {
            assert_int_equal(put(report, sample[0], 7, NULL, &err), ERR_INTERNAL);
        } else if (i == COUNT(refused) + 1) {
            assert_int_equal(report_end(report, &err), ERR_INTERNAL);
        } else {
            expect_ok(report_begin(report, &changes, &err), &err);
            assert_int_equal(report_begin(report, &changes, &err), ERR_INTERNAL);
        }
        report_discard(report);
        assert_int_equal(count_files(false), 0);
    }
    report_discard(NULL);
}

static void test_formats(_unused_ void **state)
{
    static const char *const bad[] = {"", ",", "csv,", ",csv", "csv,csv", "CSV", "pdf", "csv xlsx"};
    unsigned formats = 0;

    assert_true(report_formats_parse("csv", &formats));
    assert_int_equal(formats, FORMAT_CSV);
    assert_true(report_formats_parse("xlsx,csv", &formats));
    assert_int_equal(formats, FORMAT_CSV | FORMAT_XLSX);
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(report_formats_parse(bad[i], &formats));
}

static void test_same_bytes(_unused_ void **state)
{
    static const char *const names[] = {"plan-changes.csv", "plan-changes-detail.csv",
                                        "plan-changes.xlsx"};
    static const char *const zones[] = {"UTC", "Asia/Kathmandu", "America/New_York"};
    static const char *const locales[] = {"C", "de_DE.UTF-8", "C.UTF-8"};
    struct strbuf first[3] = {{0}}, again = {0};

    for (size_t round = 0; round < COUNT(zones); round++) {
        _cleanup_err_ struct err err = {0};
        struct report_files files = {0};

        setenv("TZ", zones[round], 1);
        setenv("LC_ALL", locales[round], 1);
        tzset();
        expect_ok(make(&meta, FORMAT_CSV | FORMAT_XLSX, &files, &err), &err);
        report_files_done(&files);
        for (size_t i = 0; i < COUNT(names); i++) {
            read_named(names[i], round == 0 ? &first[i] : &again);
            if (round == 0)
                continue;
            assert_int_equal(again.len, first[i].len);
            assert_memory_equal(again.text, first[i].text, again.len);
        }
        count_files(true);
        if (round == 0)
            usleep(1100 * 1000); /* another second on the clock */
    }
    unsetenv("TZ");
    unsetenv("LC_ALL");
    for (size_t i = 0; i < COUNT(names); i++)
        sb_done(&first[i]);
    sb_done(&again);
}

/* A failure in each step of the file system, one after the other. */
static void test_faults(_unused_ void **state)
{
    bool done = false;

    for (int at = 0; !done; at++) {
        _cleanup_err_ struct err err = {0};
        struct report_files files = {0};

        assert_in_range(at, 0, 100);
        fault_at = at;
        done = make(&meta, FORMAT_CSV | FORMAT_XLSX, &files, &err) == ERR_OK && fault_at >= 0;
        if (!done) {
            assert_true(err.code == ERR_IO || err.code == ERR_CANTCREAT);
            assert_non_null(strstr(err.message, folder));
            assert_int_equal(files.n, 0);
            assert_int_equal(count_files(true), 0);
        }
        report_files_done(&files);
    }
    fault_at = -1;
}

/* ---- torn workbooks ---- */

enum { ROWS_TORN = 400 };

static enum err_code make_torn(struct err *err)
{
    _cleanup_report_ struct report *report = NULL;
    struct report_files files = {0};

    if (report_open(&report, &meta, FORMAT_XLSX, folder, err) != ERR_OK ||
        report_begin(report, &changes, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < ROWS_TORN; i++)
        if (put(report, sample[i % COUNT(sample)], 7, NULL, err) != ERR_OK)
            return err->code;
    if (report_end(report, err) != ERR_OK)
        return err->code;
    if (report_finish(TAKE_PTR(report), &files, err) == ERR_OK)
        report_files_done(&files);
    return err->code;
}

/* Makes the workbook where no file may grow beyond `limit`; what became of it. */
static int make_limited(rlim_t limit)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        struct rlimit rlimit = {limit, limit};
        struct err err = {0};
        enum err_code code;
        int null = open("/dev/null", O_WRONLY);

        dup2(null, STDERR_FILENO); /* libxlsxwriter may complain */
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &rlimit);
        code = make_torn(&err);
        _exit(code);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_torn(_unused_ void **state)
{
    _cleanup_sb_ struct strbuf whole = {0}, limited = {0};
    _cleanup_err_ struct err err = {0};
    size_t refused = 0, accepted = 0, step = getenv("LAPSE_TEST_QUICK") ? 9973 : 211;

    expect_ok(make_torn(&err), &err);
    read_named("plan-changes.xlsx", &whole);
    count_files(true);
    for (rlim_t limit = 0; limit < 150000; limit += step) {
        int code = make_limited(limit);

        if (code == ERR_OK) {
            read_named("plan-changes.xlsx", &limited);
            assert_int_equal(limited.len, whole.len);
            assert_memory_equal(limited.text, whole.text, whole.len);
            accepted++;
        } else {
            if (code != ERR_IO)
                fail_msg("limit %lu: status %d", (unsigned long)limit, code);
            assert_int_equal(count_files(false), 0);
            refused++;
        }
        count_files(true);
    }
    print_message("%zu torn workbooks refused, %zu whole ones accepted\n", refused, accepted);
    assert_true(refused > 3 && accepted > 0);
}

static void sum_text(struct xlsx_sum *sum, uint32_t row, uint32_t column, const char *text)
{
    xlsx_sum_cell(sum, row, column, XLSX_TEXT, text, strlen(text));
}

static void sum_number(struct xlsx_sum *sum, uint32_t row, uint32_t column, const char *text)
{
    xlsx_sum_cell(sum, row, column, XLSX_NUMBER, text, strlen(text));
}

/* What a workbook of one table with one row must hold, cell by cell. */
static void expected_sheets(struct xlsx_sheet sheets[3])
{
    struct xlsx_sum *summary = &sheets[0].sum, *table = &sheets[1].sum, *run = &sheets[2].sum;

    sheets[0] = (struct xlsx_sheet){.name = "Summary"};
    sheets[1] = (struct xlsx_sheet){.name = "T"};
    sheets[2] = (struct xlsx_sheet){.name = "Run"};
    sum_text(summary, 0, 0, "Title");
    sum_text(summary, 1, 0, "As of 2026-03-31 00:00:00 UTC");
    sum_text(summary, 3, 0, "T");
    sum_text(summary, 4, 0, "Rows");
    sum_number(summary, 4, 1, "1");
    sum_text(summary, 5, 0, "N");
    sum_number(summary, 5, 1, "-42");
    sum_text(table, 0, 0, "Email");
    sum_text(table, 0, 1, "N");
    sum_text(table, 1, 0, "someone@example.com");
    sum_number(table, 1, 1, "-42");
    sum_text(run, 0, 0, "Run");
    sum_text(run, 1, 0, "Job");
    sum_text(run, 1, 1, "small");
    sum_text(run, 2, 0, "Report");
    sum_text(run, 2, 1, "Title");
    sum_text(run, 3, 0, "As of");
    sum_text(run, 3, 1, "2026-03-31 00:00:00 UTC");
    sum_text(run, 4, 0, "lapse version");
    sum_text(run, 4, 1, "1");
}

static void make_small(void)
{
    static const struct report_meta small = {
        .job = "small", .title = "Title", .as_of = "2026-03-31T00:00:00Z", .version = "1"};
    static const struct column two[] = {
        {"Email", "email", COL_TEXT, 0, false}, {"N", "n", COL_COUNT, 0, true}, {0}};
    static const struct report_table table = {.sheet = "T", .columns = two};
    _cleanup_err_ struct err err = {0};
    struct report_files files = {0};
    struct report *report;

    expect_ok(report_open(&report, &small, FORMAT_XLSX, folder, &err), &err);
    expect_ok(report_begin(report, &table, &err), &err);
    expect_ok(put(report, ROW("someone@example.com", "-42"), 2, NULL, &err), &err);
    expect_ok(report_end(report, &err), &err);
    expect_ok(report_finish(report, &files, &err), &err);
    report_files_done(&files);
}

static enum err_code check_bytes(const char *data, size_t len, const struct xlsx_sheet *sheets,
                                 size_t n)
{
    _cleanup_free_ char *path = str_format("%s/other.xlsx", folder);
    _cleanup_err_ struct err err = {0};
    enum err_code code;

    write_named("other.xlsx", data, len);
    code = xlsx_check(path, sheets, n, &err);
    assert_true(code == ERR_OK || (code == ERR_IO && strstr(err.message, "other.xlsx")));
    return code;
}

/* Every part of a workbook, name and bytes, one behind the other. */
static void read_parts(const char *book, struct strbuf *out)
{
    _cleanup_free_ char *path = str_format("%s/%s", folder, book);
    unzFile zip = unzOpen64(path);
    char block[4096];
    int rc;

    sb_reset(out);
    assert_non_null(zip);
    for (rc = unzGoToFirstFile(zip); rc == UNZ_OK; rc = unzGoToNextFile(zip)) {
        int n;

        assert_int_equal(unzGetCurrentFileInfo64(zip, NULL, block, sizeof block, NULL, 0, NULL, 0),
                         UNZ_OK);
        sb_adds(out, block);
        assert_int_equal(unzOpenCurrentFile(zip), UNZ_OK);
        while ((n = unzReadCurrentFile(zip, block, sizeof block)) > 0)
            sb_add(out, block, (size_t)n);
        assert_int_equal(n, 0);
        assert_int_equal(unzCloseCurrentFile(zip), UNZ_OK);
    }
    assert_int_equal(rc, UNZ_END_OF_LIST_OF_FILE);
    unzClose(zip);
}

/* Flips one bit after the other. A few mean nothing (padding, a copy taken from another place that
   holds the same): accepted is only what unpacks to the same bytes. */
static void check_flips(struct strbuf *book, const struct xlsx_sheet *sheets, size_t stride)
{
    _cleanup_sb_ struct strbuf whole = {0}, parts = {0};
    size_t accepted = 0, n = 0;

    read_parts("small.xlsx", &whole);
    for (size_t i = 0; i < 8 * book->len; i += stride, n++) {
        book->text[i / 8] = (char)(book->text[i / 8] ^ 1 << i % 8);
        if (check_bytes(book->text, book->len, sheets, 3) == ERR_OK) {
            read_parts("other.xlsx", &parts);
            assert_int_equal(parts.len, whole.len);
            assert_memory_equal(parts.text, whole.text, whole.len);
            accepted++;
        }
        book->text[i / 8] = (char)(book->text[i / 8] ^ 1 << i % 8);
    }
    print_message("%zu flipped bits, %zu of them without a meaning\n", n, accepted);
    assert_true(accepted < n / 100 + 3);
}

static void test_check(_unused_ void **state)
{
    _cleanup_sb_ struct strbuf book = {0};
    struct xlsx_sheet sheets[3], other[3];
    size_t stride = getenv("LAPSE_TEST_QUICK") ? 101 : 3;

    make_small();
    read_named("small.xlsx", &book);
    expected_sheets(sheets);
    assert_int_equal(check_bytes(book.text, book.len, sheets, 3), ERR_OK);
    for (size_t len = 0; len < book.len; len += stride)
        assert_int_equal(check_bytes(book.text, len, sheets, 3), ERR_IO);
    assert_int_equal(check_bytes(book.text, book.len - 1, sheets, 3), ERR_IO);
    check_flips(&book, sheets, 8 * stride + 1);
    sb_add(&book, "x", 1);
    assert_int_equal(check_bytes(book.text, book.len, sheets, 3), ERR_IO);
    book.len--;

    assert_int_equal(check_bytes(book.text, book.len, sheets, 2), ERR_IO);
    expected_sheets(other);
    other[1].name = "U";
    assert_int_equal(check_bytes(book.text, book.len, other, 3), ERR_IO);
    expected_sheets(other);
    other[1].sum.hash ^= 1;
    assert_int_equal(check_bytes(book.text, book.len, other, 3), ERR_IO);
    expected_sheets(other);
    sum_text(&other[1].sum, 1, 2, "x");
    assert_int_equal(check_bytes(book.text, book.len, other, 3), ERR_IO);
    assert_int_equal(check_bytes("PK", 2, sheets, 3), ERR_IO);
}

/* A full sheet, and one row more than that. */
static void test_full_sheet(_unused_ void **state)
{
    static const struct column one[] = {{"N", "n", COL_COUNT, 0, true}, {0}};
    static const struct report_table fits = {.sheet = "Fits", .columns = one},
                                     more = {.name = "more", .sheet = "More", .columns = one};
    _cleanup_err_ struct err err = {0};
    _cleanup_sb_ struct strbuf part = {0};
    struct report_files files = {0};
    struct report *report;

    if (getenv("LAPSE_TEST_QUICK"))
        skip();
    expect_ok(report_open(&report, &meta, FORMAT_XLSX, folder, &err), &err);
    expect_ok(report_begin(report, &fits, &err), &err);
    for (size_t i = 0; i < 1048575; i++)
        expect_ok(put(report, ROW("1"), 1, NULL, &err), &err);
    expect_ok(report_end(report, &err), &err);
    expect_ok(report_begin(report, &more, &err), &err);
    for (size_t i = 0; i < 1048576; i++)
        expect_ok(put(report, ROW("1"), 1, NULL, &err), &err);
    expect_ok(report_end(report, &err), &err);
    expect_ok(report_finish(report, &files, &err), &err);
    assert_int_equal(files.files[0].rows, 2097151);
    assert_int_equal(files.files[0].totals[1].value, 1048576);
    report_files_done(&files);
    read_part("plan-changes.xlsx", "xl/workbook.xml", &part);
    expect_in(&part, "\"Fits\" sheetId=\"2\" r:id=\"rId2\"/><sheet name=\"More\" sheetId=\"3\" "
                     "r:id=\"rId3\"/><sheet name=\"More 2\" sheetId=\"4\"");
    read_part("plan-changes.xlsx", "xl/worksheets/sheet4.xml", &part);
    expect_in(&part, "<autoFilter ref=\"A1:A2\"/>");
}

static void test_no_folder(_unused_ void **state)
{
    _cleanup_err_ struct err err = {0}, second = {0};
    struct report *report = NULL;

    assert_int_equal(report_open(&report, &meta, FORMAT_XLSX, "/nowhere", &err), ERR_CANTCREAT);
    assert_null(report);
    write_named("plan-changes.xlsx", "x", 1);
    assert_int_equal(report_open(&report, &meta, FORMAT_XLSX, folder, &second), ERR_CANTCREAT);
    expect_file("plan-changes.xlsx", "x"); /* somebody else's stays */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_csv),       TEST(test_bom_and_no_guard),
        TEST(test_workbook),  TEST(test_tally),
        TEST(test_amounts),   TEST(test_amounts_of_no_form),
        TEST(test_split),     TEST(test_bad_cell),
        TEST(test_overflow),  TEST(test_order_of_calls),
        TEST(test_formats),   TEST(test_same_bytes),
        TEST(test_faults),    TEST(test_torn),
        TEST(test_check),     TEST(test_full_sheet),
        TEST(test_no_folder),
    };

    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
