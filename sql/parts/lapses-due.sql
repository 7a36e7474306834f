-- D1, D3, D4: a live paid base subscription whose period and grace have ended is due, past due or
-- not; a renewal has moved period_end already. D5: not while a trial is live.
-- It takes effect when the grace ends, but neither before it began nor, under T4, before the trial
-- over it had ended.
SELECT s.account_id, s.subscription_id, s.plan, s.channel, s.status, s.seats, s.period_months,
       s.period_end, s.cancel_at_period_end, s.next_plan, s.next_seats, s.next_seats_from,
       s.ended_at, s.end_reason, s.external_ref,
       greatest(s.period_end + :'renewal_grace'::interval, s.started_at, t.ended_at) AS lapses_at
FROM saas.subscriptions s
JOIN saas.plans p ON p.plan = s.plan AND p.fallback_plan IS NOT NULL
LEFT JOIN (
  SELECT e.account_id, max(e.ended_at) AS ended_at
  FROM saas.subscriptions e
  WHERE e.kind = 'trial' AND e.status = 'ended' AND e.ended_at <= :'as_of'::timestamptz
    AND e.end_reason IS DISTINCT FROM 'undone'
  GROUP BY e.account_id
) t ON t.account_id = s.account_id
WHERE s.kind = 'base'
  AND s.status IN ('trialing', 'active', 'past_due')
  AND
  --include period-over
  AND
  --include no-live-trial
  AND
  --include account-range
  AND
  --include not-left-alone
