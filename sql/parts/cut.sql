-- Cuts what is due, `weighed (account_id, id, n)`, into pieces of about batch_rows rows: the last
-- key of each, how many rows are due up to it and in all, and how many of these are changes, which
-- the guard counts: here all. Nothing due gives no row.
counted AS (
  SELECT w.account_id, w.id, w.n, w.n AS changes
  FROM weighed w
),
--include cut-counted
