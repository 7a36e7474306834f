/* One thread fills, others read: see ring.h.
 *
 * Who may touch what: the slot that `given` points at is the filler's, those from a reader's
 * `taken` up to it are there to be read. `given`, `taken`, `failed` and `stop` change under the
 * mutex only; a reader's error is its thread's until `failed` is set, and then the filler's to
 * read.
 */
#define _GNU_SOURCE
#include "ring.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "ban.h"

struct reader {
    struct ring *ring;
    ring_take_fn *take;
    void *context;
    pthread_t thread;
    uint64_t taken; /* slots */
    bool failed;
    struct err err;
};

struct ring {
    pthread_mutex_t mutex;
    pthread_cond_t given_more, taken_more;
    uint64_t given; /* slots */
    bool stop;
    struct reader readers[RING_READERS];
    size_t n;
};

/* ---- the readers' side ---- */

static void *work(void *data)
{
    struct reader *reader = data;
    struct ring *ring = reader->ring;

    pthread_mutex_lock(&ring->mutex);
    while (true) {
        enum err_code code = ERR_OK;

        while (reader->taken == ring->given && !ring->stop)
            pthread_cond_wait(&ring->given_more, &ring->mutex);
        if (ring->stop)
            break;
        if (!reader->failed) {
            pthread_mutex_unlock(&ring->mutex);
            code = reader->take(reader->context, reader->taken % RING_SLOTS, &reader->err);
            pthread_mutex_lock(&ring->mutex);
        }
        reader->failed = reader->failed || code != ERR_OK;
        reader->taken++;
        pthread_cond_signal(&ring->taken_more);
    }
    pthread_mutex_unlock(&ring->mutex);
    return NULL;
}

/* Signals are the main thread's. */
static int start(struct reader *reader)
{
    sigset_t all, before;
    int errnum;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    errnum = pthread_create(&reader->thread, NULL, work, reader);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return errnum;
}

/* ---- the filler's side ---- */

enum err_code ring_open(struct ring **ret, struct err *err)
{
    struct ring *ring = calloc(1, sizeof *ring);

    if (!ring)
        return err_nomem(err);
    pthread_mutex_init(&ring->mutex, NULL);
    pthread_cond_init(&ring->given_more, NULL);
    pthread_cond_init(&ring->taken_more, NULL);
    *ret = ring;
    return ERR_OK;
}

enum err_code ring_reader(struct ring *ring, ring_take_fn *take, void *context, struct err *err)
{
    struct reader *reader = &ring->readers[ring->n];
    int errnum;

    if (ring->n == RING_READERS)
        return err_set(err, ERR_INTERNAL, "more than %d readers", RING_READERS);
    *reader = (struct reader){.ring = ring, .take = take, .context = context};
    errnum = start(reader);
    if (errnum != 0)
        return err_sys(err, ERR_NOMEM, errnum, "could not start a thread");
    ring->n++;
    return ERR_OK;
}

size_t ring_slot(const struct ring *ring)
{
    return ring->given % RING_SLOTS; /* nobody else changes it */
}

/* Hands the slot over and waits until no reader is more than `behind` slots behind. */
static enum err_code give(struct ring *ring, uint64_t behind, struct err *err)
{
    const struct reader *failed = NULL;

    pthread_mutex_lock(&ring->mutex);
    ring->given++;
    pthread_cond_broadcast(&ring->given_more);
    for (size_t i = 0; i < ring->n; i++) {
        while (ring->given - ring->readers[i].taken > behind)
            pthread_cond_wait(&ring->taken_more, &ring->mutex);
        if (!failed && ring->readers[i].failed)
            failed = &ring->readers[i];
    }
    pthread_mutex_unlock(&ring->mutex);
    if (failed)
        err_copy(err, &failed->err);
    return err->code;
}

enum err_code ring_give(struct ring *ring, struct err *err)
{
    return give(ring, RING_SLOTS - 1, err);
}

enum err_code ring_drain(struct ring *ring, struct err *err)
{
    return give(ring, 0, err);
}

void ring_close(struct ring *ring)
{
    if (!ring)
        return;
    pthread_mutex_lock(&ring->mutex);
    ring->stop = true;
    pthread_cond_broadcast(&ring->given_more);
    pthread_mutex_unlock(&ring->mutex);
    for (size_t i = 0; i < ring->n; i++) {
        pthread_join(ring->readers[i].thread, NULL);
        err_done(&ring->readers[i].err);
    }
    pthread_cond_destroy(&ring->given_more);
    pthread_cond_destroy(&ring->taken_more);
    pthread_mutex_destroy(&ring->mutex);
    free(ring);
}

/* ---- bytes for one reader ---- */

struct relay {
    struct ring *ring;
    relay_take_fn *take;
    void *context;
    size_t used[RING_SLOTS];
    unsigned char blocks[RING_SLOTS][RELAY_BLOCK];
};

static enum err_code take_block(void *context, size_t slot, struct err *err)
{
    struct relay *relay = context;

    return relay->take(relay->context, relay->blocks[slot], relay->used[slot], err);
}

enum err_code relay_open(struct relay **ret, relay_take_fn *take, void *context, struct err *err)
{
    struct relay *relay = malloc(sizeof *relay);

    if (!relay)
        return err_nomem(err);
    relay->ring = NULL;
    relay->take = take;
    relay->context = context;
    if (ring_open(&relay->ring, err) != ERR_OK ||
        ring_reader(relay->ring, take_block, relay, err) != ERR_OK) {
        relay_close(relay);
        return err->code;
    }
    *ret = relay;
    return ERR_OK;
}

void *relay_room(struct relay *relay)
{
    return relay->blocks[ring_slot(relay->ring)];
}

enum err_code relay_give(struct relay *relay, size_t len, struct err *err)
{
    relay->used[ring_slot(relay->ring)] = len;
    return ring_give(relay->ring, err);
}

enum err_code relay_put(struct relay *relay, const void *data, size_t len, struct err *err)
{
    const unsigned char *bytes = data;

    while (len > 0) {
        size_t n = len < RELAY_BLOCK ? len : RELAY_BLOCK;

        memcpy(relay_room(relay), bytes, n);
        if (relay_give(relay, n, err) != ERR_OK)
            return err->code;
        bytes += n;
        len -= n;
    }
    return ERR_OK;
}

enum err_code relay_drain(struct relay *relay, struct err *err)
{
    relay->used[ring_slot(relay->ring)] = 0;
    return ring_drain(relay->ring, err);
}

void relay_close(struct relay *relay)
{
    if (!relay)
        return;
    ring_close(relay->ring);
    free(relay);
}
