-- Each row that the run changed, and what became of it: put back, ended (it was the run's own), reversed
-- (a change of plan), or left, because it was changed since.
WITH changed AS (
  SELECT s.account_id, s.entity, s.entity_id, min(s.change_id) AS change_id,
         bool_or(s.before IS NULL) AS inserted, min(u.undo_run) AS undo_run
  FROM lapse.changes s
  LEFT JOIN lapse.undone u ON u.account_id = s.account_id AND u.change_id = s.change_id
  WHERE s.run_id = :'undo_run'::bigint
    AND
    --include account-range
  GROUP BY s.account_id, s.entity, s.entity_id
)
SELECT c.account_id, a.name AS account, c.entity, c.entity_id,
       CASE WHEN c.undo_run IS NULL THEN 'left'
            WHEN c.entity = 'plan_changes' THEN 'reversed'
            WHEN c.inserted THEN 'ended' ELSE 'put_back' END AS outcome,
       CASE WHEN c.undo_run IS NOT NULL THEN NULL
            WHEN c.entity IN ('subscriptions', 'activation_codes', 'plan_changes')
            THEN 'the account''s plan was changed since'
            ELSE 'the row was changed since' END AS note
FROM changed c
JOIN saas.accounts a ON a.account_id = c.account_id
ORDER BY c.account_id, c.entity COLLATE "C", c.change_id
