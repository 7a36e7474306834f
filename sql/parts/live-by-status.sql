-- Live subscriptions as change jobs judge them: what is not ended is live, an overdue trial too.
live_rows AS (
  SELECT s.account_id, s.subscription_id, s.kind, s.plan, s.seats
  FROM saas.subscriptions s
  WHERE s.status IN ('trialing', 'active', 'past_due')
    AND
    --include account-range
    AND
    --include not-left-alone
),
--include live-alike
