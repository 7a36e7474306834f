-- Promise 3: no live paid base subscription is past its period and grace without a live trial.
SELECT s.account_id, 'subscription ' || s.subscription_id || ' is live and lapsed' AS finding
FROM saas.subscriptions s
JOIN saas.plans p ON p.plan = s.plan AND p.fallback_plan IS NOT NULL
WHERE s.kind = 'base'
  AND s.status IN ('trialing', 'active', 'past_due')
  AND s.period_end + :'renewal_grace'::interval <= :'as_of'::timestamptz
  AND NOT EXISTS (
    SELECT FROM saas.subscriptions l
    WHERE l.account_id = s.account_id AND l.kind = 'trial' AND l.status IN ('trialing', 'active', 'past_due'))
  AND
  --include not-left-by-anybody
ORDER BY s.account_id, s.subscription_id
