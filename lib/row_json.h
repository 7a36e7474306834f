/* A row of a result as a JSON object: what `--json` prints of the ledger. */
#ifndef LAPSE_ROW_JSON_H
#define LAPSE_ROW_JSON_H

#include <jansson.h>
#include "db.h"

/* A member per column, by its name: numbers as numbers, jsonb as it is, instants in ISO, NULL as
   null. NULL when there is no memory; the caller owns it. */
json_t *row_json(const struct db_row *row);

/* Prints and frees an object as one line on stdout. */
enum err_code json_line(json_t *object, struct err *err) _must_check_;

#endif
