/* A row of a result as a JSON object: see row_json.h. */
#define _GNU_SOURCE
#include "row_json.h"

#include <stdlib.h>
#include <string.h>

#include "terminal.h"

#include "ban.h"

static json_t *value_json(const struct db_row *row, int column)
{
    const char *text = db_text(row, column), *type = db_column_type(row, column);
    char buffer[INSTANT_TEXT_SIZE];

    if (!text)
        return json_null();
    if (strcmp(type, "bigint") == 0 || strcmp(type, "integer") == 0)
        return json_integer((json_int_t)db_int(row, column));
    if (strcmp(type, "numeric") == 0)
        return json_real(strtod(text, NULL));
    if (strcmp(type, "jsonb") == 0)
        return json_loads(text, JSON_DECODE_ANY, NULL);
    if (strcmp(type, "boolean") == 0)
        return json_boolean(*text == 't');
    if (strcmp(type, "timestamptz") == 0)
        return json_string(show_instant(text, buffer));
    return json_string(text);
}

json_t *row_json(const struct db_row *row)
{
    json_t *object = json_object();

    for (int i = 0; object && i < db_columns(row); i++)
        if (json_object_set_new(object, db_column_name(row, i), value_json(row, i)) != 0) {
            json_decref(object);
            object = NULL;
        }
    return object;
}

enum err_code json_line(json_t *object, struct err *err)
{
    int failed = object ? json_dumpf(object, stdout,
                                     JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15))
                        : 1;

    json_decref(object);
    putchar('\n');
    return failed && !ferror(stdout) ? err_nomem(err) : ERR_OK;
}
