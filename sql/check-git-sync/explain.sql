-- G1, G2 in words: active organizations with Git Sync on, or flagged; or the one that is asked for.
WITH
--include live-by-status
,
--include plan-in-force
,
--include plan-told
,
--include git-sync-due
,
people AS (
  SELECT m.account_id, m.organization_id,
         count(DISTINCT m.user_id) FILTER (WHERE m.joined_at <= :'as_of'::timestamptz
           AND (m.left_at IS NULL OR m.left_at > :'as_of'::timestamptz)) AS n,
         least(min(m.joined_at) FILTER (WHERE m.joined_at > :'as_of'::timestamptz),
               min(m.left_at) FILTER (WHERE m.left_at > :'as_of'::timestamptz)) AS changes_at
  FROM saas.organizations s
  JOIN saas.organization_members m
    ON m.account_id = s.account_id AND m.organization_id = s.organization_id
  WHERE
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
  GROUP BY m.account_id, m.organization_id
)
SELECT s.account_id, 'organizations' AS entity, s.organization_id::text AS entity_id,
       'organization ' || s.organization_id AS what,
       CASE WHEN s.git_sync_over_limit_since IS NULL THEN 'flag it' ELSE 'clear its flag' END
         AS action,
       c.condition, c.holds, c.figure, c.instant, c.place
FROM saas.organizations s
LEFT JOIN git_sync_counted g
  ON g.account_id = s.account_id AND g.organization_id = s.organization_id
LEFT JOIN plan_told t ON t.account_id = s.account_id
LEFT JOIN people n ON n.account_id = s.account_id AND n.organization_id = s.organization_id
CROSS JOIN LATERAL (
  VALUES
    (1, 'it is active', s.status = 'active', 'it is ' || s.status, NULL::timestamptz),
    (2, 'Git Sync is on', s.git_sync_enabled OR s.git_sync_over_limit_since IS NOT NULL,
     CASE WHEN s.git_sync_enabled THEN 'it is on' ELSE 'it is off' END, NULL),
    (3, 'somebody can tell the plan', g.account_id IS NOT NULL, t.told, t.ends_at),
    (4, CASE WHEN s.git_sync_over_limit_since IS NULL
             THEN 'the plan and the storage rules have a limit, which is exceeded'
             ELSE 'no limit is exceeded any more' END,
     g.is_over = (s.git_sync_over_limit_since IS NULL),
     coalesce(n.n, 0) || ' people, limit ' || coalesce(g.member_limit::text, 'none')
       || CASE WHEN n.changes_at IS NULL THEN '' ELSE ', next change' END,
     n.changes_at),
    (5, 'it is not deleted', s.deleted_at IS NULL OR s.deleted_at > :'as_of'::timestamptz,
     CASE WHEN s.deleted_at IS NOT NULL THEN 'deleted' END, s.deleted_at)
) c (place, condition, holds, figure, instant)
WHERE (s.organization_id::text = :'asked'::text
       OR :'asked'::text IS NULL AND s.status = 'active'
          AND (s.git_sync_enabled OR s.git_sync_over_limit_since IS NOT NULL)
          AND (s.deleted_at IS NULL OR s.deleted_at > :'as_of'::timestamptz))
  AND
  --include account-range
  AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
