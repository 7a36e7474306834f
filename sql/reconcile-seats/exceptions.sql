-- What somebody should look at: seats without access (L3) and access without a seat (L5), more seats
-- used than bought, two licenses of one person, captured people not assigned yet (L4), and figures
-- that do not tie out.
WITH
--include previous-snapshot
,
--include seats
,
--include seat-people
,
--include belonging
,
--include idle-seats
,
--include seat-movement
,
--include tie-outs
,
over_since AS (
  SELECT n.account_id, n.plan, n.used, n.purchased, n.over,
         (SELECT min(h.day)
          FROM saas.seat_snapshots h
          WHERE h.account_id = n.account_id
            AND h.day <= (n.at AT TIME ZONE 'UTC')::date
            AND h.day > coalesce((
              SELECT max(g.day)
              FROM saas.seat_snapshots g
              WHERE g.account_id = n.account_id AND g.over = 0
                AND g.day <= (n.at AT TIME ZONE 'UTC')::date), '-infinity')
         )::timestamp AT TIME ZONE 'UTC' AS since
  FROM seats n
  WHERE n.over > 0 AND n.at = :'as_of'::timestamptz
),
found AS (
  SELECT i.account_id, i.email, i.person, i.finding, i.source, i.since, i.user_id,
         CASE WHEN i.finding = 'captured_unassigned' THEN 'assign to an organization or a team'
              ELSE 'give access, or revoke the license' END AS suggested_action
  FROM idle_seats i
  UNION ALL
  SELECT b.account_id, u.email, lower(u.email), 'access_without_seat', b.access_via,
         b.access_since, b.user_id, 'grant a license, or end the access'
  FROM belonging b
  JOIN saas.users u ON u.user_id = b.user_id
  WHERE b.has_access
    AND b.account_id IN (SELECT j.account_id FROM judged j)
    AND (u.deleted_at IS NULL OR u.deleted_at > :'as_of'::timestamptz)
    AND NOT EXISTS (
      SELECT FROM saas.licenses l
      WHERE l.account_id = b.account_id AND l.user_id = b.user_id
        AND l.granted_at <= :'as_of'::timestamptz
        AND (l.revoked_at IS NULL OR l.revoked_at > :'as_of'::timestamptz))
  UNION ALL
  SELECT p.account_id, p.email, p.person, 'duplicate', p.source, p.since, p.user_id,
         'revoke all but one of ' || p.licenses || ' licenses'
  FROM seat_people p
  WHERE p.licenses > 1 AND p.at = :'as_of'::timestamptz
  UNION ALL
  SELECT o.account_id, NULL, NULL, 'over_limit', o.plan, o.since, NULL,
         o.used || ' used of ' || o.purchased || ': buy ' || o.over || ' more, or revoke as many'
  FROM over_since o
  UNION ALL
  SELECT t.account_id, NULL, NULL, 'tie_out', t.what, NULL, NULL, t.told
  FROM tie_outs t
  WHERE NOT t.holds
)
SELECT f.account_id, o.name AS account, f.email, f.finding, f.source, f.since,
       CASE WHEN f.user_id IS NOT NULL THEN z.shown END AS last_active, f.suggested_action
FROM found f
JOIN saas.accounts o ON o.account_id = f.account_id
LEFT JOIN saas.user_activity a ON a.account_id = f.account_id AND a.user_id = f.user_id
CROSS JOIN LATERAL (
  SELECT max(s.day) AS last_day
  FROM saas.user_activity_days s
  WHERE s.account_id = f.account_id AND s.user_id = f.user_id
    AND s.day <= (:'as_of'::timestamptz AT TIME ZONE 'UTC')::date
) d
--include last-active
--include activity-band
ORDER BY f.account_id, f.email COLLATE "C" NULLS FIRST, f.person COLLATE "C", f.finding COLLATE "C",
         f.source COLLATE "C", f.user_id
