-- Who holds a seat now and did not at the snapshot before, or did then and does not now, each under one
-- cause. Accepting an invitation is none: the person holds a seat before and after; who accepted and
-- lost the license since has gone by the license.
-- Needs `judged` to hold both instants; reads `seat_people` and `previous`. Grouped, not joined: the
-- planner cannot tell how many people there are, and would take a loop for a handful.
people_moved AS (
  SELECT k.account_id,
         CASE WHEN k.holds_now
              THEN CASE WHEN NOT k.licensed THEN 'invited'
                        WHEN k.source = 'capture' THEN 'captured' ELSE 'granted' END
              ELSE CASE WHEN k.licensed OR k.accepted THEN 'revoked'
                        WHEN k.expires <= :'as_of'::timestamptz AND NOT k.closed THEN 'expired'
                        ELSE 'withdrawn' END
         END AS cause,
         CASE WHEN k.holds_now THEN 1 ELSE -1 END AS step
  FROM (
    SELECT p.account_id, bool_or(p.at = :'as_of'::timestamptz) AS holds_now,
           bool_or(p.at <> :'as_of'::timestamptz) AS held_then,
           bool_or(p.licensed) AS licensed, min(p.source) AS source, bool_or(p.accepted) AS accepted,
           max(p.expires) AS expires, bool_or(p.closed) AS closed
    FROM seat_people p
    WHERE p.account_id IN (SELECT v.account_id FROM previous v)
    GROUP BY p.account_id, p.person
  ) k
  WHERE k.holds_now <> k.held_then
),
invited_again AS (
  SELECT v.account_id, count(DISTINCT lower(s.email)) AS people
  FROM previous v
  JOIN saas.invitations s ON s.account_id = v.account_id
  WHERE s.send_count > 1 AND s.sent_at > v.at AND s.sent_at <= :'as_of'::timestamptz
    AND s.email IS NOT NULL
    AND (s.account_id, lower(s.email)) NOT IN (
      SELECT p.account_id, p.person
      FROM seat_people p
      WHERE p.at <> :'as_of'::timestamptz)
    AND
    --include account-range
  GROUP BY v.account_id
)
