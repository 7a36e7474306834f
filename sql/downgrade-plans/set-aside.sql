-- Accounts with something due whose base subscription nobody can tell.
WITH
--include broken-base
,
broken AS (
  SELECT m.account_id, m.reason
  FROM model_broken m
  WHERE EXISTS (
    SELECT FROM saas.subscriptions b
    JOIN saas.plans p ON p.plan = b.plan
    WHERE b.account_id = m.account_id AND b.kind = 'base' AND b.status IN ('trialing', 'active', 'past_due')
      AND (p.fallback_plan IS NOT NULL
             AND b.period_end <= :'as_of'::timestamptz - :'renewal_grace'::interval
           OR b.next_seats IS NOT NULL AND b.next_seats_from <= :'as_of'::timestamptz))
),
--include set-aside
