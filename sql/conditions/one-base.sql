-- Condition 4: an account has exactly one live base subscription; and at most one live trial.
SELECT a.account_id,
       count(s.subscription_id) FILTER (WHERE s.kind = 'base') || ' live base subscriptions, '
         || count(s.subscription_id) FILTER (WHERE s.kind = 'trial') || ' live trials' AS finding
FROM saas.accounts a
LEFT JOIN saas.subscriptions s
  ON s.account_id = a.account_id AND s.status IN ('trialing', 'active', 'past_due')
GROUP BY a.account_id
HAVING count(s.subscription_id) FILTER (WHERE s.kind = 'base') <> 1
    OR count(s.subscription_id) FILTER (WHERE s.kind = 'trial') > 1
ORDER BY a.account_id
