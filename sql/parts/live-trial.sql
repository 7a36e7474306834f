-- The live trial of each account, by its status, and when it ends; the first to end, where there are
-- several.
live_trial AS (
  SELECT DISTINCT ON (t.account_id)
         t.account_id, t.subscription_id, t.started_at, t.ends_at, t.is_over
  FROM (
    SELECT s.account_id, s.subscription_id, s.started_at,
           coalesce(s.trial_ends_at, s.started_at + interval '336 hours') AS ends_at,
           --include trial-over
           AS is_over
    FROM saas.subscriptions s
    WHERE s.kind = 'trial'
      AND s.status IN ('trialing', 'active', 'past_due')
      AND
      --include account-range
      AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
  ) t
  ORDER BY t.account_id, t.ends_at, t.subscription_id
)
