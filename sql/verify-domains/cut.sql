-- What is due, and where to cut it into batches of whole accounts. Noting what is still seen fills a
-- batch, but is no change.
WITH RECURSIVE
--include domains-proven
,
--include domains-due
,
--include domains-seen
,
counted AS (
  SELECT w.account_id, 9223372036854775807 AS id, count(*) AS n, sum(w.due) AS changes
  FROM (
    SELECT d.account_id, 1 AS due FROM domains_due d
    UNION ALL
    SELECT n.account_id, 0 FROM domains_seen n
  ) w
  GROUP BY w.account_id
),
--include cut-counted
