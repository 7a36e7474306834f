/* libFuzzer: any bytes as a billing file. They are read twice, by the parser and the judge of
   values; neither may crash, leak, hang or take more than a row's memory. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "csv_in.h"
#include "input.h"

#include "ban.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct input_column columns[] = {
    {.field = "t", .type = INPUT_TEXT},
    {.field = "i", .type = INPUT_INT, .may_be_absent = true, .may_be_empty = true, .max = 99},
    {.field = "from", .type = INPUT_INSTANT, .may_be_absent = true, .may_be_empty = true},
    {.field = "to", .type = INPUT_INSTANT, .may_be_absent = true, .since = "from"},
    {.field = "c", .type = INPUT_CURRENCY, .may_be_absent = true},
    {.field = "a", .type = INPUT_AMOUNT, .may_be_absent = true},
    {.field = "w", .type = INPUT_WORD, .may_be_absent = true, .words = "words", .ours = "x|y"},
    {0},
};

/* Headings by the fields' names; a currency is always there, for the amounts. */
static const char *setting(void *context, const char *key)
{
    const char *zone = context;

    if (strcmp(key, "words") == 0)
        return "a=x,b=y,c=x";
    if (strcmp(key, "zone") == 0)
        return zone;
    for (size_t i = 0; columns[i].field; i++)
        if (strncmp(key, "column_", 7) == 0 && strcmp(key + 7, columns[i].field) == 0)
            return columns[i].field;
    return NULL;
}

struct reading {
    struct csv_in *in;
    struct input input;
    struct strbuf line;
};

static enum err_code on_headings(void *context, const struct csv_row *row, struct err *err)
{
    struct reading *reading = context;
    size_t ignored;

    for (size_t i = 0; i < reading->input.n; i++)
        reading->input.places[i].column = i < row->n ? i + 1 : 0;
    return row->n % 7 == 1 ? input_headings(&reading->input, reading->in, row, &ignored, err)
                           : ERR_OK;
}

static enum err_code on_row(void *context, const struct csv_row *row, struct err *err)
{
    struct reading *reading = context;
    struct csv_fault fault;

    (void)err;
    sb_reset(&reading->line);
    if (!input_judge(&reading->input, row, &reading->line, &fault) && !fault.reason)
        abort();
    return ERR_OK;
}

static enum err_code on_fault(void *context, const struct csv_fault *fault, struct err *err)
{
    (void)context;
    (void)err;
    if (fault->line == 0 || !fault->reason)
        abort();
    return ERR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_close_ int fd = memfd_create("fuzz", MFD_CLOEXEC);
    const char separators[] = ",;\t";
    char path[64];

    if (fd < 0 || size == 0 || write(fd, data + 1, size - 1) != (ssize_t)(size - 1))
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    {
        _cleanup_err_ struct err err = {0};
        struct reading reading = {0};
        const struct csv_reader reader = {&reading, on_headings, on_row, on_fault, NULL};
        char zone[] = "+02:00";
        void *context = data[0] & 4 ? zone : NULL;

        if (input_open(&reading.input, "job.fuzz", columns, setting, context, &err) != ERR_OK ||
            csv_in_open(&reading.in, path, separators[data[0] % 3], &err) != ERR_OK ||
            (csv_in_read(reading.in, &reader, &err) != ERR_OK && !err.message))
            abort(); /* these settings are good, and the file is there */
        csv_in_close(reading.in);
        input_done(&reading.input);
        sb_done(&reading.line);
    }
    return 0;
}
