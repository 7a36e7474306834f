/* A ring of a few slots that one thread fills and others read, each at its own pace on a thread of
 * its own; what a slot holds is the caller's business.
 *
 *     ring_open(&ring, &err)
 *     ring_reader(ring, take, context, &err)         for each reader, before anything is given
 *     slot = ring_slot(ring)                         free, to be filled
 *     ring_give(ring, &err)                          hands it over; the next one is free by then
 *     ring_drain(ring, &err)                         the same, and all have read all of it
 *     ring_close(ring)                               the threads have ended
 *
 * The slowest reader holds up who fills (who waits for it, whatever the deadline says), and memory
 * is flat. A reader runs only while there is something to read: drained or closed, what it works on
 * is the caller's again. Its first error stays and comes back from every call; what follows is not
 * given to it. Signals are not its business.
 */
#ifndef LAPSE_RING_H
#define LAPSE_RING_H

#include <stddef.h>
#include "err.h"

enum { RING_SLOTS = 4, RING_READERS = 4 };

struct ring;

typedef enum err_code ring_take_fn(void *context, size_t slot, struct err *err);

enum err_code ring_open(struct ring **ret, struct err *err) _must_check_;
enum err_code ring_reader(struct ring *ring, ring_take_fn *take, void *context,
                          struct err *err) _must_check_; /* `context` is borrowed */
size_t ring_slot(const struct ring *ring);
enum err_code ring_give(struct ring *ring, struct err *err) _must_check_;
enum err_code ring_drain(struct ring *ring, struct err *err) _must_check_;
void ring_close(struct ring *ring); /* what is not read yet is not; NULL is nothing */

/* The same for bytes and one reader.
 *
 *     relay_open(&relay, take, context, &err)
 *     relay_put(relay, data, len, &err)              copied; or
 *     relay_room(relay), relay_give(relay, len, &err)   up to RELAY_BLOCK bytes, written in place
 *     relay_drain(relay, &err)
 *     relay_close(relay)
 */
enum { RELAY_BLOCK = 128 * 1024 };

struct relay;

typedef enum err_code relay_take_fn(void *context, const void *data, size_t len, struct err *err);

enum err_code relay_open(struct relay **ret, relay_take_fn *take, void *context,
                         struct err *err) _must_check_;
enum err_code relay_put(struct relay *relay, const void *data, size_t len,
                        struct err *err) _must_check_;
void *relay_room(struct relay *relay);
enum err_code relay_give(struct relay *relay, size_t len, struct err *err) _must_check_;
enum err_code relay_drain(struct relay *relay, struct err *err) _must_check_;
void relay_close(struct relay *relay); /* NULL is nothing */

#endif
