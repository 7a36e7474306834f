-- Accounts with a captured domain of which nobody can tell the plan in force.
WITH
--include broken-base
,
broken AS (
  SELECT m.account_id, m.reason
  FROM model_broken m
  WHERE m.has_several
    AND EXISTS (
      SELECT FROM saas.domains d
      WHERE d.account_id = m.account_id
        AND d.verified_at <= :'as_of'::timestamptz
        AND d.capture_enabled_at <= :'as_of'::timestamptz
        AND (d.suspended_at IS NULL OR d.suspended_at > :'as_of'::timestamptz))
),
--include set-aside
