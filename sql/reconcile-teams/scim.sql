-- M3, M4: the events of SCIM are carried out, each with all it ends. A row that somebody changes
-- meanwhile is left as they have it; where it is the team or the event itself, the batch is tried again.
-- Memberships end when the news came; a license is revoked as of the run, because its seat was held and
-- counted until then.
WITH
--include scim-expired
,
--include scim-told
,
--include scim-due
,
team_gone AS (
  UPDATE saas.teams t
  SET deleted_at = d.ends_at
  FROM teams_due d
  WHERE t.account_id = d.account_id AND t.team_id = d.team_id
    AND t.deleted_at IS NOT DISTINCT FROM d.deleted_at
  RETURNING d.account_id, d.team_id, d.deleted_at, d.ends_at
),
member_gone AS (
  UPDATE saas.team_members m
  SET left_at = d.ends_at
  FROM team_members_due d
  WHERE m.account_id = d.account_id AND m.team_id = d.team_id AND m.user_id = d.user_id
    AND m.source = d.source AND m.joined_at = d.joined_at
    AND m.left_at IS NOT DISTINCT FROM d.left_at
  RETURNING d.account_id, d.team_id, d.user_id, d.source, d.joined_at, d.left_at, d.ends_at, d.reason
),
link_gone AS (
  UPDATE saas.team_organizations l
  SET unlinked_at = d.ends_at
  FROM team_links_due d
  WHERE l.account_id = d.account_id AND l.team_id = d.team_id
    AND l.organization_id = d.organization_id AND l.linked_at = d.linked_at
    AND l.unlinked_at IS NOT DISTINCT FROM d.unlinked_at
  RETURNING d.account_id, d.team_id, d.organization_id, d.linked_at, d.unlinked_at, d.ends_at
),
invitation_gone AS (
  UPDATE saas.invitations i
  SET status = 'revoked', closed_at = d.ends_at
  FROM team_invitations_due d
  WHERE i.account_id = d.account_id AND i.invitation_id = d.invitation_id
    AND (i.status, i.sent_at, i.closed_at) IS NOT DISTINCT FROM (d.status, d.sent_at, d.closed_at)
  RETURNING d.account_id, d.invitation_id, d.status, d.closed_at, d.ends_at
),
license_gone AS (
  UPDATE saas.licenses l
  SET revoked_at = :'as_of'::timestamptz, revoke_reason = 'deprovisioned'
  FROM licenses_due d
  WHERE l.account_id = d.account_id AND l.license_id = d.license_id
    AND l.source = 'scim'
    AND (l.revoked_at, l.revoke_reason) IS NOT DISTINCT FROM (d.revoked_at, d.revoke_reason)
  RETURNING d.account_id, d.license_id, d.revoked_at, d.revoke_reason
),
event_done AS (
  UPDATE saas.scim_events e
  SET applied_at = :'as_of'::timestamptz
  FROM events_due d
  WHERE e.account_id = d.account_id AND e.event_id = d.event_id
    AND e.applied_at IS NULL
  RETURNING d.account_id, d.event_id, d.kind, d.applied_at
),
written AS (
  SELECT t.account_id, 'teams' AS entity, t.team_id::text AS entity_id,
         jsonb_build_object('deleted_at', t.deleted_at) AS before,
         jsonb_build_object('deleted_at', t.ends_at) AS after,
         'team_deleted' AS reason, t.ends_at AS effective_at
  FROM team_gone t
  UNION ALL
  SELECT m.account_id, 'team_members',
         concat_ws('/', m.team_id, m.user_id, m.source, m.joined_at),
         jsonb_build_object('left_at', m.left_at), jsonb_build_object('left_at', m.ends_at),
         m.reason, m.ends_at
  FROM member_gone m
  UNION ALL
  SELECT l.account_id, 'team_organizations',
         concat_ws('/', l.team_id, l.organization_id, l.linked_at),
         jsonb_build_object('unlinked_at', l.unlinked_at),
         jsonb_build_object('unlinked_at', l.ends_at), 'team_deleted', l.ends_at
  FROM link_gone l
  UNION ALL
  SELECT i.account_id, 'invitations', i.invitation_id::text,
         jsonb_build_object('status', i.status, 'closed_at', i.closed_at),
         jsonb_build_object('status', 'revoked', 'closed_at', i.ends_at),
         'team_deleted', i.ends_at
  FROM invitation_gone i
  UNION ALL
  SELECT l.account_id, 'licenses', l.license_id::text,
         jsonb_build_object('revoked_at', l.revoked_at, 'revoke_reason', l.revoke_reason),
         jsonb_build_object('revoked_at', :'as_of'::timestamptz,
                            'revoke_reason', 'deprovisioned'),
         'deprovisioned', :'as_of'::timestamptz
  FROM license_gone l
  UNION ALL
  SELECT e.account_id, 'scim_events', e.event_id::text,
         jsonb_build_object('applied_at', e.applied_at),
         jsonb_build_object('applied_at', :'as_of'::timestamptz), e.kind, :'as_of'::timestamptz
  FROM event_done e
),
--include audit
SELECT (SELECT count(*) FROM audited) AS changed,
       (SELECT count(*) FROM events_due) - (SELECT count(*) FROM event_done)
         + (SELECT count(*) FROM teams_due) - (SELECT count(*) FROM team_gone) AS torn
