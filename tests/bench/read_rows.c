/* A statement's rows read by libpq, one way or the other, each value looked at and none kept: what
 * of a report is the way from the server.
 *
 *     read_rows single|copy-text|copy-binary DATABASE FILE     prints "ROWS rows"
 *
 * The time zone and the form of dates are a run's.
 */
#define _GNU_SOURCE
#include <libpq-fe.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#include "ban.h"

struct seen {
    uint64_t rows, values, bytes;
};

static void fail(const char *message)
{
    fprintf(stderr, "read_rows: %s\n", message);
    exit(1);
}

static void expect(PGconn *db, PGresult *result, ExecStatusType status)
{
    if (PQresultStatus(result) != status)
        fail(PQerrorMessage(db));
    PQclear(result);
}

static void see(struct seen *seen, const char *value _unused_, size_t len)
{
    seen->values++;
    seen->bytes += len;
}

static void read_single(PGconn *db, const char *text, struct seen *seen)
{
    PGresult *result;

    if (!PQsendQueryParams(db, text, 0, NULL, NULL, NULL, NULL, 0) || !PQsetSingleRowMode(db))
        fail(PQerrorMessage(db));
    while ((result = PQgetResult(db))) {
        if (PQresultStatus(result) == PGRES_FATAL_ERROR)
            fail(PQerrorMessage(db));
        for (int row = 0; row < PQntuples(result); row++, seen->rows++)
            for (int i = 0; i < PQnfields(result); i++)
                see(seen, PQgetvalue(result, row, i), (size_t)PQgetlength(result, row, i));
        PQclear(result);
    }
}

/* Tabs between the values; what is escaped would have to be undone too. */
static void take_text(struct seen *seen, const char *line, size_t len)
{
    const char *end = line + len - 1, *tab;

    for (; (tab = memchr(line, '\t', (size_t)(end - line))); line = tab + 1)
        see(seen, line, (size_t)(tab - line));
    see(seen, line, (size_t)(end - line));
    seen->rows++;
}

static uint32_t big(const char *bytes, size_t n)
{
    uint32_t number = 0;

    for (size_t i = 0; i < n; i++)
        number = number << 8 | (unsigned char)bytes[i];
    return number;
}

/* A count of values, and each with its length before it; numbers and dates are not text yet. */
static void take_binary(struct seen *seen, const char *row, size_t len)
{
    const char *end = row + len;

    if (seen->rows == 0 && seen->values == 0 && memcmp(row, "PGCOPY", 6) == 0)
        row += 19;
    for (uint32_t n = big(row, 2); row + 2 < end && n != UINT16_MAX; n = big(row, 2)) {
        row += 2;
        for (uint32_t i = 0; i < n; i++) {
            uint32_t bytes = big(row, 4);

            row += 4;
            bytes = bytes == UINT32_MAX ? 0 : bytes;
            see(seen, row, bytes);
            row += bytes;
        }
        seen->rows++;
        if (row >= end)
            break;
    }
}

static void read_copy(PGconn *db, const char *text, bool binary, struct seen *seen)
{
    _cleanup_free_ char *copy =
        str_format("COPY (%s) TO STDOUT%s", text, binary ? " (FORMAT binary)" : "");
    char *data;
    int len;

    if (!copy || !PQsendQuery(db, copy))
        fail(PQerrorMessage(db));
    expect(db, PQgetResult(db), PGRES_COPY_OUT);
    while ((len = PQgetCopyData(db, &data, 0)) > 0) {
        (binary ? take_binary : take_text)(seen, data, (size_t)len);
        PQfreemem(data);
    }
    expect(db, PQgetResult(db), PGRES_COMMAND_OK);
}

static void read_file(const char *path, char *ret, size_t size)
{
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(ret, 1, size - 1, file) : 0;

    ret[len] = '\0';
    if (file)
        fclose(file);
    if (len == 0)
        fail("no statement");
}

int main(int argc, char **argv)
{
    static char text[1 << 16];
    struct seen seen = {0};
    PGconn *db;

    if (argc != 4)
        fail("usage: read_rows single|copy-text|copy-binary DATABASE FILE");
    read_file(argv[3], text, sizeof text);
    db = PQsetdbLogin(NULL, NULL, NULL, NULL, argv[2], NULL, NULL);
    expect(db,
           PQexec(db, "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET work_mem = '64MB'; "
                      "SET jit = off; SET max_parallel_workers_per_gather = 0"),
           PGRES_COMMAND_OK);
    if (str_eq(argv[1], "single"))
        read_single(db, text, &seen);
    else
        read_copy(db, text, str_eq(argv[1], "copy-binary"), &seen);
    PQfinish(db);
    printf("%llu rows\n", (unsigned long long)seen.rows);
    return 0;
}
