-- What is due, and where to cut it into batches of whole accounts: licenses to release, and snapshots.
WITH
--include accounts-as-of
,
--include seats
,
--include seat-people
,
--include belonging
,
--include idle-seats
,
releases_due AS (
  --include releases-due
),
--include snapshots-due
,
counted AS (
  SELECT d.account_id, 9223372036854775807 AS id, count(*) AS n, sum(d.changes) AS changes
  FROM (
    SELECT account_id, 1 AS changes FROM releases_due
    UNION ALL
    SELECT account_id, 0 FROM snapshots_due
  ) d
  GROUP BY d.account_id
),
--include cut-counted
