-- M3, M4: what the events of SCIM end. What was live at the instant of the news ends at that instant
-- (several of one thing: the first one's); what began later stays, and so does what was added by hand
-- (M5). A license that somebody has revoked since stays as it was revoked. An event that means nobody
-- here is simply carried out. Reads `scim_told`, `last_owners`, `teams_told`, `events_waiting`.
events_due AS (
  SELECT e.account_id, e.event_id, e.kind, e.received_at, e.applied_at, e.user_id
  FROM scim_told e
  WHERE (e.account_id, e.event_id) NOT IN (SELECT w.account_id, w.event_id FROM events_waiting w)
),
teams_due AS (
  SELECT t.account_id, t.team_id, t.deleted_at, min(t.received_at) AS ends_at
  FROM teams_told t
  WHERE t.goes
  GROUP BY t.account_id, t.team_id, t.deleted_at
),
team_members_due AS (
  SELECT DISTINCT ON (b.account_id, b.team_id, b.user_id, b.source, b.joined_at)
         b.account_id, b.team_id, b.user_id, b.source, b.joined_at, b.left_at, b.ends_at, b.reason
  FROM (
    SELECT m.account_id, m.team_id, m.user_id, m.source, m.joined_at, m.left_at, d.ends_at,
           'team_deleted' AS reason
    FROM teams_due d
    JOIN saas.team_members m ON m.account_id = d.account_id AND m.team_id = d.team_id
    WHERE m.joined_at <= d.ends_at AND (m.left_at IS NULL OR m.left_at > d.ends_at)
    UNION ALL
    SELECT m.account_id, m.team_id, m.user_id, m.source, m.joined_at, m.left_at, e.received_at,
           'deprovisioned'
    FROM events_due e
    JOIN saas.team_members m
      ON m.account_id = e.account_id AND m.user_id = e.user_id AND m.source = 'scim'
    JOIN saas.teams t
      ON t.account_id = m.account_id AND t.team_id = m.team_id
     AND (t.deleted_at IS NULL OR t.deleted_at > :'as_of'::timestamptz)
    WHERE m.joined_at <= e.received_at AND (m.left_at IS NULL OR m.left_at > e.received_at)
  ) b
  ORDER BY b.account_id, b.team_id, b.user_id, b.source, b.joined_at, b.ends_at, b.reason
),
team_links_due AS (
  SELECT l.account_id, l.team_id, l.organization_id, l.linked_at, l.unlinked_at, d.ends_at
  FROM teams_due d
  JOIN saas.team_organizations l ON l.account_id = d.account_id AND l.team_id = d.team_id
  WHERE l.linked_at <= d.ends_at AND (l.unlinked_at IS NULL OR l.unlinked_at > d.ends_at)
),
team_invitations_due AS (
  SELECT i.account_id, i.invitation_id, i.status, i.sent_at, i.closed_at, d.ends_at
  FROM teams_due d
  JOIN saas.invitations i ON i.account_id = d.account_id AND i.team_id = d.team_id
  WHERE i.status = 'pending' AND i.sent_at <= :'as_of'::timestamptz
),
licenses_due AS (
  SELECT DISTINCT l.account_id, l.license_id, l.revoked_at, l.revoke_reason
  FROM events_due e
  JOIN saas.licenses l
    ON l.account_id = e.account_id AND l.user_id = e.user_id AND l.source = 'scim'
  WHERE l.granted_at <= e.received_at
    AND (l.revoked_at IS NULL OR l.revoked_at > :'as_of'::timestamptz)
)
