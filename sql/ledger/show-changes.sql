-- The audit rows of one run, in the order of the report.
SELECT c.account_id, c.entity, c.entity_id, c.before, c.after,
       c.reason, c.effective_at, c.batch_no
FROM lapse.changes c
WHERE c.run_id = :'run_id'::bigint
ORDER BY c.account_id, c.change_id
