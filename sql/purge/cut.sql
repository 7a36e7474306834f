-- What is due, and where to cut it into batches of whole accounts; runs of the history come last.
WITH details_due AS (
  --include details-due
),
runs_due AS (
  --include runs-past
),
weighed AS (
  SELECT d.account_id, 9223372036854775807 AS id, count(*) AS n
  FROM details_due d
  GROUP BY d.account_id
  UNION ALL
  SELECT 9223372036854775807, 9223372036854775807, count(*)
  FROM runs_due r
  HAVING count(*) > 0
),
--include cut
