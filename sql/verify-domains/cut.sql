-- What is due, and where to cut it into batches of whole accounts. Noting what is still seen is work
-- and fills a batch, but it is nothing that is due.
WITH RECURSIVE
--include domains-proven
,
--include domains-due
,
--include domains-seen
,
weighed AS (
  SELECT w.account_id, sum(w.due) AS due, count(*) AS n
  FROM (
    SELECT d.account_id, 1 AS due FROM domains_due d
    UNION ALL
    SELECT n.account_id, 0 FROM domains_seen n
  ) w
  GROUP BY w.account_id
),
numbered AS (
  SELECT w.account_id, w.n,
         (sum(w.due) OVER (ORDER BY w.account_id))::bigint AS due_so_far,
         (sum(w.due) OVER ())::bigint AS due,
         (sum(w.n) OVER (ORDER BY w.account_id))::bigint AS running,
         (sum(w.n) OVER ())::bigint AS total
  FROM weighed w
)
SELECT n.account_id, 9223372036854775807 AS id, n.due_so_far, n.due
FROM numbered n
WHERE n.running / :'batch_rows'::bigint > (n.running - n.n) / :'batch_rows'::bigint
   OR n.running = n.total
ORDER BY n.account_id
