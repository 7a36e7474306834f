/* Input files: see input.h. This file has the settings and the headings; input_value.c the values.
 */
#define _GNU_SOURCE
#include "input.h"
#include "input_value.h"

#include <stdlib.h>
#include <string.h>

#include "ban.h"

void input_column_key(const struct input_column *column, char ret[static INPUT_KEY_SIZE])
{
    snprintf(ret, INPUT_KEY_SIZE, "column_%s", column->field);
}

/* ---- words ---- */

struct input_words {
    char *text; /* cut into what the pairs point to */
    size_t n;
    struct pair {
        const char *theirs, *ours;
    } pairs[];
};

static bool is_one_of(const char *word, const char *choices)
{
    for (const char *item = choices;; item = strchr(item, '|') + 1) {
        size_t len = (size_t)(strchrnul(item, '|') - item);

        if (strlen(word) == len && memcmp(item, word, len) == 0)
            return true;
        if (item[len] == '\0')
            return false;
    }
}

static char *trimmed(char *text)
{
    size_t len;

    text += strspn(text, " ");
    for (len = strlen(text); len > 0 && text[len - 1] == ' '; len--)
        text[len - 1] = '\0';
    return text;
}

static enum err_code add_pair(const struct input *input, const struct input_column *column,
                              struct input_words *words, char *item, struct err *err)
{
    char *equals = strrchr(item, '=');
    const char *theirs, *ours;

    if (!equals) {
        err_set(err, ERR_CONFIG, "[%s] %s: \"%s\" is not of the form theirs=ours", input->section,
                column->words, item);
        err_hint(err, "write pairs separated by commas, such as uncollectible=void");
        return err->code;
    }
    *equals = '\0';
    theirs = trimmed(item);
    ours = trimmed(equals + 1);
    for (size_t i = 0; i < words->n; i++)
        if (strcmp(words->pairs[i].theirs, theirs) == 0)
            return err_set(err, ERR_CONFIG, "[%s] %s: \"%s\" stands twice", input->section,
                           column->words, theirs);
    if (column->ours && !is_one_of(ours, column->ours))
        return err_set(err, ERR_CONFIG, "[%s] %s: \"%s\" is not one of %s", input->section,
                       column->words, ours, column->ours);
    words->pairs[words->n++] = (struct pair){theirs, ours};
    return ERR_OK;
}

static enum err_code read_words(const struct input *input, const struct input_column *column,
                                const char *text, struct input_words **ret, struct err *err)
{
    size_t most = 1;
    char *rest, *item;
    enum err_code code = ERR_OK;

    if (!text || !*text)
        return ERR_OK;
    for (const char *c = text; *c; c++)
        most += *c == ',';
    *ret = calloc(1, sizeof **ret + most * sizeof(*ret)->pairs[0]);
    if (!*ret || !((*ret)->text = strdup(text)))
        return err_nomem(err);
    rest = (*ret)->text;
    while (code == ERR_OK && (item = strsep(&rest, ",")) != NULL)
        code = add_pair(input, column, *ret, item, err);
    return code;
}

const char *input_word(const struct input_words *words, const char *theirs)
{
    for (size_t i = 0; i < words->n; i++)
        if (strcmp(words->pairs[i].theirs, theirs) == 0)
            return words->pairs[i].ours;
    return NULL;
}

/* ---- settings ---- */

static enum err_code read_separator(struct input *input, const char *text, struct err *err)
{
    static const char *const names[] = {"comma", "semicolon", "tab"};
    static const char separators[] = {',', ';', '\t'};

    for (size_t i = 0; i < COUNT(names); i++)
        if (!text || strcmp(text, names[i]) == 0) {
            input->separator = separators[i];
            return ERR_OK;
        }
    return err_set(err, ERR_CONFIG, "[%s] separator: \"%s\" is none", input->section, text);
}

static enum err_code read_zone(struct input *input, const char *text, struct err *err)
{
    const char *rest = text;

    if (!text || !*text)
        return ERR_OK;
    input->has_zone = true;
    if (strcmp(text, "UTC") == 0 || (take_zone(&rest, &input->zone) && !*rest))
        return ERR_OK;
    err_set(err, ERR_CONFIG, "[%s] zone: \"%s\" is not a zone", input->section, text);
    err_hint(err, "write UTC, or hours and minutes east of it, such as +02:00");
    return err->code;
}

static enum err_code read_column(struct input *input, size_t i, input_setting_fn setting,
                                 void *context, struct err *err)
{
    const struct input_column *column = &input->columns[i];
    char key[INPUT_KEY_SIZE];
    const char *heading;

    input_column_key(column, key);
    heading = setting(context, key);
    input->places[i].heading = heading ? heading : "";
    if (!*input->places[i].heading && !column->may_be_absent)
        return err_set(err, ERR_CONFIG, "[%s] %s is empty: the column is needed", input->section,
                       key);
    for (size_t j = 0; *input->places[i].heading && j < i; j++)
        if (strcmp(input->places[j].heading, input->places[i].heading) == 0)
            return err_set(err, ERR_CONFIG, "[%s] %s and column_%s name the same heading \"%s\"",
                           input->section, key, input->columns[j].field, heading);
    if (!column->words)
        return ERR_OK;
    return read_words(input, column, setting(context, column->words), &input->places[i].words, err);
}

enum err_code input_open(struct input *input, const char *section,
                         const struct input_column *columns, input_setting_fn setting,
                         void *context, struct err *err)
{
    enum err_code code;

    *input = (struct input){.section = section, .columns = columns};
    while (columns[input->n].field)
        input->n++;
    if (input->n > INPUT_COLUMNS)
        return err_set(err, ERR_INTERNAL, "more than %d columns in an input", INPUT_COLUMNS);
    input->minor_units = str_eq(setting(context, "amounts"), "minor");
    code = read_separator(input, setting(context, "separator"), err);
    if (code == ERR_OK)
        code = read_zone(input, setting(context, "zone"), err);
    for (size_t i = 0; code == ERR_OK && i < input->n; i++)
        code = read_column(input, i, setting, context, err);
    return code;
}

void input_done(struct input *input)
{
    for (size_t i = 0; i < input->n && i < INPUT_COLUMNS; i++) {
        if (input->places[i].words)
            free(input->places[i].words->text);
        free(input->places[i].words);
    }
    sb_done(&input->reason);
    seen_free(input->seen);
    *input = (struct input){0};
}

/* ---- headings ---- */

/* What a missing heading may be, or what keeps all of them from being found. */
static void hint_heading(const struct input *input, const struct csv_row *row, size_t i,
                         struct err *err)
{
    const char **names = calloc(row->n, sizeof *names);
    const char *near = NULL, *first = row->fields[0].text ? row->fields[0].text : "";

    for (size_t j = 0; names && j < row->n; j++)
        names[j] = row->fields[j].text ? row->fields[j].text : "";
    if (names)
        near = nearest_word(input->places[i].heading, names, row->n);
    free(names);
    if (row->n == 1 && strpbrk(first, ",;\t"))
        err_hint(err, "the headings are one text: set [%s] separator to what stands between them",
                 input->section);
    else if (near)
        err_hint(err, "did you mean \"%s\"? [%s] column_%s names the heading", near, input->section,
                 input->columns[i].field);
    else
        err_hint(err, "set [%s] column_%s to what the file calls it", input->section,
                 input->columns[i].field);
}

enum err_code input_headings(struct input *input, const struct csv_in *in,
                             const struct csv_row *row, size_t *ret_ignored, struct err *err)
{
    size_t found = 0, keys = 0, lacking = 0;

    for (size_t i = 0; i < input->n; i++) {
        struct input_place *place = &input->places[i];

        place->column = 0;
        for (size_t j = 0; *place->heading && j < row->n; j++)
            if (row->fields[j].text && strcmp(row->fields[j].text, place->heading) == 0)
                place->column = j + 1;
        if (*place->heading && !place->column) {
            _cleanup_free_ char *reason = str_format("there is no heading \"%s\"", place->heading);
            struct csv_fault at = {row->line, 0, NULL, reason ? reason : "a heading is missing"};

            csv_in_refuse(in, &at, err);
            hint_heading(input, row, i, err);
            return err->code;
        }
        found += place->column > 0;
        keys += input->columns[i].key;
        lacking += input->columns[i].key && !place->column;
    }
    *ret_ignored = row->n - found;
    if (keys && !lacking && !(input->seen = seen_new()))
        return err_nomem(err);
    return ERR_OK;
}

size_t input_place(const struct input *input, const char *field, const char **ret_heading)
{
    for (size_t i = 0; i < input->n; i++)
        if (strcmp(input->columns[i].field, field) == 0) {
            *ret_heading = input->places[i].heading;
            return input->places[i].column;
        }
    *ret_heading = NULL;
    return 0;
}
