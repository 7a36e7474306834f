-- B3: up to when a live base subscription of a paid plan has been paid by as-of, without a gap: by paid
-- lines of its plan that begin by the end of its period and end after it. The line is the
-- subscription's by its reference, or by none that belongs to another one of the account. What was paid
-- for a period is what its paid lines and credits come to, a credit that names no plan among them:
-- nothing proves nothing, except where nothing is the price; a line without an amount proves.
paid_periods AS (
  SELECT s.account_id, s.subscription_id, l.period_end AS paid_until
  FROM saas.subscriptions s
  JOIN saas.plans p ON p.plan = s.plan AND p.fallback_plan IS NOT NULL
  JOIN saas.billing_lines l ON l.account_id = s.account_id
  WHERE s.kind = 'base'
    AND s.status IN ('trialing', 'active', 'past_due')
    AND isfinite(s.period_end)
    AND l.status = 'paid'
    AND (l.paid_at IS NULL OR l.paid_at <= :'as_of'::timestamptz)
    AND (l.plan = s.plan OR l.plan IS NULL AND l.amount < 0)
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
  GROUP BY s.account_id, s.subscription_id, s.unit_amount, l.currency, l.period_start, l.period_end
  HAVING bool_or(l.amount IS NULL)
      OR sum(l.amount) > 0
      OR sum(l.amount) = 0 AND s.unit_amount = 0
),
paid_until AS (
  SELECT p.account_id, p.subscription_id, max(p.paid_until) AS renewed_until
  FROM paid_periods p
  GROUP BY p.account_id, p.subscription_id
)
