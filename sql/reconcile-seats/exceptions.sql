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
--include last-activity
,
over_since AS (
  SELECT n.account_id,
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
  JOIN judged j ON j.account_id = b.account_id AND j.at = :'as_of'::timestamptz
  JOIN saas.users u ON u.user_id = b.user_id
  WHERE b.has_access
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
  SELECT n.account_id, NULL, NULL, 'over_limit', n.plan, o.since, NULL,
         n.used || ' used of ' || n.purchased || ': buy ' || n.over || ' more, or revoke as many'
  FROM seats n
  JOIN over_since o ON o.account_id = n.account_id
  WHERE n.at = :'as_of'::timestamptz
  UNION ALL
  SELECT t.account_id, NULL, NULL, 'tie_out', t.what, NULL, NULL, t.told
  FROM tie_outs t
  WHERE NOT t.holds
)
SELECT f.account_id, a.name AS account, f.email, f.finding, f.source, f.since,
       CASE WHEN f.user_id IS NOT NULL
            THEN coalesce(v.shown, CASE WHEN v.user_id IS NULL THEN 'N/A' END) END AS last_active,
       f.suggested_action
FROM found f
JOIN saas.accounts a ON a.account_id = f.account_id
LEFT JOIN last_activity v ON v.account_id = f.account_id AND v.user_id = f.user_id
ORDER BY f.account_id, f.email COLLATE "C" NULLS FIRST, f.person COLLATE "C", f.finding COLLATE "C",
         f.source COLLATE "C"
