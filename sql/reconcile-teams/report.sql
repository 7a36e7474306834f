-- What became of teams and memberships, as the audit of the date has it, and what was left alone, as it
-- stands: expired tokens (M6), the last owner and licenses of another source (M4), teams made by hand
-- (M3). Carrying out an event has no row of its own; what it ended has.
WITH
--include runs-of-the-date
,
--include scim-expired
,
--include scim-told
,
happened AS (
  SELECT c.account_id, c.run_id, c.entity_id, c.effective_at,
         split_part(c.entity_id, '/', 1)::bigint AS first_id,
         nullif(split_part(c.entity_id, '/', 2), '')::bigint AS second_id,
         CASE c.entity WHEN 'organization_members' THEN 'membership' WHEN 'teams' THEN 'team'
                       WHEN 'team_members' THEN 'team_member'
                       WHEN 'team_organizations' THEN 'team_link'
                       WHEN 'invitations' THEN 'invitation' ELSE 'license' END AS kind,
         CASE c.entity WHEN 'organization_members' THEN c.reason WHEN 'teams' THEN 'team_deleted'
                       WHEN 'team_members' THEN 'ended' WHEN 'team_organizations' THEN 'ended'
                       WHEN 'invitations' THEN 'invitation_revoked'
                       ELSE 'license_revoked' END AS action,
         c.reason,
         CASE WHEN c.entity = 'organization_members' AND c.before IS NOT NULL
              THEN split_part(c.entity_id, '/', 4)::timestamptz END AS joined_at,
         c.after ->> 'role' AS role
  FROM changes c
  WHERE c.entity = 'organization_members' AND c.reason IN ('added', 'ended')
     OR c.entity = 'organization_members' AND c.reason = 'role_changed' AND c.before IS NULL
     OR c.entity IN ('teams', 'team_members', 'team_organizations', 'invitations')
        AND c.reason IN ('team_deleted', 'deprovisioned')
     OR c.entity = 'licenses' AND c.reason = 'deprovisioned'
),
told AS (
  SELECT h.account_id, h.kind, concat_ws('/', h.first_id, h.second_id) AS key, h.action,
         coalesce(h.role, m.role) AS role,
         concat(coalesce(u.email, 'user ' || h.second_id), ' in ', o.name,
                CASE WHEN h.action = 'ended' THEN ', until ' ELSE ', since ' END,
                to_char(h.effective_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) AS note,
         h.first_id, h.second_id, h.effective_at, h.run_id, h.entity_id
  FROM happened h
  LEFT JOIN saas.organizations o
    ON o.account_id = h.account_id AND o.organization_id = h.first_id
  LEFT JOIN saas.organization_members m
    ON m.account_id = h.account_id AND m.organization_id = h.first_id
   AND m.user_id = h.second_id AND m.via = 'team' AND m.joined_at = h.joined_at
  LEFT JOIN saas.users u ON u.user_id = h.second_id
  WHERE h.kind = 'membership'
  UNION ALL
  SELECT h.account_id, h.kind, concat_ws('/', h.first_id, h.second_id), h.action, t.role,
         CASE h.kind
           WHEN 'team' THEN concat(t.name, ', deleted through SCIM')
           WHEN 'team_link' THEN concat('team ', t.name, ' had access to ', o.name)
           ELSE concat(coalesce(u.email, 'user ' || h.second_id), ' in team ', t.name,
                       CASE h.reason WHEN 'deprovisioned' THEN ', deprovisioned through SCIM' END)
         END || CASE WHEN h.kind = 'team' THEN '' ELSE
                  to_char(h.effective_at, '", until "YYYY-MM-DD"T"HH24:MI:SS"Z"') END,
         h.first_id, h.second_id, h.effective_at, h.run_id, h.entity_id
  FROM happened h
  LEFT JOIN saas.teams t ON t.account_id = h.account_id AND t.team_id = h.first_id
  LEFT JOIN saas.organizations o
    ON h.kind = 'team_link' AND o.account_id = h.account_id AND o.organization_id = h.second_id
  LEFT JOIN saas.users u ON h.kind = 'team_member' AND u.user_id = h.second_id
  WHERE h.kind IN ('team', 'team_member', 'team_link')
  UNION ALL
  SELECT h.account_id, h.kind, h.first_id::text, h.action, i.role,
         concat(coalesce(i.email, 'somebody'), ' to team ', t.name),
         h.first_id, h.second_id, h.effective_at, h.run_id, h.entity_id
  FROM happened h
  LEFT JOIN saas.invitations i ON i.account_id = h.account_id AND i.invitation_id = h.first_id
  LEFT JOIN saas.teams t ON t.account_id = i.account_id AND t.team_id = i.team_id
  WHERE h.kind = 'invitation'
  UNION ALL
  SELECT h.account_id, h.kind, h.first_id::text, h.action, NULL,
         concat(coalesce(u.email, 'user ' || l.user_id), ', deprovisioned through SCIM'),
         h.first_id, h.second_id, h.effective_at, h.run_id, h.entity_id
  FROM happened h
  LEFT JOIN saas.licenses l ON l.account_id = h.account_id AND l.license_id = h.first_id
  LEFT JOIN saas.users u ON u.user_id = l.user_id
  WHERE h.kind = 'license'
  UNION ALL
  SELECT c.account_id, 'license', l.license_id::text, 'skipped', NULL,
         concat(coalesce(u.email, 'user ' || l.user_id),
                ', deprovisioned through SCIM; the license is of source ', l.source, ' and stays'),
         l.license_id, NULL, e.received_at, c.run_id, c.entity_id
  FROM changes c
  JOIN saas.scim_events e ON e.account_id = c.account_id AND e.event_id = c.entity_id::bigint
  JOIN saas.users u ON lower(u.email) = lower(e.email)
  JOIN saas.licenses l
    ON l.account_id = c.account_id AND l.user_id = u.user_id AND l.source <> 'scim'
  WHERE c.entity = 'scim_events' AND c.reason = 'user_deprovisioned'
    AND l.granted_at <= e.received_at AND (l.revoked_at IS NULL OR l.revoked_at > c.as_of)
  UNION ALL
  SELECT o.account_id, 'scim_event', o.event_id::text, 'skipped', 'owner',
         concat(coalesce(u.email, 'user ' || o.user_id),
                ', deprovisioned through SCIM, is the account''s last owner and stays'),
         o.event_id, NULL, NULL, NULL, NULL
  FROM last_owners o
  LEFT JOIN saas.users u ON u.user_id = o.user_id
  UNION ALL
  SELECT g.account_id, 'scim_event', g.event_id::text, 'skipped', t.role,
         concat('team ', t.name,
                ', deleted at the identity provider, was made by hand and stays'),
         g.event_id, g.team_id, NULL, NULL, NULL
  FROM teams_told g
  JOIN saas.teams t ON t.account_id = g.account_id AND t.team_id = g.team_id
  WHERE NOT g.goes
  UNION ALL
  SELECT x.account_id, 'scim_connection', x.provider, 'skipped', NULL,
         concat('the token ended ',
                to_char(x.token_expires_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                '; the account is left alone until it is renewed'),
         NULL, NULL, NULL, NULL, NULL
  FROM scim_expired x
)
SELECT d.account_id, a.name AS account, d.kind, d.key, d.action, d.role, d.note
FROM told d
JOIN saas.accounts a ON a.account_id = d.account_id
ORDER BY d.account_id, d.kind COLLATE "C", d.first_id, d.second_id, d.key COLLATE "C",
         d.effective_at, d.action COLLATE "C", d.entity_id COLLATE "C", d.run_id
