-- Condition 4: an account has exactly one live base subscription.
SELECT a.account_id, count(s.subscription_id) || ' live base subscriptions' AS finding
FROM saas.accounts a
LEFT JOIN saas.subscriptions s
  ON s.account_id = a.account_id AND s.kind = 'base' AND s.status IN ('trialing', 'active', 'past_due')
GROUP BY a.account_id
HAVING count(s.subscription_id) <> 1
ORDER BY a.account_id
