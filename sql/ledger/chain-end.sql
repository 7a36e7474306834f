-- Where the audit chain ends, by its head.
SELECT h.chain_no, h.digest FROM lapse.chain_head h
