-- D7: suspends domain capture, domain lock and SCIM where the plan in force has no Enterprise
-- controls, and lets them resume where it has. Nothing is deleted.
WITH
--include live-by-status
,
--include plan-in-force
,
--include controls-due
,
domains AS (
  UPDATE saas.domains d
  SET suspended_at = c.suspend_at
  FROM controls_due c
  WHERE c.entity = 'domains'
    AND d.account_id = c.account_id AND d.domain = c.entity_id
    AND (d.suspended_at, d.capture_enabled_at, d.lock_enabled_at)
        IS NOT DISTINCT FROM (c.suspended_at, c.capture_enabled_at, c.lock_enabled_at)
  RETURNING c.account_id, c.entity, c.entity_id, c.suspended_at, c.suspend_at, c.reason
),
connections AS (
  UPDATE saas.scim_connections k
  SET suspended_at = c.suspend_at
  FROM controls_due c
  WHERE c.entity = 'scim_connections'
    AND k.account_id = c.account_id AND k.provider = c.entity_id
    AND k.suspended_at IS NOT DISTINCT FROM c.suspended_at
  RETURNING c.account_id, c.entity, c.entity_id, c.suspended_at, c.suspend_at, c.reason
),
written AS (
  SELECT w.account_id, w.entity, w.entity_id,
         jsonb_build_object('suspended_at', w.suspended_at) AS before,
         jsonb_build_object('suspended_at', w.suspend_at) AS after,
         w.reason, coalesce(w.suspend_at, :'as_of'::timestamptz) AS effective_at
  FROM (
    SELECT account_id, entity, entity_id, suspended_at, suspend_at, reason FROM domains
    UNION ALL
    SELECT account_id, entity, entity_id, suspended_at, suspend_at, reason FROM connections
  ) w
),
--include audit
SELECT count(*) AS changed, 0::bigint AS torn
FROM audited
