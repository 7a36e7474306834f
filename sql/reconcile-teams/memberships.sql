-- M1, M2: memberships follow the teams' links: those missing are added, those without a source end, a
-- role that is not the teams' any more ends and begins anew. Whatever somebody changes meanwhile stays.
WITH
--include scim-expired
,
--include scim-told
,
--include scim-due
,
--include memberships-due
,
gone AS (
  UPDATE saas.organization_members o
  SET left_at = coalesce(d.source_ended_at, :'as_of'::timestamptz)
  FROM memberships_leaving d
  WHERE o.account_id = d.account_id AND o.organization_id = d.organization_id
    AND o.user_id = d.user_id AND o.via = 'team' AND o.joined_at = d.joined_at
    AND (o.role, o.left_at) IS NOT DISTINCT FROM (d.role, d.left_at)
  RETURNING d.account_id, d.organization_id, d.user_id, d.joined_at, d.left_at, d.new_role,
            o.left_at AS ends_at
),
come AS (
  INSERT INTO saas.organization_members (account_id, organization_id, user_id, via, joined_at, role)
  SELECT j.account_id, j.organization_id, j.user_id, 'team', j.joined_at, j.role
  FROM memberships_joining j
  WHERE NOT j.changes_role
  ON CONFLICT DO NOTHING
  RETURNING account_id, organization_id, user_id, via, joined_at, role
),
turned AS (
  INSERT INTO saas.organization_members (account_id, organization_id, user_id, via, joined_at, role)
  SELECT DISTINCT g.account_id, g.organization_id, g.user_id, 'team', :'as_of'::timestamptz,
         g.new_role
  FROM gone g
  WHERE g.new_role IS NOT NULL
  ON CONFLICT DO NOTHING
  RETURNING account_id, organization_id, user_id, via, joined_at, role
),
written AS (
  SELECT g.account_id, 'organization_members' AS entity,
         concat_ws('/', g.organization_id, g.user_id, 'team', g.joined_at) AS entity_id,
         jsonb_build_object('left_at', g.left_at) AS before,
         jsonb_build_object('left_at', g.ends_at) AS after,
         CASE WHEN g.new_role IS NULL THEN 'ended' ELSE 'role_changed' END AS reason,
         g.ends_at AS effective_at
  FROM gone g
  UNION ALL
  SELECT n.account_id, 'organization_members',
         concat_ws('/', n.organization_id, n.user_id, n.via, n.joined_at), NULL,
         jsonb_build_object('account_id', n.account_id, 'organization_id', n.organization_id,
                            'user_id', n.user_id, 'via', n.via, 'joined_at', n.joined_at,
                            'role', n.role),
         n.reason, n.joined_at
  FROM (
    SELECT account_id, organization_id, user_id, via, joined_at, role, 'added' AS reason
    FROM come
    UNION ALL
    SELECT account_id, organization_id, user_id, via, joined_at, role, 'role_changed'
    FROM turned
  ) n
),
--include audit
SELECT count(*) AS changed, 0::bigint AS torn
FROM audited
