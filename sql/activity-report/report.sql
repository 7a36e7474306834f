-- One row for every live license, whatever the activity (A1).
--   as_of               the instant judged by; nothing after it shows
--   window              days the counts cover, the report's own date included (A6)
--   legacy_login_rule   fallback or override (A4)
--
-- When somebody was last active (A4, A8) and what of it shows (A2, A3) are parts of their own.
-- The range of accounts stands in each of the joins: PostgreSQL takes it into none by itself.
WITH license AS (
  SELECT s.account_id, s.license_id, s.user_id, s.source, s.granted_at
  FROM saas.licenses s
  WHERE s.granted_at <= :'as_of'::timestamptz
    AND (s.revoked_at IS NULL OR s.revoked_at > :'as_of'::timestamptz)
    AND
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
),
today AS (
  SELECT (:'as_of'::timestamptz AT TIME ZONE 'UTC')::date AS day
),
day_totals AS (
  SELECT s.account_id, s.user_id, max(s.day) AS last_day,
         sum(s.requests_created) FILTER (WHERE s.day > t.day - :'window'::integer)
           AS requests_created,
         sum(s.requests_executed) FILTER (WHERE s.day > t.day - :'window'::integer)
           AS requests_executed,
         sum(s.documents_created) FILTER (WHERE s.day > t.day - :'window'::integer)
           AS documents_created
  FROM saas.user_activity_days s
  CROSS JOIN today t
  WHERE s.day <= t.day
    AND
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
  GROUP BY s.account_id, s.user_id
),
--include organization-names
,
--include team-names
,
known AS (
  SELECT l.account_id, l.license_id, l.user_id, l.source, l.granted_at, d.requests_created,
         d.requests_executed, d.documents_created, w.by_login, g.age, h.status, h.shows, z.shown
  FROM license l
  LEFT JOIN (
    SELECT s.account_id, s.user_id, s.last_opened_at, s.last_login_at
    FROM saas.user_activity s
    WHERE
      --include account-range
  ) a ON a.account_id = l.account_id AND a.user_id = l.user_id
  LEFT JOIN day_totals d ON d.account_id = l.account_id AND d.user_id = l.user_id
  --include last-active
  --include activity-band
)
SELECT b.account_id, a.name AS account, u.email, u.name, m.role, b.status, b.shown AS last_active,
       CASE WHEN b.shows THEN CASE WHEN b.by_login THEN 'login' ELSE 'opened' END END
         AS last_active_source,
       CASE WHEN b.shows THEN b.age END AS days_since_active,
       b.source AS license_source, b.granted_at AS license_granted,
       o.names AS organizations, t.names AS teams,
       coalesce(b.requests_created, 0) AS requests_created,
       coalesce(b.requests_executed, 0) AS requests_executed,
       coalesce(b.documents_created, 0) AS documents_created
FROM known b
JOIN saas.accounts a ON a.account_id = b.account_id
JOIN saas.users u ON u.user_id = b.user_id
LEFT JOIN (
  SELECT s.account_id, s.user_id, s.role
  FROM saas.account_members s
  WHERE s.joined_at <= :'as_of'::timestamptz
    AND (s.left_at IS NULL OR s.left_at > :'as_of'::timestamptz)
    AND
    --include account-range
) m ON m.account_id = b.account_id AND m.user_id = b.user_id
LEFT JOIN organization_names o ON o.account_id = b.account_id AND o.user_id = b.user_id
LEFT JOIN team_names t ON t.account_id = b.account_id AND t.user_id = b.user_id
ORDER BY b.account_id, u.email COLLATE "C", b.license_id
