-- A period or a change of seats before all time: nobody can have meant it, so nothing is decided on
-- it.
SELECT s.account_id,
       'subscription ' || s.subscription_id || ' has a period or a change of seats at -infinity'
         AS reason
FROM saas.subscriptions s
WHERE s.kind = 'base'
  AND s.status IN ('trialing', 'active', 'past_due')
  AND (s.period_end = '-infinity' OR s.next_seats_from = '-infinity')
  AND
  --include account-range
  AND
  --include not-left-alone
ORDER BY s.account_id, s.subscription_id
LIMIT 1
