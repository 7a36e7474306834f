/* Values of input files, read strictly; only input*.c uses it. Each function says what is wrong
   with a text in words that follow its place, or NULL. */
#ifndef LAPSE_INPUT_VALUE_H
#define LAPSE_INPUT_VALUE_H

#include <stdbool.h>
#include <stdint.h>

/* "+02:00", "-03:30" or "Z"; moves *text behind it. */
bool take_zone(const char **text, int *ret_minutes);

/* An instant with its zone; where `has_zone`, one without is of the zone given, and may be a date
   alone. In microseconds since 1970-01-01T00:00:00Z. */
const char *read_instant(const char *text, bool has_zone, int zone, int64_t *ret);

/* A decimal number as whole minor units of a currency with that many decimals. */
const char *read_amount(const char *text, int decimals, int64_t *ret);

/* Our word for theirs; NULL: none. */
struct input_words;
const char *input_word(const struct input_words *words, const char *theirs);

#endif
