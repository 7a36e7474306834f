/* Rows to several sinks at once: see fanout.h. */
#define _GNU_SOURCE
#include "fanout.h"

#include <stdlib.h>

#include "ring.h"

#include "ban.h"

enum { BATCH_ROWS = 256, BATCH_TEXT = 128 * 1024 };

struct batch {
    struct value *values; /* BATCH_ROWS times the columns */
    struct cell splits[BATCH_ROWS];
    size_t rows;
    char *text;
    size_t used, size;
};

struct lane {
    struct fanout *fanout;
    struct sink *sink;
};

struct fanout {
    struct ring *ring;
    struct batch batches[RING_SLOTS];
    size_t columns;
    struct lane lanes[RING_READERS];
};

static enum err_code write_batch(void *context, size_t slot, struct err *err)
{
    const struct lane *lane = context;
    const struct batch *batch = &lane->fanout->batches[slot];
    size_t columns = lane->fanout->columns;

    for (size_t i = 0; i < batch->rows; i++)
        if (lane->sink->ops->row(lane->sink, &batch->values[i * columns], &batch->splits[i], err) !=
            ERR_OK)
            return err->code;
    return ERR_OK;
}

static bool batches_init(struct fanout *fanout)
{
    for (size_t i = 0; i < RING_SLOTS; i++) {
        fanout->batches[i].size = BATCH_TEXT;
        fanout->batches[i].text = malloc(BATCH_TEXT);
        if (!fanout->batches[i].text)
            return false;
    }
    return true;
}

static enum err_code start_lanes(struct fanout *fanout, struct sink *const *sinks, size_t n,
                                 struct err *err)
{
    for (size_t i = 0, lanes = 0; i < n; i++) {
        struct lane *lane = &fanout->lanes[lanes];

        if (!sinks[i])
            continue;
        if (lanes++ == RING_READERS)
            return err_set(err, ERR_INTERNAL, "more than %d formats", RING_READERS);
        *lane = (struct lane){fanout, sinks[i]};
        if (ring_reader(fanout->ring, write_batch, lane, err) != ERR_OK)
            return err->code;
    }
    return ERR_OK;
}

enum err_code fanout_open(struct fanout **ret, struct sink *const *sinks, size_t n, struct err *err)
{
    struct fanout *fanout = calloc(1, sizeof *fanout);

    if (!fanout || !batches_init(fanout))
        err_nomem(err);
    else if (ring_open(&fanout->ring, err) == ERR_OK)
        start_lanes(fanout, sinks, n, err);
    if (err->code != ERR_OK) {
        fanout_close(fanout);
        return err->code;
    }
    *ret = fanout;
    return ERR_OK;
}

/* The batch that is being filled. */
static struct batch *current(struct fanout *fanout)
{
    return &fanout->batches[ring_slot(fanout->ring)];
}

/* Hands the batch over and begins the next, also after an error: whoever has none goes on. */
static enum err_code hand_over(struct fanout *fanout,
                               enum err_code (*how)(struct ring *ring, struct err *err),
                               struct err *err)
{
    enum err_code code = how(fanout->ring, err);
    struct batch *batch = current(fanout);

    batch->rows = batch->used = 0;
    return code;
}

enum err_code fanout_columns(struct fanout *fanout, size_t n, struct err *err)
{
    fanout->columns = n;
    for (size_t i = 0; i < RING_SLOTS; i++) {
        struct value *values =
            reallocarray(fanout->batches[i].values, BATCH_ROWS * n, sizeof *values);

        if (!values)
            return err_nomem(err);
        fanout->batches[i].values = values;
    }
    return ERR_OK;
}

enum err_code fanout_row(struct fanout *fanout, size_t bytes, struct fanout_row *ret,
                         struct err *err)
{
    struct batch *batch = current(fanout);

    if (batch->rows == BATCH_ROWS || (batch->rows > 0 && bytes > batch->size - batch->used)) {
        if (hand_over(fanout, ring_give, err) != ERR_OK)
            return err->code;
        batch = current(fanout);
    }
    if (bytes > batch->size - batch->used) { /* one row, and longer than a batch */
        char *grown = realloc(batch->text, bytes);

        if (!grown)
            return err_nomem(err);
        batch->text = grown;
        batch->size = bytes;
    }
    *ret = (struct fanout_row){&batch->values[batch->rows * fanout->columns],
                               &batch->splits[batch->rows], batch->text + batch->used};
    *ret->split = (struct cell){0};
    batch->used += bytes;
    batch->rows++;
    return ERR_OK;
}

enum err_code fanout_drain(struct fanout *fanout, struct err *err)
{
    return hand_over(fanout, ring_drain, err);
}

void fanout_close(struct fanout *fanout)
{
    if (!fanout)
        return;
    ring_close(fanout->ring);
    for (size_t i = 0; i < RING_SLOTS; i++) {
        free(fanout->batches[i].values);
        free(fanout->batches[i].text);
    }
    free(fanout);
}
