-- Cuts what is due, `weighed (account_id, id, n)`, into batches of about batch_rows rows: the last
-- key of each, and how many rows are due up to it and in all. Nothing due gives no row.
numbered AS (
  SELECT w.account_id, w.id, w.n,
         (sum(w.n) OVER (ORDER BY w.account_id, w.id))::bigint AS running,
         (sum(w.n) OVER ())::bigint AS total
  FROM weighed w
)
SELECT n.account_id, n.id, n.running AS due_so_far, n.total AS due
FROM numbered n
WHERE n.running / :'batch_rows'::bigint > (n.running - n.n) / :'batch_rows'::bigint
   OR n.running = n.total
ORDER BY n.account_id, n.id
