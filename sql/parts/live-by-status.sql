-- Live subscriptions as change jobs judge them: what is not ended is live, an overdue trial too.
-- `alike` above 1 breaks the model: nobody can say which of them is in force.
live AS (
  SELECT s.account_id, :'as_of'::timestamptz AS at, s.subscription_id, s.kind, s.plan, s.seats,
         count(*) OVER (PARTITION BY s.account_id, s.kind) AS alike
  FROM saas.subscriptions s
  WHERE s.status IN ('trialing', 'active', 'past_due')
    AND
    --include account-range
    AND
    --include not-left-alone
)
