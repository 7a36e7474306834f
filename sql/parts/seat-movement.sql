-- Who holds a seat now and did not at the snapshot before, or did then and does not now, each under one
-- cause. Accepting an invitation is none: the person holds a seat before and after; who accepted and
-- lost the license since has gone by the license.
-- An invitation that was sent again since says nothing of the time before, so a recount of then misses
-- who held a seat by it. The snapshot tells how many did, up to as many as were invited again: so
-- many have not come (`again`).
-- Needs `judged` to hold both instants; reads `seats`, `seat_people` and `previous`.
people_moved AS (
  SELECT coalesce(n.account_id, t.account_id) AS account_id,
         CASE WHEN t.person IS NULL
              THEN CASE WHEN NOT n.licensed THEN 'invited'
                        WHEN n.source = 'capture' THEN 'captured' ELSE 'granted' END
              ELSE CASE WHEN t.licensed OR t.accepted THEN 'revoked'
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
    SELECT p.account_id, p.person, p.licensed, p.expires, p.closed, p.accepted
    FROM seat_people p
    JOIN previous v ON v.account_id = p.account_id AND v.at = p.at
  ) t ON t.account_id = n.account_id AND t.person = n.person
  WHERE t.person IS NULL OR n.person IS NULL
),
invited_again AS (
  SELECT v.account_id, count(DISTINCT lower(s.email)) AS people
  FROM previous v
  JOIN saas.invitations s ON s.account_id = v.account_id
  LEFT JOIN seat_people p
    ON p.account_id = s.account_id AND p.at = v.at AND p.person = lower(s.email)
  WHERE s.send_count > 1 AND s.sent_at > v.at AND s.sent_at <= :'as_of'::timestamptz
    AND p.account_id IS NULL
    AND
    --include account-range
  GROUP BY v.account_id
),
moved AS (
  SELECT k.account_id, k.cause, k.step::bigint AS step
  FROM people_moved k
  UNION ALL
  SELECT g.account_id, 'again', -least(g.people, v.used + coalesce(k.net, 0) - n.used)
  FROM invited_again g
  JOIN previous v ON v.account_id = g.account_id
  JOIN seats n ON n.account_id = g.account_id AND n.at = :'as_of'::timestamptz
  LEFT JOIN (
    SELECT m.account_id, sum(m.step) AS net
    FROM people_moved m
    GROUP BY m.account_id
  ) k ON k.account_id = g.account_id
  WHERE v.used + coalesce(k.net, 0) > n.used
)
