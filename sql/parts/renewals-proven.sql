-- B3: a live paid base subscription is renewed where a paid line of its plan goes on where its period
-- ends, without a gap: begun by then, ended after. The line is the subscription's by its reference,
-- or by none that belongs to another one of the account. One that was cancelled is left to a person.
SELECT s.account_id, s.subscription_id, s.plan, s.status, s.period_end, s.cancel_at_period_end,
       max(l.period_end) AS renewed_until
FROM saas.subscriptions s
JOIN saas.plans p ON p.plan = s.plan AND p.fallback_plan IS NOT NULL
JOIN saas.billing_lines l ON l.account_id = s.account_id
WHERE :'apply_renewals'::boolean
  AND s.kind = 'base'
  AND s.status IN ('trialing', 'active', 'past_due')
  AND isfinite(s.period_end)
  AND NOT coalesce(s.cancel_at_period_end, false)
  AND l.status = 'paid'
  AND (l.paid_at IS NULL OR l.paid_at <= :'as_of'::timestamptz)
  AND (l.amount IS NULL OR l.amount >= 0)
  AND l.plan = s.plan
  AND l.period_start <= s.period_end
  AND l.period_end > s.period_end
  AND isfinite(l.period_end)
  AND (l.external_ref IS NOT DISTINCT FROM s.external_ref
       OR NOT EXISTS (
         SELECT FROM saas.subscriptions o
         WHERE o.account_id = s.account_id AND o.external_ref = l.external_ref))
  AND
  --include account-range
  AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
GROUP BY s.account_id, s.subscription_id, s.plan, s.status, s.period_end, s.cancel_at_period_end
