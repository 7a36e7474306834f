-- What must add up for each account: the snapshot before and who came and went since make today's;
-- the day's snapshot is licenses plus people invited only, and as many as hold a seat.
-- Reads `seats`, `seat_people`, `previous` and `moved`.
tie_outs AS (
  SELECT n.account_id, 'movement' AS what,
         v.used + coalesce(m.net, 0) = n.used AS holds,
         'the snapshot of ' || v.day || ' says ' || v.used || ' used, ' || coalesce(m.came, 0)
           || ' came and ' || coalesce(m.went, 0) || ' went since, ' || n.used || ' are used now'
           AS told
  FROM seats n
  JOIN previous v ON v.account_id = n.account_id
  LEFT JOIN (
    SELECT k.account_id, sum(k.step) AS net,
           sum(k.step) FILTER (WHERE k.step > 0 OR k.cause = 'again') AS came,
           -sum(k.step) FILTER (WHERE k.step < 0 AND k.cause <> 'again') AS went
    FROM moved k
    GROUP BY k.account_id
  ) m ON m.account_id = n.account_id
  WHERE n.at = :'as_of'::timestamptz
  UNION ALL
  SELECT s.account_id, 'licenses and invitations', s.used = s.licenses + s.invitations,
         'the snapshot of ' || s.day || ' says ' || s.licenses || ' licenses and ' || s.invitations
           || ' invitations, but ' || s.used || ' used'
  FROM saas.seat_snapshots s
  JOIN seats n ON n.account_id = s.account_id AND n.at = :'as_of'::timestamptz
  WHERE s.day = (:'as_of'::timestamptz AT TIME ZONE 'UTC')::date
  UNION ALL
  SELECT s.account_id, 'people', s.used = coalesce(p.people, 0),
         'the snapshot of ' || s.day || ' says ' || s.used || ' used, the detail lists '
           || coalesce(p.people, 0)
  FROM saas.seat_snapshots s
  JOIN seats n ON n.account_id = s.account_id AND n.at = :'as_of'::timestamptz
  LEFT JOIN (
    SELECT k.account_id, count(*) AS people
    FROM seat_people k
    WHERE k.at = :'as_of'::timestamptz
    GROUP BY k.account_id
  ) p ON p.account_id = s.account_id
  WHERE s.day = (:'as_of'::timestamptz AT TIME ZONE 'UTC')::date
)
