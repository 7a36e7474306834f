-- Organizations over the Git Sync limit of their plan are flagged (G1), those that are not any more
-- are cleared (G2). G3: nobody is removed, and Git Sync is not switched off.
WITH
--include live-by-status
,
--include plan-in-force
,
--include git-sync-due
,
changed AS (
  UPDATE saas.organizations o
  SET git_sync_over_limit_since = d.new_since
  FROM git_sync_due d
  WHERE o.account_id = d.account_id AND o.organization_id = d.organization_id
    AND (o.status, o.git_sync_enabled, o.git_sync_over_limit_since, o.deleted_at)
        IS NOT DISTINCT FROM
        (d.status, d.git_sync_enabled, d.git_sync_over_limit_since, d.deleted_at)
  RETURNING d.account_id, d.organization_id, d.git_sync_over_limit_since, d.new_since
),
written AS (
  SELECT c.account_id, 'organizations' AS entity, c.organization_id::text AS entity_id,
         jsonb_build_object('git_sync_over_limit_since', c.git_sync_over_limit_since) AS before,
         jsonb_build_object('git_sync_over_limit_since', c.new_since) AS after,
         CASE WHEN c.new_since IS NULL THEN 'git_sync_within_limit'
              ELSE 'git_sync_over_limit' END AS reason,
         :'as_of'::timestamptz AS effective_at
  FROM changed c
),
--include audit
SELECT count(*) AS changed, 0::bigint AS torn
FROM audited
