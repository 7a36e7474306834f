-- What a dry run has changed in the account range it is about to roll back.
SELECT c.account_id, c.entity, c.entity_id, c.before::text AS before, c.after::text AS after,
       c.reason, c.effective_at
FROM lapse.changes c
WHERE c.run_id = :'run_id'::bigint
ORDER BY c.account_id, c.change_id
