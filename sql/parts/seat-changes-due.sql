-- D6: a change of seats is due when its instant has come, not while a trial is live (D5). One that
-- comes after the base's own lapse goes with the old base. Plans with seats of their own have none.
SELECT s.account_id, s.subscription_id, s.plan, s.seats, s.next_seats, s.next_seats_from
FROM saas.subscriptions s
JOIN saas.plans p ON p.plan = s.plan AND p.included_seats IS NULL
WHERE s.kind = 'base'
  AND s.status IN ('trialing', 'active', 'past_due')
  AND s.next_seats IS NOT NULL
  AND s.next_seats_from <= :'as_of'::timestamptz
  AND NOT EXISTS (
    SELECT FROM saas.subscriptions l
    WHERE l.account_id = s.account_id AND l.kind = 'trial'
      AND l.status IN ('trialing', 'active', 'past_due'))
  AND NOT EXISTS (
    SELECT FROM lapsing d
    WHERE d.account_id = s.account_id AND d.subscription_id = s.subscription_id
      AND d.lapses_at < s.next_seats_from)
  AND
  --include account-range
  AND
  --include not-left-alone
