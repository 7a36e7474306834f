-- Takes the end of the audit chain; from here to the commit, batches wait for each other.
UPDATE lapse.chain_head
SET chain_no = chain_no + 1
RETURNING chain_no, digest
