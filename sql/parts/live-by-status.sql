-- Live subscriptions as change jobs judge them: what is not ended is live, an overdue trial too.
-- An account with several of a kind (`alike` above 1) breaks the model: nobody can say which plan is in
-- force, so none is, and no job decides by it.
live AS (
  SELECT k.account_id, :'as_of'::timestamptz AS at, k.subscription_id, k.kind, k.plan, k.seats,
         max(k.alike) OVER (PARTITION BY k.account_id) AS alike
  FROM (
    SELECT s.account_id, s.subscription_id, s.kind, s.plan, s.seats,
           count(*) OVER (PARTITION BY s.account_id, s.kind) AS alike
    FROM saas.subscriptions s
    WHERE s.status IN ('trialing', 'active', 'past_due')
      AND
      --include account-range
      AND
      --include not-left-alone
  ) k
)
