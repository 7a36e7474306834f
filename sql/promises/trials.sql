-- Promise 2: no live trial is over.
SELECT s.account_id, 'trial ' || s.subscription_id || ' is live and over' AS finding
FROM saas.subscriptions s
WHERE s.kind = 'trial'
  AND s.status IN ('trialing', 'active', 'past_due')
  AND coalesce(s.trial_ends_at, s.started_at + interval '336 hours') <= :'as_of'::timestamptz
  AND
  --include not-left-by-anybody
ORDER BY s.account_id, s.subscription_id
