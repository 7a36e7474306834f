/* Deflate and inflate by ISA-L or zlib: see pack.h. */
#define _GNU_SOURCE
#include "pack.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#ifdef HAVE_ISAL
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#endif

#include "ban.h"

enum { BLOCK = 128 * 1024 };

/* ---- packing ---- */

struct pack {
    enum pack_engine engine;
    pack_write_fn *write;
    void *context;
    struct pack_sum sum; /* of the piece under way */
    bool begun;          /* the piece, as to_begin_with() has it */
    z_stream zlib;
#ifdef HAVE_ISAL
    struct isal_zstream isal;
    uint8_t level[ISAL_DEF_LVL1_DEFAULT];
#endif
    unsigned char block[BLOCK];
};

enum pack_engine pack_best(void)
{
#ifdef HAVE_ISAL
    return PACK_ISAL;
#else
    return PACK_ZLIB;
#endif
}

uint32_t pack_crc(uint32_t crc, const void *data, size_t len)
{
#ifdef HAVE_ISAL
    return crc32_gzip_refl(crc, data, len);
#else
    return (uint32_t)crc32_z(crc, data, len);
#endif
}

void pack_sum_add(struct pack_sum *sum, const struct pack_sum *piece)
{
    sum->crc = (uint32_t)crc32_combine64(sum->crc, piece->crc, (z_off64_t)piece->size);
    sum->size += piece->size;
    sum->packed += piece->packed;
}

#ifdef HAVE_ISAL
static void begin_isal(struct pack *pack)
{
    isal_deflate_init(&pack->isal);
    pack->isal.level = 1;
    pack->isal.level_buf = pack->level;
    pack->isal.level_buf_size = sizeof pack->level;
}

static bool step_isal(struct pack *pack, const unsigned char *data, size_t len, int flush,
                      size_t *ret_got)
{
    struct isal_zstream *stream = &pack->isal;

    if (data) {
        stream->next_in = (uint8_t *)(uintptr_t)data; /* it only reads */
        stream->avail_in = (uint32_t)len;
    }
    stream->flush = flush == Z_SYNC_FLUSH ? SYNC_FLUSH : NO_FLUSH;
    stream->end_of_stream = flush == Z_FINISH;
    stream->next_out = pack->block;
    stream->avail_out = BLOCK;
    if (isal_deflate(stream) != COMP_OK)
        return false;
    *ret_got = BLOCK - stream->avail_out;
    return true;
}
#endif

static bool step_zlib(struct pack *pack, const unsigned char *data, size_t len, int flush,
                      size_t *ret_got)
{
    z_stream *stream = &pack->zlib;

    if (data) {
        stream->next_in = (unsigned char *)(uintptr_t)data; /* it only reads */
        stream->avail_in = (uInt)len;
    }
    stream->next_out = pack->block;
    stream->avail_out = BLOCK;
    if (deflate(stream, flush) == Z_STREAM_ERROR)
        return false;
    *ret_got = BLOCK - stream->avail_out;
    return true;
}

enum err_code pack_open(struct pack **ret, enum pack_engine engine, pack_write_fn *write,
                        void *context, struct err *err)
{
    struct pack *pack = calloc(1, sizeof *pack);

    if (!pack)
        return err_nomem(err);
    pack->engine = engine == PACK_ISAL ? pack_best() : PACK_ZLIB;
    pack->write = write;
    pack->context = context;
#ifdef HAVE_ISAL
    begin_isal(pack);
#endif
    if (pack->engine == PACK_ZLIB &&
        deflateInit2(&pack->zlib, 1, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(pack);
        return err_nomem(err);
    }
    *ret = pack;
    return ERR_OK;
}

/* Packs `data` and hands on what comes out; an output block that was not filled is the last. */
static enum err_code pump(struct pack *pack, const unsigned char *data, size_t len, int flush,
                          struct err *err)
{
    size_t got;

    do {
        bool done;

#ifdef HAVE_ISAL
        if (pack->engine == PACK_ISAL)
            done = step_isal(pack, data, len, flush, &got);
        else
#endif
            done = step_zlib(pack, data, len, flush, &got);
        if (!done)
            return err_set(err, ERR_INTERNAL, "could not deflate");
        data = NULL;
        pack->sum.packed += got;
        if (got > 0 && pack->write(pack->context, pack->block, got, err) != ERR_OK)
            return err->code;
    } while (got == BLOCK);
    return ERR_OK;
}

/* ISA-L 2.30 begins a stream with a register that it has not set: into its table of what it has
   seen it puts the third byte where the stream's own address says, and one address in eight
   thousand makes the output another. Its loop for the last 16 bytes before a flush begins rightly,
   if there are more than three: a piece's first bytes are given to that. Says how many. */
static size_t to_begin_with(struct pack *pack, size_t len)
{
    enum { LEAST = 4, MOST = 16 };

    if (pack->engine != PACK_ISAL || pack->begun)
        return 0;
    pack->begun = len >= LEAST;
    return len < MOST ? len : MOST;
}

enum err_code pack_add(struct pack *pack, const void *data, size_t len, struct err *err)
{
    const size_t most = (size_t)1 << 30; /* both count in 32 bits */
    const unsigned char *bytes = data;
    size_t first = to_begin_with(pack, len);

    pack->sum.crc = pack_crc(pack->sum.crc, data, len);
    pack->sum.size += len;
    if (first > 0 && pump(pack, bytes, first, Z_SYNC_FLUSH, err) != ERR_OK)
        return err->code;
    bytes += first;
    len -= first;
    for (; len > most; bytes += most, len -= most)
        if (pump(pack, bytes, most, Z_NO_FLUSH, err) != ERR_OK)
            return err->code;
    return pump(pack, bytes, len, Z_NO_FLUSH, err);
}

enum err_code pack_end(struct pack *pack, bool last, struct pack_sum *ret, struct err *err)
{
    static const unsigned char nothing[1];

    if (pump(pack, nothing, 0, last ? Z_FINISH : Z_SYNC_FLUSH, err) != ERR_OK)
        return err->code;
    *ret = pack->sum;
    pack->sum = (struct pack_sum){0};
    pack->begun = false;
#ifdef HAVE_ISAL
    begin_isal(pack);
#endif
    if (pack->engine == PACK_ZLIB && deflateReset(&pack->zlib) != Z_OK)
        return err_set(err, ERR_INTERNAL, "could not deflate");
    return ERR_OK;
}

void pack_free(struct pack *pack)
{
    if (!pack)
        return;
    if (pack->engine == PACK_ZLIB)
        deflateEnd(&pack->zlib);
    free(pack);
}

/* ---- unpacking ---- */

struct unpack {
    enum pack_engine engine;
    z_stream zlib;
#ifdef HAVE_ISAL
    struct inflate_state isal;
#endif
};

struct unpack *unpack_new(enum pack_engine engine)
{
    struct unpack *unpack = calloc(1, sizeof *unpack);

    if (!unpack)
        return NULL;
    unpack->engine = engine == PACK_ISAL ? pack_best() : PACK_ZLIB;
#ifdef HAVE_ISAL
    isal_inflate_init(&unpack->isal);
#endif
    if (unpack->engine == PACK_ZLIB && inflateInit2(&unpack->zlib, -MAX_WBITS) != Z_OK) {
        free(unpack);
        return NULL;
    }
    return unpack;
}

void unpack_feed(struct unpack *unpack, const void *data, size_t len)
{
    unsigned char *bytes = (unsigned char *)(uintptr_t)data; /* both only read */

#ifdef HAVE_ISAL
    unpack->isal.next_in = bytes;
    unpack->isal.avail_in = (uint32_t)len;
#endif
    unpack->zlib.next_in = bytes;
    unpack->zlib.avail_in = (uInt)len;
}

#ifdef HAVE_ISAL
static enum unpack_state take_isal(struct unpack *unpack, void *out, size_t room, size_t *ret_got)
{
    struct inflate_state *stream = &unpack->isal;
    int rc;

    stream->next_out = out;
    stream->avail_out = (uint32_t)room;
    rc = isal_inflate(stream);
    *ret_got = room - stream->avail_out;
    if (stream->block_state == ISAL_BLOCK_FINISH)
        return UNPACK_END;
    return rc == ISAL_DECOMP_OK || rc == ISAL_END_INPUT || rc == ISAL_OUT_OVERFLOW ? UNPACK_MORE
                                                                                   : UNPACK_BAD;
}
#endif

static enum unpack_state take_zlib(struct unpack *unpack, void *out, size_t room, size_t *ret_got)
{
    z_stream *stream = &unpack->zlib;
    int rc;

    stream->next_out = out;
    stream->avail_out = (uInt)room;
    rc = inflate(stream, Z_NO_FLUSH);
    *ret_got = room - stream->avail_out;
    if (rc == Z_STREAM_END)
        return UNPACK_END;
    return rc == Z_OK || rc == Z_BUF_ERROR ? UNPACK_MORE : UNPACK_BAD;
}

enum unpack_state unpack_take(struct unpack *unpack, void *out, size_t room, size_t *ret_got)
{
    enum unpack_state state;

#ifdef HAVE_ISAL
    if (unpack->engine == PACK_ISAL)
        state = take_isal(unpack, out, room, ret_got);
    else
#endif
        state = take_zlib(unpack, out, room, ret_got);
    if (state == UNPACK_BAD)
        *ret_got = 0;
    return state;
}

size_t unpack_left(const struct unpack *unpack)
{
#ifdef HAVE_ISAL
    if (unpack->engine == PACK_ISAL) /* it reads ahead, and says how many bits */
        return unpack->isal.avail_in + (size_t)unpack->isal.read_in_length / 8;
#endif
    return unpack->zlib.avail_in;
}

void unpack_free(struct unpack *unpack)
{
    if (unpack && unpack->engine == PACK_ZLIB)
        inflateEnd(&unpack->zlib);
    free(unpack);
}
