-- L6: the snapshot of the as-of's UTC day is due where there is none, or a figure differs.
-- Reads `seats`.
snapshots_due AS (
  SELECT n.account_id, t.day, n.plan, n.purchased, n.licenses, n.invitations, n.used, n.over
  FROM seats n
  CROSS JOIN (SELECT (:'as_of'::timestamptz AT TIME ZONE 'UTC')::date AS day) t
  LEFT JOIN saas.seat_snapshots h ON h.account_id = n.account_id AND h.day = t.day
  WHERE h.account_id IS NULL
     OR (h.plan, h.purchased, h.licenses, h.invitations, h.used, h.over)
        IS DISTINCT FROM (n.plan, n.purchased, n.licenses, n.invitations, n.used, n.over)
)
