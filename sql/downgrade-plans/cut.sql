-- What is due, and where to cut it into batches of whole accounts: lapses, changes of seats, and
-- domains and connections to suspend or resume.
WITH lapsing AS (
  --include lapses-due
),
seats_due AS (
  --include seat-changes-due
),
--include live-by-status
,
--include plan-in-force
,
--include controls-due
,
weighed AS (
  SELECT d.account_id, 9223372036854775807 AS id, count(*) AS n
  FROM (
    SELECT account_id FROM lapsing
    UNION ALL
    SELECT account_id FROM seats_due
    UNION ALL
    SELECT account_id FROM controls_due
  ) d
  GROUP BY d.account_id
),
--include cut
