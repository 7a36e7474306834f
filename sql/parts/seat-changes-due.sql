-- D6: a change of seats is due when its instant has come, not while a trial is live (D5). One that
-- comes after the base's own lapse goes with the old base. Plans with seats of their own have none.
SELECT s.account_id, s.subscription_id, s.plan, s.seats, s.next_seats, s.next_seats_from
FROM saas.subscriptions s
JOIN saas.plans p ON p.plan = s.plan AND p.included_seats IS NULL
WHERE s.kind = 'base'
  AND s.status IN ('trialing', 'active', 'past_due')
  AND
  --include seat-change-come
  AND
  --include no-live-trial
  AND NOT
  --include lapses-before-seats
  AND
  --include account-range
  AND
  --include not-left-alone
