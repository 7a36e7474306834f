/* What may have come before: see seen.h. */
#include "seen.h"

#include <stdlib.h>

#include "ban.h"

/* Each key has a bit in each of the eight words of one block, which is a cache line. */
enum { BLOCK_BITS = 17, WORDS = 8 };

struct seen {
    uint64_t blocks[1 << BLOCK_BITS][WORDS];
};

struct seen *seen_new(void)
{
    return calloc(1, sizeof(struct seen));
}

void seen_free(struct seen *seen)
{
    free(seen);
}

bool seen_maybe(struct seen *seen, uint64_t hash)
{
    uint64_t *block = seen->blocks[hash >> (64 - BLOCK_BITS)];
    bool maybe = true;

    for (int i = 0; i < WORDS; i++) {
        uint64_t bit = UINT64_C(1) << ((hash >> (6 * i)) & 63);

        maybe = maybe && (block[i] & bit);
        block[i] |= bit;
    }
    return maybe;
}

/* FNV-1a with a mark between the parts, then each bit spread over all (splitmix64). */
uint64_t seen_hash(uint64_t hash, const char *text, size_t len)
{
    hash = (hash ^ 0xFF) * UINT64_C(0x100000001B3);
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001B3);
    hash = (hash ^ (hash >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    hash = (hash ^ (hash >> 27)) * UINT64_C(0x94D049BB133111EB);
    return hash ^ (hash >> 31);
}
