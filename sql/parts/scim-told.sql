-- What SCIM has told by as-of and nobody has carried out, and whom or what it means. M4: the last
-- owner stays, of several told together the one told last. M3: so does a team made by hand (a setting
-- can turn it), and one made after the news. Such an event waits until somebody acts on it. Reads
-- `scim_expired`.
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
-- The owners of accounts with such news. Gone is whom SCIM has deprovisioned as an owner and who was
-- given no license since (what capture gives comes by itself): who goes tonight, and who went on an
-- earlier night. It must not turn on whether the news is carried out already, or another night would
-- find other owners.
account_owners AS (
  SELECT w.account_id, w.user_id,
         coalesce(u.deleted_at <= :'as_of'::timestamptz, false) AS deleted,
         max(e.received_at) FILTER (WHERE e.applied_at IS NULL) AS told_at,
         bool_or(e.event_id IS NOT NULL AND e.received_at > w.joined_at
                 AND NOT EXISTS (
                   SELECT FROM saas.licenses l
                   WHERE l.account_id = w.account_id AND l.user_id = w.user_id
                     AND l.source <> 'capture' AND l.granted_at > e.received_at
                     AND l.granted_at <= :'as_of'::timestamptz
                     AND (l.revoked_at IS NULL OR l.revoked_at > :'as_of'::timestamptz))) AS gone
  FROM saas.account_members w
  JOIN saas.users u ON u.user_id = w.user_id
  LEFT JOIN saas.scim_events e
    ON e.account_id = w.account_id AND e.kind = 'user_deprovisioned'
   AND lower(e.email) = lower(u.email) AND e.received_at <= :'as_of'::timestamptz
  WHERE w.role = 'owner'
    AND w.joined_at <= :'as_of'::timestamptz
    AND (w.left_at IS NULL OR w.left_at > :'as_of'::timestamptz)
    AND w.account_id IN (SELECT t.account_id FROM scim_told t WHERE t.user_id IS NOT NULL)
  GROUP BY w.account_id, w.user_id, u.deleted_at
),
last_owners AS (
  SELECT e.account_id, e.event_id, e.user_id
  FROM scim_told e
  JOIN (
    SELECT DISTINCT ON (o.account_id) o.account_id, o.user_id
    FROM account_owners o
    WHERE o.told_at IS NOT NULL
      AND NOT EXISTS (SELECT FROM account_owners s
                      WHERE s.account_id = o.account_id AND s.user_id <> o.user_id
                        AND NOT s.gone AND NOT s.deleted)
    ORDER BY o.account_id, o.deleted, o.told_at DESC, o.user_id
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
