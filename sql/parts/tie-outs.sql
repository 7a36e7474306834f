-- What must add up for each account: the snapshot before and who came and went since make today's;
-- the day's snapshot is licenses plus people invited only, and as many as hold a seat.
-- An invitation that was sent again since says nothing of the time before, so a recount of then misses
-- who held a seat by it. The snapshot tells how many did, up to as many as were invited again: so
-- many have not come (`again`).
-- Reads `seats`, `seat_people`, `previous`, `people_moved` and `invited_again`.
seat_totals AS (
  SELECT g.account_id, g.used, g.day, g.before, g.came, g.went, g.people, g.today, g.snapshot_used,
         g.snapshot_licenses, g.snapshot_invitations,
         CASE WHEN g.before + g.came - g.went > g.used
              THEN least(g.invited_again, g.before + g.came - g.went - g.used) ELSE 0 END AS again
  FROM (
    SELECT x.account_id, max(x.used) AS used, max(x.day) AS day, max(x.before) AS before,
           coalesce(sum(x.came), 0)::bigint AS came, coalesce(sum(x.went), 0)::bigint AS went,
           coalesce(sum(x.invited_again), 0)::bigint AS invited_again,
           coalesce(sum(x.people), 0)::bigint AS people, max(x.today) AS today,
           max(x.snapshot_used) AS snapshot_used, max(x.snapshot_licenses) AS snapshot_licenses,
           max(x.snapshot_invitations) AS snapshot_invitations
    FROM (
      SELECT n.account_id, n.used, NULL::date AS day, NULL::bigint AS before, NULL::bigint AS came,
             NULL::bigint AS went, NULL::bigint AS invited_again, NULL::bigint AS people,
             NULL::date AS today, NULL::bigint AS snapshot_used, NULL::bigint AS snapshot_licenses,
             NULL::bigint AS snapshot_invitations
      FROM seats n
      WHERE n.at = :'as_of'::timestamptz
      UNION ALL
      SELECT v.account_id, NULL, v.day, v.used, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
      FROM previous v
      UNION ALL
      SELECT k.account_id, NULL, NULL, NULL, greatest(k.step, 0), greatest(-k.step, 0), NULL, NULL,
             NULL, NULL, NULL, NULL
      FROM people_moved k
      UNION ALL
      SELECT i.account_id, NULL, NULL, NULL, NULL, NULL, i.people, NULL, NULL, NULL, NULL, NULL
      FROM invited_again i
      UNION ALL
      SELECT p.account_id, NULL, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL
      FROM seat_people p
      WHERE p.at = :'as_of'::timestamptz
      UNION ALL
      SELECT s.account_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, s.day, s.used, s.licenses,
             s.invitations
      FROM saas.seat_snapshots s
      WHERE s.day = (:'as_of'::timestamptz AT TIME ZONE 'UTC')::date
        AND
        --include account-range
        AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
    ) x
    GROUP BY x.account_id
  ) g
  WHERE g.used IS NOT NULL
),
tie_outs AS (
  SELECT t.account_id, 'movement' AS what, t.before + t.came - t.went - t.again = t.used AS holds,
         'the snapshot of ' || t.day || ' says ' || t.before || ' used, ' || t.came - t.again
           || ' came and ' || t.went || ' went since, ' || t.used || ' are used now' AS told
  FROM seat_totals t
  WHERE t.day IS NOT NULL
  UNION ALL
  SELECT t.account_id, 'licenses and invitations',
         t.snapshot_used = t.snapshot_licenses + t.snapshot_invitations,
         'the snapshot of ' || t.today || ' says ' || t.snapshot_licenses || ' licenses and '
           || t.snapshot_invitations || ' invitations, but ' || t.snapshot_used || ' used'
  FROM seat_totals t
  WHERE t.today IS NOT NULL
  UNION ALL
  SELECT t.account_id, 'people', t.snapshot_used = t.people,
         'the snapshot of ' || t.today || ' says ' || t.snapshot_used
           || ' used, the detail lists ' || t.people
  FROM seat_totals t
  WHERE t.today IS NOT NULL
)
