-- Where the audit chain ends.
SELECT h.digest FROM lapse.chain_head h
