/* Deflate, raw as in a zip: packing and unpacking of streams, by ISA-L, or by zlib where the
 * program was built without it. What comes out unpacks to the same either way.
 *
 *     pack_open(&pack, pack_best(), write, context, &err)
 *     pack_add(pack, data, len, &err)                as often as there is something
 *     pack_end(pack, last, &sum, &err)               ends a piece, and begins the next
 *
 * Pieces are packed on their own and end at a whole byte, so that they can be stored apart and be
 * put behind each other later: the last piece of a part must have been ended with `last`.
 */
#ifndef LAPSE_PACK_H
#define LAPSE_PACK_H

#include <stddef.h>
#include <stdint.h>
#include "err.h"

enum pack_engine { PACK_ZLIB, PACK_ISAL };

enum pack_engine pack_best(void);

/* What a piece, or several behind each other, amount to. {0} is none. */
struct pack_sum {
    uint64_t size, packed; /* bytes before and after */
    uint32_t crc;          /* of the bytes before */
};

/* Puts a piece's sum behind that of others. */
void pack_sum_add(struct pack_sum *sum, const struct pack_sum *piece);

/* The zip's CRC-32 of further bytes; 0 to begin with. */
uint32_t pack_crc(uint32_t crc, const void *data, size_t len);

struct pack;

/* Takes packed bytes; `data` is borrowed. Its errors are passed on. */
typedef enum err_code pack_write_fn(void *context, const void *data, size_t len, struct err *err);

enum err_code pack_open(struct pack **ret, enum pack_engine engine, pack_write_fn *write,
                        void *context, struct err *err) _must_check_;
enum err_code pack_add(struct pack *pack, const void *data, size_t len,
                       struct err *err) _must_check_;
enum err_code pack_end(struct pack *pack, bool last, struct pack_sum *ret,
                       struct err *err) _must_check_;
void pack_free(struct pack *pack); /* NULL is nothing */

/* And back, piece by piece as it is read:
 *
 *     unpack_feed(unpack, data, len)        all before is used up; borrowed, below 4 GiB
 *     while (unpack_take(unpack, out, room, &got) == UNPACK_MORE && got > 0) ...
 */
enum unpack_state {
    UNPACK_MORE, /* `got` bytes came out; none means that it wants to be fed */
    UNPACK_END,  /* these were the last ones */
    UNPACK_BAD,  /* not what was packed; got is 0 */
};

struct unpack;

struct unpack *unpack_new(enum pack_engine engine); /* NULL: no memory */
void unpack_feed(struct unpack *unpack, const void *data, size_t len);
enum unpack_state unpack_take(struct unpack *unpack, void *out, size_t room, size_t *ret_got);
size_t unpack_left(const struct unpack *unpack); /* bytes fed, and not used */
void unpack_free(struct unpack *unpack);         /* NULL is nothing */

#endif
