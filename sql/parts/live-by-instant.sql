-- Live subscriptions as reports judge them, by the instants alone, at `judged (account_id, at)`.
-- The later one, then the lower id, speaks for an account that has several of a kind. What else there
-- is to know of a subscription stands here too, so that nobody has to look for it again.
live AS (
  SELECT j.account_id, j.at, s.subscription_id, s.kind, s.plan, s.seats, s.channel, s.status,
         s.unit_amount, s.currency, s.started_at, s.period_end, s.cancel_at_period_end,
         coalesce(s.trial_ends_at, s.started_at + interval '336 hours') AS trial_ends_at,
         row_number() OVER (PARTITION BY j.account_id, j.at, s.kind
                            ORDER BY s.started_at DESC, s.subscription_id) AS alike
  FROM judged j
  JOIN saas.subscriptions s ON s.account_id = j.account_id
  WHERE s.started_at <= j.at
    AND (s.ended_at IS NULL OR s.ended_at > j.at)
    AND (s.kind <> 'trial'
         OR coalesce(s.trial_ends_at, s.started_at + interval '336 hours') > j.at)
)
