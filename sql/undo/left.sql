-- What a run changed and an undo has left, because it was changed since.
SELECT s.account_id, s.entity, s.entity_id
FROM lapse.changes s
WHERE s.run_id = :'undo_run'::bigint
  AND NOT EXISTS (
    SELECT FROM lapse.undone u
    WHERE u.account_id = s.account_id AND u.change_id = s.change_id)
GROUP BY s.account_id, s.entity, s.entity_id
ORDER BY s.account_id, s.entity COLLATE "C", min(s.change_id)
