-- What is due, and where to cut it into batches of whole accounts.
WITH
--include live-by-status
,
--include plan-in-force
,
--include git-sync-due
,
weighed AS (
  SELECT d.account_id, 9223372036854775807 AS id, count(*) AS n
  FROM git_sync_due d
  GROUP BY d.account_id
),
--include cut
