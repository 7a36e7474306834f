/* What may have come before, in memory that does not grow (a Bloom filter of 8 MiB): "no" is
 * certain, "maybe" has to be looked at. Of a million different keys hardly one is a maybe, of ten
 * million one or two in a hundred.
 */
#ifndef LAPSE_SEEN_H
#define LAPSE_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seen;

struct seen *seen_new(void); /* NULL: no memory */
void seen_free(struct seen *seen);

/* Whether a key with this hash may have been given before; it is remembered. */
bool seen_maybe(struct seen *seen, uint64_t hash);

/* The hash of a key's parts, one after the other; begin with 0. */
uint64_t seen_hash(uint64_t hash, const char *text, size_t len);

#endif
