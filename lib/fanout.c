/* Rows to several sinks at once: see fanout.h.
 *
 * Who may touch what: the batch that `given` points at is the producer's, those from a lane's
 * `taken` up to it are there to be read. `given`, `taken`, `failed` and `stop` change under the
 * mutex only; a lane's error is its thread's until `failed` is set, and then the producer's to
 * read.
 */
#define _GNU_SOURCE
#include "fanout.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "ban.h"

enum { BATCHES = 4, BATCH_ROWS = 256, BATCH_TEXT = 128 * 1024 };

struct batch {
    struct value *values; /* BATCH_ROWS times the columns */
    struct cell splits[BATCH_ROWS];
    size_t rows;
    char *text;
    size_t used, size;
};

/* A sink and its thread. */
struct lane {
    struct fanout *fanout;
    struct sink *sink;
    pthread_t thread;
    uint64_t taken; /* batches */
    bool failed;
    struct err err;
};

struct fanout {
    pthread_mutex_t mutex;
    pthread_cond_t filled, taken;
    struct batch ring[BATCHES];
    uint64_t given; /* batches */
    bool stop;
    size_t columns;
    struct lane *lanes;
    size_t n;
};

/* ---- the sinks' side ---- */

static enum err_code write_batch(struct lane *lane, const struct batch *batch)
{
    size_t columns = lane->fanout->columns;

    for (size_t i = 0; i < batch->rows; i++)
        if (lane->sink->ops->row(lane->sink, &batch->values[i * columns], &batch->splits[i],
                                 &lane->err) != ERR_OK)
            return lane->err.code;
    return ERR_OK;
}

static void *work(void *data)
{
    struct lane *lane = data;
    struct fanout *fanout = lane->fanout;

    pthread_mutex_lock(&fanout->mutex);
    while (true) {
        enum err_code code = ERR_OK;

        while (lane->taken == fanout->given && !fanout->stop)
            pthread_cond_wait(&fanout->filled, &fanout->mutex);
        if (fanout->stop)
            break;
        if (!lane->failed) {
            pthread_mutex_unlock(&fanout->mutex);
            code = write_batch(lane, &fanout->ring[lane->taken % BATCHES]);
            pthread_mutex_lock(&fanout->mutex);
        }
        lane->failed = lane->failed || code != ERR_OK;
        lane->taken++;
        pthread_cond_signal(&fanout->taken);
    }
    pthread_mutex_unlock(&fanout->mutex);
    return NULL;
}

/* Signals are the main thread's. */
static int start(struct lane *lane)
{
    sigset_t all, before;
    int errnum;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    errnum = pthread_create(&lane->thread, NULL, work, lane);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return errnum;
}

/* ---- the producer's side ---- */

static bool batches_init(struct fanout *fanout)
{
    for (size_t i = 0; i < BATCHES; i++) {
        fanout->ring[i].size = BATCH_TEXT;
        fanout->ring[i].text = malloc(BATCH_TEXT);
        if (!fanout->ring[i].text)
            return false;
    }
    return true;
}

enum err_code fanout_open(struct fanout **ret, struct sink *const *sinks, size_t n, struct err *err)
{
    struct fanout *fanout = calloc(1, sizeof *fanout);

    if (!fanout)
        return err_nomem(err);
    pthread_mutex_init(&fanout->mutex, NULL);
    pthread_cond_init(&fanout->filled, NULL);
    pthread_cond_init(&fanout->taken, NULL);
    fanout->lanes = calloc(n, sizeof *fanout->lanes);
    if (!fanout->lanes || !batches_init(fanout))
        err_nomem(err);
    for (size_t i = 0; err->code == ERR_OK && i < n; i++) {
        struct lane *lane = &fanout->lanes[fanout->n];
        int errnum;

        if (!sinks[i])
            continue;
        *lane = (struct lane){.fanout = fanout, .sink = sinks[i]};
        errnum = start(lane);
        if (errnum == 0)
            fanout->n++;
        else
            err_sys(err, ERR_NOMEM, errnum, "could not start a thread");
    }
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
    return &fanout->ring[fanout->given % BATCHES];
}

/* Waits until no lane is more than `behind` batches behind; a lane's error comes back. */
static void wait_taken(struct fanout *fanout, uint64_t behind, struct err *err)
{
    const struct lane *failed = NULL;

    pthread_mutex_lock(&fanout->mutex);
    for (size_t i = 0; i < fanout->n; i++) {
        while (fanout->given - fanout->lanes[i].taken > behind)
            pthread_cond_wait(&fanout->taken, &fanout->mutex);
        if (!failed && fanout->lanes[i].failed)
            failed = &fanout->lanes[i];
    }
    pthread_mutex_unlock(&fanout->mutex);
    if (failed)
        err_copy(err, &failed->err);
}

/* Hands the batch over, and begins the next, which is free by then. */
static enum err_code give(struct fanout *fanout, uint64_t behind, struct err *err)
{
    struct batch *next;

    pthread_mutex_lock(&fanout->mutex);
    fanout->given++;
    pthread_cond_broadcast(&fanout->filled);
    pthread_mutex_unlock(&fanout->mutex);
    wait_taken(fanout, behind, err);
    next = current(fanout);
    next->rows = next->used = 0;
    return err->code;
}

enum err_code fanout_columns(struct fanout *fanout, size_t n, struct err *err)
{
    fanout->columns = n;
    for (size_t i = 0; i < BATCHES; i++) {
        struct value *values = reallocarray(fanout->ring[i].values, BATCH_ROWS * n, sizeof *values);

        if (!values)
            return err_nomem(err);
        fanout->ring[i].values = values;
    }
    return ERR_OK;
}

enum err_code fanout_row(struct fanout *fanout, size_t bytes, struct fanout_row *ret,
                         struct err *err)
{
    struct batch *batch = current(fanout);

    if (batch->rows == BATCH_ROWS || (batch->rows > 0 && bytes > batch->size - batch->used)) {
        if (give(fanout, BATCHES - 1, err) != ERR_OK)
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
    return give(fanout, 0, err);
}

void fanout_close(struct fanout *fanout)
{
    if (!fanout)
        return;
    pthread_mutex_lock(&fanout->mutex);
    fanout->stop = true;
    pthread_cond_broadcast(&fanout->filled);
    pthread_mutex_unlock(&fanout->mutex);
    for (size_t i = 0; i < fanout->n; i++) {
        pthread_join(fanout->lanes[i].thread, NULL);
        err_done(&fanout->lanes[i].err);
    }
    for (size_t i = 0; i < BATCHES; i++) {
        free(fanout->ring[i].values);
        free(fanout->ring[i].text);
    }
    free(fanout->lanes);
    pthread_cond_destroy(&fanout->filled);
    pthread_cond_destroy(&fanout->taken);
    pthread_mutex_destroy(&fanout->mutex);
    free(fanout);
}
