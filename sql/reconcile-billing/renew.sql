-- B3: the period ends where the paid line's does, and an unpaid subscription is paid. Run until nothing
-- is left: several periods may be paid in a row.
WITH
--include paid-until
,
renewing AS (
  --include renewals-due
),
renewed AS (
  UPDATE saas.subscriptions b
  SET period_end = r.renewed_until, status = 'active'
  FROM renewing r
  WHERE b.account_id = r.account_id AND b.subscription_id = r.subscription_id
    AND (b.status, b.plan, b.period_end, b.cancel_at_period_end)
        IS NOT DISTINCT FROM (r.status, r.plan, r.period_end, r.cancel_at_period_end)
  RETURNING r.account_id, r.subscription_id, r.status, r.period_end, r.renewed_until
),
written AS (
  SELECT r.account_id, 'subscriptions' AS entity, r.subscription_id::text AS entity_id,
         jsonb_build_object('period_end', r.period_end, 'status', r.status) AS before,
         jsonb_build_object('period_end', r.renewed_until, 'status', 'active') AS after,
         'renewed' AS reason, r.period_end AS effective_at
  FROM renewed r
),
--include audit
SELECT count(*) AS changed, 0::bigint AS torn
FROM audited
