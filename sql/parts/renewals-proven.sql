-- B3: what is paid beyond its period is renewed, where that is wanted. One that was cancelled is left
-- to a person. Reads `paid_until`.
SELECT s.account_id, s.subscription_id, s.plan, s.status, s.period_end, s.cancel_at_period_end,
       u.renewed_until
FROM paid_until u
JOIN saas.subscriptions s
  ON s.account_id = u.account_id AND s.subscription_id = u.subscription_id
WHERE :'apply_renewals'::boolean
  AND NOT coalesce(s.cancel_at_period_end, false)
