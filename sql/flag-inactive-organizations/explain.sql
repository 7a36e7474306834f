-- O1 to O4, O6 in words: organizations that are not deleted, or the one that is asked for.
WITH
--include live-by-status
,
--include plan-in-force
,
--include plan-told
,
--include last-ended
SELECT s.account_id, 'organizations' AS entity, s.organization_id::text AS entity_id,
       'organization ' || s.organization_id AS what,
       CASE WHEN s.status = 'active' THEN 'make it inactive' ELSE 'make it active again' END AS action,
       c.condition, c.holds, c.figure, c.instant, c.place
FROM saas.organizations s
LEFT JOIN plan_in_force f ON f.account_id = s.account_id
LEFT JOIN plan_told t ON t.account_id = s.account_id
LEFT JOIN last_ended e ON e.account_id = s.account_id
CROSS JOIN LATERAL (
  VALUES
    ('active', 1, 'the plan in force does not keep organizations active',
     NOT f.keeps_organizations_active, t.told, t.ends_at),
    ('active', 2, 'what ended last takes organizations with it', e.inactivates_on_end,
     CASE WHEN e.account_id IS NULL THEN 'nothing has ended' ELSE e.plan || ' ended' END, e.ended_at),
    ('active', 3, 'the organization was there then', s.created_at <= e.ended_at, 'it was made',
     s.created_at),
    ('active', 4, 'it is no personal workspace, or those lapse too',
     --include organization-may-lapse
     , NULL, NULL),
    ('inactive', 1, 'it was this job that made it inactive',
     --include inactivated-by-us
     , 'for ' || s.inactive_reason || ' since', s.inactive_since),
    ('inactive', 2, 'the plan in force keeps organizations active', f.keeps_organizations_active,
     t.told, t.ends_at),
    (s.status, 5, 'it is not deleted',
     s.deleted_at IS NULL OR s.deleted_at > :'as_of'::timestamptz,
     CASE WHEN s.deleted_at IS NOT NULL THEN 'deleted' END, s.deleted_at)
) c (status, place, condition, holds, figure, instant)
WHERE c.status = s.status
  AND (s.organization_id::text = :'asked'::text
       OR :'asked'::text IS NULL AND (s.deleted_at IS NULL OR s.deleted_at > :'as_of'::timestamptz))
  AND
  --include account-range
  AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
