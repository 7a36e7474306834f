-- Whom the steps have licensed, by their user.
SELECT s.account_id, 'licenses' AS entity, s.after ->> 'user_id' AS entity_id, false AS made
FROM lapse.changes s
WHERE s.run_id = :'run_id'::bigint AND s.entity = 'licenses'
