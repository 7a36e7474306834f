-- Who holds a seat now and did not at the snapshot before, or did then and does not now, each under one
-- cause. Accepting an invitation is none: the person holds a seat before and after.
-- Needs `judged` to hold both instants; reads `seat_people` and `previous`.
moved AS (
  SELECT coalesce(n.account_id, t.account_id) AS account_id,
         CASE WHEN t.person IS NULL
              THEN CASE WHEN NOT n.licensed THEN 'invited'
                        WHEN n.source = 'capture' THEN 'captured' ELSE 'granted' END
              ELSE CASE WHEN t.licensed THEN 'revoked'
                        WHEN t.expires <= :'as_of'::timestamptz AND NOT t.closed THEN 'expired'
                        ELSE 'withdrawn' END
         END AS cause,
         CASE WHEN t.person IS NULL THEN 1 ELSE -1 END AS step
  FROM (
    SELECT p.account_id, p.person, p.licensed, p.source
    FROM seat_people p
    JOIN previous v ON v.account_id = p.account_id
    WHERE p.at = :'as_of'::timestamptz
  ) n
  FULL JOIN (
    SELECT p.account_id, p.person, p.licensed, p.expires, p.closed
    FROM seat_people p
    JOIN previous v ON v.account_id = p.account_id AND v.at = p.at
  ) t ON t.account_id = n.account_id AND t.person = n.person
  WHERE t.person IS NULL OR n.person IS NULL
)
