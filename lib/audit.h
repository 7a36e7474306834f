/* The audit chain: whether every change is still as it was sealed.
 *
 * Each batch of lapse.changes has a row in lapse.batches: a SHA-256 over the digest of the batch
 * before and the batch's own rows, in the order in which they were committed. Whoever changes,
 * removes, adds or moves an audit row, or cuts the chain's end, leaves a digest that does not fit.
 */
#ifndef LAPSE_AUDIT_H
#define LAPSE_AUDIT_H

#include "db.h"

/* Told of everything that does not fit; `finding` is a phrase, `run_id` 0 for the chain itself. */
typedef void audit_found(void *context, int64_t run_id, const char *finding);

struct audit_result {
    int64_t batches, changes, findings;
    int64_t first_run; /* of the first finding; 0: the chain itself */
    char head[65];     /* where the chain ends */
};

/* Digests every batch anew, streaming. ERR_CHECKSUM where anything does not fit; names the first
   run. `found` may be NULL. */
enum err_code audit_verify(struct db *db, audit_found *found, void *context,
                           struct audit_result *ret, struct err *err) _must_check_;

/* Whether the chain went through `digest`: what a manifest calls its audit head. */
enum err_code audit_knows(struct db *db, const char *digest, bool *ret_known,
                          struct err *err) _must_check_;

#endif
