-- A5: purges details of activity.
WITH due AS (
  --include details-due
),
purged AS (
  DELETE FROM saas.user_activity_days d
  USING due
  WHERE d.account_id = due.account_id AND d.user_id = due.user_id AND d.day = due.day
  RETURNING d.account_id
)
SELECT count(*) AS changed, 0::bigint AS torn
FROM purged
