-- One row for every live license, whatever the activity (A1).
--   as_of               the instant judged by; nothing after it shows
--   window              days the counts cover, the report's own date included (A6)
--   legacy_login_rule   fallback or override (A4)
--
-- A8: the last opening is the later of the last day with details and the date of last_opened_at,
-- each only up to as-of. A4: where none is known, or it lies before the product recorded openings
-- (2025-05-20), the last login speaks; without a login, the older opening. A2: the date shows up to
-- an age of 90 days, nothing from 91 to 100, N/A from 101 on, and where nobody ever came (A3).
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
  SELECT l.account_id, l.license_id, l.user_id, l.source, l.granted_at, t.day AS today,
         greatest(d.last_day,
                  CASE WHEN a.last_opened_at <= :'as_of'::timestamptz
                       THEN (a.last_opened_at AT TIME ZONE 'UTC')::date END) AS opened_on,
         CASE WHEN a.last_login_at <= :'as_of'::timestamptz
              THEN (a.last_login_at AT TIME ZONE 'UTC')::date END AS login_on,
         d.requests_created, d.requests_executed, d.documents_created
  FROM license l
  CROSS JOIN today t
  LEFT JOIN saas.user_activity a ON a.account_id = l.account_id AND a.user_id = l.user_id
  LEFT JOIN day_totals d ON d.account_id = l.account_id AND d.user_id = l.user_id
),
judged AS (
  SELECT k.account_id, k.license_id, k.user_id, k.source, k.granted_at, k.requests_created,
         k.requests_executed, k.documents_created, k.today,
         CASE WHEN k.by_login THEN k.login_on ELSE k.opened_on END AS active_on,
         k.by_login
  FROM (
    SELECT n.account_id, n.license_id, n.user_id, n.source, n.granted_at, n.requests_created,
           n.requests_executed, n.documents_created, n.today, n.opened_on, n.login_on,
           n.login_on IS NOT NULL
             AND (n.opened_on IS NULL OR n.opened_on < date '2025-05-20') AS by_login
    FROM known n
  ) k
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
LEFT JOIN organization_names o ON o.account_id = b.account_id AND o.user_id = b.user_id
LEFT JOIN team_names t ON t.account_id = b.account_id AND t.user_id = b.user_id
ORDER BY b.account_id, u.email COLLATE "C", b.license_id
