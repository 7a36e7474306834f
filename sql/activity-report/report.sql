-- One row for every live license, whatever the activity (A1).
--   as_of               the instant judged by; nothing after it shows
--   window              days the counts cover, the report's own date included (A6)
--   legacy_login_rule   fallback or override (A4)
--
-- When somebody was last active is the part last-active's matter (A4, A8). A2: the date shows up to an
-- age of 90 days, nothing from 91 to 100, N/A from 101 on, and where nobody ever came (A3).
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
membership AS (
  SELECT DISTINCT s.account_id, s.user_id, o.organization_id, o.name
  FROM saas.organization_members s
  JOIN saas.organizations o
    ON o.account_id = s.account_id AND o.organization_id = s.organization_id
  WHERE s.joined_at <= :'as_of'::timestamptz
    AND (s.left_at IS NULL OR s.left_at > :'as_of'::timestamptz)
    AND (o.deleted_at IS NULL OR o.deleted_at > :'as_of'::timestamptz)
    AND
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
),
organizations AS (
  SELECT m.account_id, m.user_id, string_agg(m.name, '; ' ORDER BY m.name COLLATE "C") AS names
  FROM membership m
  GROUP BY m.account_id, m.user_id
),
team_membership AS (
  SELECT DISTINCT s.account_id, s.user_id, t.team_id, t.name
  FROM saas.team_members s
  JOIN saas.teams t ON t.account_id = s.account_id AND t.team_id = s.team_id
  WHERE s.joined_at <= :'as_of'::timestamptz
    AND (s.left_at IS NULL OR s.left_at > :'as_of'::timestamptz)
    AND (t.deleted_at IS NULL OR t.deleted_at > :'as_of'::timestamptz)
    AND
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
),
teams AS (
  SELECT m.account_id, m.user_id, string_agg(m.name, '; ' ORDER BY m.name COLLATE "C") AS names
  FROM team_membership m
  GROUP BY m.account_id, m.user_id
),
judged AS (
  SELECT l.account_id, l.license_id, l.user_id, l.source, l.granted_at, d.requests_created,
         d.requests_executed, d.documents_created, t.day AS today, y.active_on, w.by_login
  FROM license l
  CROSS JOIN today t
  LEFT JOIN saas.user_activity a ON a.account_id = l.account_id AND a.user_id = l.user_id
  LEFT JOIN day_totals d ON d.account_id = l.account_id AND d.user_id = l.user_id
  --include last-active
),
banded AS (
  SELECT j.account_id, j.license_id, j.user_id, j.source, j.granted_at, j.requests_created,
         j.requests_executed, j.documents_created, j.active_on, j.by_login,
         j.today - j.active_on AS age,
         j.active_on IS NOT NULL
           AND (j.today - j.active_on <= 90
                OR j.by_login AND :'legacy_login_rule'::text = 'override') AS shows
  FROM judged j
)
SELECT b.account_id, a.name AS account, u.email, u.name, m.role,
       CASE WHEN b.age IS NULL THEN 'Never'
            WHEN b.age <= 90 THEN 'Active'
            WHEN b.age <= 100 THEN 'Aging'
            ELSE 'Inactive' END AS status,
       CASE WHEN b.shows THEN b.active_on::text
            WHEN b.age BETWEEN 91 AND 100 THEN NULL
            ELSE 'N/A' END AS last_active,
       CASE WHEN b.shows THEN CASE WHEN b.by_login THEN 'login' ELSE 'opened' END END
         AS last_active_source,
       CASE WHEN b.shows THEN b.age END AS days_since_active,
       b.source AS license_source, b.granted_at AS license_granted,
       o.names AS organizations, t.names AS teams,
       coalesce(b.requests_created, 0) AS requests_created,
       coalesce(b.requests_executed, 0) AS requests_executed,
       coalesce(b.documents_created, 0) AS documents_created
FROM banded b
JOIN saas.accounts a ON a.account_id = b.account_id
JOIN saas.users u ON u.user_id = b.user_id
LEFT JOIN saas.account_members m
  ON m.account_id = b.account_id AND m.user_id = b.user_id
 AND m.joined_at <= :'as_of'::timestamptz
 AND (m.left_at IS NULL OR m.left_at > :'as_of'::timestamptz)
LEFT JOIN organizations o ON o.account_id = b.account_id AND o.user_id = b.user_id
LEFT JOIN teams t ON t.account_id = b.account_id AND t.user_id = b.user_id
ORDER BY b.account_id, u.email COLLATE "C", b.license_id
