-- A trial that ends before all time: nobody can have meant it, so nothing is decided on it.
SELECT s.account_id, 'trial ' || s.subscription_id || ' ends at -infinity' AS reason
FROM saas.subscriptions s
WHERE s.kind = 'trial'
  AND s.status IN ('trialing', 'active', 'past_due')
  AND (s.trial_ends_at = '-infinity' OR s.trial_ends_at IS NULL AND s.started_at = '-infinity')
  AND
  --include account-range
  AND
  --include not-left-alone
ORDER BY s.account_id, s.subscription_id
LIMIT 1
