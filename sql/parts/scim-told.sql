-- What SCIM has told by as-of and nobody has carried out, and whom or what it means. M4: the last
-- owner stays. M3: so does a team made by hand (a setting can turn it), and one made after the news.
-- Such an event waits until somebody acts on it. Reads `scim_expired`.
scim_told AS (
  SELECT s.account_id, s.event_id, s.kind, s.external_id, s.received_at, s.applied_at, u.user_id
  FROM saas.scim_events s
  LEFT JOIN saas.users u
    ON s.kind = 'user_deprovisioned' AND lower(u.email) = lower(s.email)
  WHERE s.applied_at IS NULL
    AND s.received_at <= :'as_of'::timestamptz
    AND
    --include account-range
    AND
    --include not-left-alone
    AND s.account_id NOT IN (SELECT x.account_id FROM scim_expired x)
),
last_owners AS (
  SELECT e.account_id, e.event_id, e.user_id
  FROM scim_told e
  JOIN (
    SELECT w.account_id, min(w.user_id) AS user_id
    FROM saas.account_members w
    WHERE w.role = 'owner'
      AND w.joined_at <= :'as_of'::timestamptz
      AND (w.left_at IS NULL OR w.left_at > :'as_of'::timestamptz)
      AND w.account_id IN (SELECT t.account_id FROM scim_told t)
    GROUP BY w.account_id
    HAVING count(DISTINCT w.user_id) = 1
  ) o ON o.account_id = e.account_id AND o.user_id = e.user_id
),
teams_told AS (
  SELECT e.account_id, e.event_id, e.received_at, t.team_id, t.deleted_at,
         t.source = 'scim' OR :'manual_team_delete'::boolean AS goes
  FROM scim_told e
  JOIN saas.teams t ON t.account_id = e.account_id AND t.external_id = e.external_id
  WHERE e.kind = 'team_deleted'
    AND t.created_at <= e.received_at
    AND (t.deleted_at IS NULL OR t.deleted_at > :'as_of'::timestamptz)
),
events_waiting AS (
  SELECT o.account_id, o.event_id
  FROM last_owners o
  UNION
  SELECT t.account_id, t.event_id
  FROM teams_told t
  WHERE NOT t.goes
)
