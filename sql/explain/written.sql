-- What the job's steps have written as of an instant, in the transaction that is about to be rolled
-- back: `made` is what they inserted themselves.
SELECT c.account_id, c.entity, c.entity_id, c.before IS NULL AS made
FROM lapse.changes c
WHERE c.run_id = :'run_id'::bigint
