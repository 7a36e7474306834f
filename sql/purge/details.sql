-- A5: purges details of activity. Where the summary row of a person says less than a detail that goes (an
-- older opening, or none), it takes the day over, so that the report says the same before and after.
WITH due AS (
  --include details-due
),
purged AS (
  DELETE FROM saas.user_activity_days d
  USING due
  WHERE d.account_id = due.account_id AND d.user_id = due.user_id AND d.day = due.day
  RETURNING d.account_id, d.user_id, d.day
),
newest AS (
  SELECT p.account_id, p.user_id, max(p.day)::timestamp AT TIME ZONE 'UTC' AS opened_at
  FROM purged p
  GROUP BY p.account_id, p.user_id
),
told AS (
  UPDATE saas.user_activity a
  SET last_opened_at = n.opened_at
  FROM newest n
  WHERE a.account_id = n.account_id AND a.user_id = n.user_id
    AND (a.last_opened_at IS NULL OR a.last_opened_at < n.opened_at)
),
added AS (
  INSERT INTO saas.user_activity (account_id, user_id, last_opened_at)
  SELECT n.account_id, n.user_id, n.opened_at
  FROM newest n
  WHERE NOT EXISTS (
    SELECT FROM saas.user_activity a
    WHERE a.account_id = n.account_id AND a.user_id = n.user_id)
  ON CONFLICT DO NOTHING
)
SELECT count(*) AS changed, 0::bigint AS torn
FROM purged
