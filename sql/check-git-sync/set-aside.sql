-- Accounts with organizations to judge of which nobody can tell the plan in force.
WITH
--include broken-base
,
broken AS (
  SELECT m.account_id, m.reason
  FROM model_broken m
  WHERE m.has_several
    AND EXISTS (
      SELECT FROM saas.organizations o
      WHERE o.account_id = m.account_id
        AND o.status = 'active'
        AND (o.git_sync_enabled OR o.git_sync_over_limit_since IS NOT NULL)
        AND (o.deleted_at IS NULL OR o.deleted_at > :'as_of'::timestamptz))
),
--include set-aside
