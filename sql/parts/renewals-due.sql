-- The renewals that the job may carry out now. Reads `paid_until`.
SELECT s.account_id, s.subscription_id, s.plan, s.status, s.period_end, s.cancel_at_period_end,
       s.renewed_until
FROM (
  --include renewals-proven
) s
WHERE
--include not-left-alone
