-- Puts back what a run changed, where nobody has changed it since: a row must hold what the run left.
-- Rows that it inserted are ended, not deleted; a change of plan gets a row that reverses it.
WITH
--include undo-due
,
--include undo-drifted
,
steady AS (
  SELECT d.account_id, d.entity, d.entity_id, d.first_id, d.inserted, d.before, d.after
  FROM undo_due d
  WHERE d.entity NOT IN ('subscriptions', 'activation_codes', 'plan_changes')
     OR NOT EXISTS (SELECT FROM drifted x WHERE x.account_id = d.account_id)
),
invitations AS (
  UPDATE saas.invitations t
  SET status = d.before ->> 'status', closed_at = (d.before ->> 'closed_at')::timestamptz
  FROM steady d
  WHERE d.entity = 'invitations' AND t.account_id = d.account_id AND t.invitation_id = d.first_id
    AND
    --include undo-unchanged
  RETURNING d.account_id, d.entity, d.entity_id, d.after AS before, d.before AS after
),
subscriptions AS (
  UPDATE saas.subscriptions t
  SET status = CASE WHEN d.before ? 'status' THEN d.before ->> 'status' ELSE t.status END,
      ended_at = CASE WHEN d.before ? 'ended_at' THEN (d.before ->> 'ended_at')::timestamptz
                      ELSE t.ended_at END,
      end_reason = CASE WHEN d.before ? 'end_reason' THEN d.before ->> 'end_reason'
                        ELSE t.end_reason END,
      period_end = CASE WHEN d.before ? 'period_end' THEN (d.before ->> 'period_end')::timestamptz
                        ELSE t.period_end END,
      seats = CASE WHEN d.before ? 'seats' THEN (d.before ->> 'seats')::integer ELSE t.seats END,
      next_seats = CASE WHEN d.before ? 'next_seats' THEN (d.before ->> 'next_seats')::integer
                        ELSE t.next_seats END,
      next_seats_from = CASE WHEN d.before ? 'next_seats_from'
                             THEN (d.before ->> 'next_seats_from')::timestamptz
                             ELSE t.next_seats_from END
  FROM steady d
  WHERE d.entity = 'subscriptions' AND NOT d.inserted
    AND t.account_id = d.account_id AND t.subscription_id = d.first_id
    AND
    --include undo-unchanged
  RETURNING d.account_id, d.entity, d.entity_id, d.after AS before, d.before AS after
),
ended_subscriptions AS (
  UPDATE saas.subscriptions t
  SET status = 'ended', ended_at = greatest(:'as_of'::timestamptz, t.started_at),
      end_reason = 'undone'
  FROM steady d
  WHERE d.entity = 'subscriptions' AND d.inserted
    AND t.account_id = d.account_id AND t.subscription_id = d.first_id
    AND
    --include undo-unchanged
  RETURNING d.account_id, d.entity, d.entity_id,
            jsonb_build_object('status', d.after -> 'status', 'ended_at', d.after -> 'ended_at',
                               'end_reason', d.after -> 'end_reason') AS before,
            jsonb_build_object('status', t.status, 'ended_at', t.ended_at,
                               'end_reason', t.end_reason) AS after
),
activation_codes AS (
  UPDATE saas.activation_codes t
  SET redeemed_at = (d.before ->> 'redeemed_at')::timestamptz
  FROM steady d
  WHERE d.entity = 'activation_codes' AND t.account_id = d.account_id AND t.code_hash = d.entity_id
    AND
    --include undo-unchanged
  RETURNING d.account_id, d.entity, d.entity_id, d.after AS before, d.before AS after
),
organizations AS (
  UPDATE saas.organizations t
  SET status = CASE WHEN d.before ? 'status' THEN d.before ->> 'status' ELSE t.status END,
      inactive_since = CASE WHEN d.before ? 'inactive_since'
                            THEN (d.before ->> 'inactive_since')::timestamptz
                            ELSE t.inactive_since END,
      inactive_reason = CASE WHEN d.before ? 'inactive_reason' THEN d.before ->> 'inactive_reason'
                             ELSE t.inactive_reason END,
      git_sync_over_limit_since = CASE WHEN d.before ? 'git_sync_over_limit_since'
                                       THEN (d.before ->> 'git_sync_over_limit_since')::timestamptz
                                       ELSE t.git_sync_over_limit_since END
  FROM steady d
  WHERE d.entity = 'organizations' AND t.account_id = d.account_id
    AND t.organization_id = d.first_id
    AND
    --include undo-unchanged
  RETURNING d.account_id, d.entity, d.entity_id, d.after AS before, d.before AS after
),
exports AS (
  UPDATE saas.organization_exports t
  SET status = CASE WHEN d.inserted THEN 'cancelled' ELSE d.before ->> 'status' END
  FROM steady d
  WHERE d.entity = 'organization_exports' AND t.account_id = d.account_id
    AND t.organization_id = d.first_id AND t.organization_id || '/' || t.export_id = d.entity_id
    AND
    --include undo-unchanged
  RETURNING d.account_id, d.entity, d.entity_id,
            jsonb_build_object('status', d.after -> 'status') AS before,
            jsonb_build_object('status', t.status) AS after
),
memberships AS (
  UPDATE saas.organization_members t
  SET left_at = CASE WHEN d.inserted THEN greatest(:'as_of'::timestamptz, t.joined_at)
                     ELSE (d.before ->> 'left_at')::timestamptz END
  FROM steady d
  WHERE d.entity = 'organization_members' AND t.account_id = d.account_id
    AND t.organization_id = d.first_id
    AND concat_ws('/', t.organization_id, t.user_id, t.via, t.joined_at) = d.entity_id
    AND
    --include undo-unchanged
  RETURNING d.account_id, d.entity, d.entity_id,
            jsonb_build_object('left_at', d.after -> 'left_at') AS before,
            jsonb_build_object('left_at', t.left_at) AS after
),
teams AS (
  UPDATE saas.teams t
  SET deleted_at = (d.before ->> 'deleted_at')::timestamptz
  FROM steady d
  WHERE d.entity = 'teams' AND t.account_id = d.account_id AND t.team_id = d.first_id
    AND
    --include undo-unchanged
  RETURNING d.account_id, d.entity, d.entity_id, d.after AS before, d.before AS after
),
team_members AS (
  UPDATE saas.team_members t
  SET left_at = (d.before ->> 'left_at')::timestamptz
  FROM steady d
  WHERE d.entity = 'team_members' AND t.account_id = d.account_id AND t.team_id = d.first_id
    AND concat_ws('/', t.team_id, t.user_id, t.source, t.joined_at) = d.entity_id
    AND
    --include undo-unchanged
  RETURNING d.account_id, d.entity, d.entity_id, d.after AS before, d.before AS after
),
team_links AS (
  UPDATE saas.team_organizations t
  SET unlinked_at = (d.before ->> 'unlinked_at')::timestamptz
  FROM steady d
  WHERE d.entity = 'team_organizations' AND t.account_id = d.account_id AND t.team_id = d.first_id
    AND concat_ws('/', t.team_id, t.organization_id, t.linked_at) = d.entity_id
    AND
    --include undo-unchanged
  RETURNING d.account_id, d.entity, d.entity_id, d.after AS before, d.before AS after
),
scim_events AS (
  UPDATE saas.scim_events t
  SET applied_at = (d.before ->> 'applied_at')::timestamptz
  FROM steady d
  WHERE d.entity = 'scim_events' AND t.account_id = d.account_id AND t.event_id = d.first_id
    AND
    --include undo-unchanged
  RETURNING d.account_id, d.entity, d.entity_id, d.after AS before, d.before AS after
),
licenses AS (
  UPDATE saas.licenses t
  SET revoked_at = CASE WHEN d.inserted THEN greatest(:'as_of'::timestamptz, t.granted_at)
                        ELSE (d.before ->> 'revoked_at')::timestamptz END,
      revoke_reason = CASE WHEN d.inserted THEN 'undone' ELSE d.before ->> 'revoke_reason' END
  FROM steady d
  WHERE d.entity = 'licenses' AND t.account_id = d.account_id AND t.license_id = d.first_id
    AND
    --include undo-unchanged
  RETURNING d.account_id, d.entity, d.entity_id,
            jsonb_build_object('revoked_at', d.after -> 'revoked_at',
                               'revoke_reason', d.after -> 'revoke_reason') AS before,
            jsonb_build_object('revoked_at', t.revoked_at, 'revoke_reason', t.revoke_reason) AS after
),
members AS (
  UPDATE saas.account_members t
  SET role = CASE WHEN NOT d.inserted AND d.before ? 'role' THEN d.before ->> 'role'
                  ELSE t.role END,
      joined_at = CASE WHEN NOT d.inserted AND d.before ? 'joined_at'
                       THEN (d.before ->> 'joined_at')::timestamptz ELSE t.joined_at END,
      left_at = CASE WHEN d.inserted THEN greatest(:'as_of'::timestamptz, t.joined_at)
                     ELSE (d.before ->> 'left_at')::timestamptz END
  FROM steady d
  WHERE d.entity = 'account_members' AND t.account_id = d.account_id AND t.user_id = d.first_id
    AND
    --include undo-unchanged
  RETURNING d.account_id, d.entity, d.entity_id,
            CASE WHEN d.inserted THEN jsonb_build_object('left_at', NULL) ELSE d.after END AS before,
            CASE WHEN d.inserted THEN jsonb_build_object('left_at', t.left_at) ELSE d.before END
              AS after
),
domains AS (
  UPDATE saas.domains t
  SET suspended_at = CASE WHEN d.before ? 'suspended_at'
                          THEN (d.before ->> 'suspended_at')::timestamptz ELSE t.suspended_at END,
      verified_at = CASE WHEN d.before ? 'verified_at'
                         THEN (d.before ->> 'verified_at')::timestamptz ELSE t.verified_at END,
      last_seen_at = CASE WHEN d.before ? 'last_seen_at'
                            AND t.last_seen_at IS NOT DISTINCT FROM
                                (d.after ->> 'last_seen_at')::timestamptz
                          THEN (d.before ->> 'last_seen_at')::timestamptz ELSE t.last_seen_at END
  FROM steady d
  WHERE d.entity = 'domains' AND t.account_id = d.account_id AND t.domain = d.entity_id
    AND to_jsonb(t) @> (d.after - 'last_seen_at') -- which moves every night, without audit
  RETURNING d.account_id, d.entity, d.entity_id, d.after - 'last_seen_at' AS before,
            d.before - 'last_seen_at' AS after
),
connections AS (
  UPDATE saas.scim_connections t
  SET suspended_at = (d.before ->> 'suspended_at')::timestamptz
  FROM steady d
  WHERE d.entity = 'scim_connections' AND t.account_id = d.account_id AND t.provider = d.entity_id
    AND
    --include undo-unchanged
  RETURNING d.account_id, d.entity, d.entity_id, d.after AS before, d.before AS after
),
planned AS (
  SELECT d.account_id, d.entity_id, d.after ->> 'to_plan' AS from_plan,
         d.after ->> 'from_plan' AS to_plan, (d.after ->> 'to_seats')::integer AS from_seats,
         (d.after ->> 'from_seats')::integer AS to_seats, 'undone' AS reason,
         :'as_of'::timestamptz AS effective_at,
         row_number() OVER (PARTITION BY d.account_id ORDER BY d.entity_id::bigint DESC) AS place
  FROM steady d
  WHERE d.entity = 'plan_changes'
  ORDER BY d.account_id, place -- so that the new rows are numbered in this order
),
--include plan-change
,
reversed AS (
  SELECT p.account_id, p.entity_id AS undoes, c.change_no
  FROM planned p
  JOIN (
    SELECT n.account_id, n.change_no,
           row_number() OVER (PARTITION BY n.account_id ORDER BY n.change_no) AS place
    FROM plan_change n
  ) c ON c.account_id = p.account_id AND c.place = p.place
),
written AS (
  SELECT w.account_id, w.entity, w.entity_id, w.before, w.after, 'undone' AS reason,
         :'as_of'::timestamptz AS effective_at, w.entity_id AS undoes
  FROM (
    SELECT account_id, entity, entity_id, before, after FROM invitations
    UNION ALL SELECT account_id, entity, entity_id, before, after FROM subscriptions
    UNION ALL SELECT account_id, entity, entity_id, before, after FROM ended_subscriptions
    UNION ALL SELECT account_id, entity, entity_id, before, after FROM activation_codes
    UNION ALL SELECT account_id, entity, entity_id, before, after FROM organizations
    UNION ALL SELECT account_id, entity, entity_id, before, after FROM exports
    UNION ALL SELECT account_id, entity, entity_id, before, after FROM memberships
    UNION ALL SELECT account_id, entity, entity_id, before, after FROM teams
    UNION ALL SELECT account_id, entity, entity_id, before, after FROM team_members
    UNION ALL SELECT account_id, entity, entity_id, before, after FROM team_links
    UNION ALL SELECT account_id, entity, entity_id, before, after FROM scim_events
    UNION ALL SELECT account_id, entity, entity_id, before, after FROM licenses
    UNION ALL SELECT account_id, entity, entity_id, before, after FROM members
    UNION ALL SELECT account_id, entity, entity_id, before, after FROM domains
    UNION ALL SELECT account_id, entity, entity_id, before, after FROM connections
  ) w
  UNION ALL
  SELECT c.account_id, c.entity, c.entity_id, c.before, c.after, c.reason, c.effective_at, v.undoes
  FROM (
    --include written-plan-change
  ) c
  JOIN reversed v ON v.account_id = c.account_id AND v.change_no::text = c.entity_id
),
marked AS (
  INSERT INTO lapse.undone (account_id, change_id, undo_run, entity, by_id)
  SELECT r.account_id, r.change_id, :'run_id'::bigint, w.entity, w.entity_id
  FROM written w
  JOIN undo_rows r
    ON r.account_id = w.account_id AND r.entity = w.entity AND r.entity_id = w.undoes
),
taken_back AS (
  DELETE FROM lapse.undone u
  USING written w
  WHERE u.undo_run = :'undo_run'::bigint
    AND u.account_id = w.account_id AND u.entity = w.entity AND u.by_id = w.undoes
),
--include audit
SELECT count(*) AS changed, 0::bigint AS torn
FROM audited
