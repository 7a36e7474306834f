-- Which accounts runs of a plan have done: a batch of a plan is always of whole accounts.
SELECT c.run_id, c.account_id
FROM lapse.changes c
WHERE c.run_id = ANY (:'run_ids'::bigint[])
GROUP BY c.run_id, c.account_id
