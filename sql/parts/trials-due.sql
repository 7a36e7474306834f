-- T1: a trial is due 14 x 24 h after its start, unless it says its end itself.
SELECT s.account_id, s.subscription_id, s.plan, s.seats, s.status, s.started_at, s.trial_ends_at,
       s.ended_at, s.end_reason,
       coalesce(s.trial_ends_at, s.started_at + interval '336 hours') AS ends_at
FROM saas.subscriptions s
WHERE s.kind = 'trial'
  AND s.status IN ('trialing', 'active', 'past_due')
  AND
  --include trial-over
  AND
  --include account-range
  AND
  --include not-left-alone
