-- The same of `counted (account_id, id, n, changes)`, where not every row that is due is a change.
numbered AS (
  SELECT w.account_id, w.id, w.n,
         (sum(w.n) OVER (ORDER BY w.account_id, w.id))::bigint AS running,
         (sum(w.n) OVER ())::bigint AS total,
         (sum(w.changes) OVER ())::bigint AS changes
  FROM counted w
)
SELECT n.account_id, n.id, n.running AS due_so_far, n.total AS due, n.changes
FROM numbered n
WHERE n.running / :'batch_rows'::bigint > (n.running - n.n) / :'batch_rows'::bigint
   OR n.running = n.total
ORDER BY n.account_id, n.id
