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
    WHERE b.account_id = m.account_id AND b.kind = 'base'
      AND b.status IN ('trialing', 'active', 'past_due')
      AND (p.fallback_plan IS NOT NULL
             AND b.period_end <= :'as_of'::timestamptz - :'renewal_grace'::interval
           OR b.next_seats IS NOT NULL AND b.next_seats_from <= :'as_of'::timestamptz))
     OR m.has_several
        AND (EXISTS (SELECT FROM saas.domains d WHERE d.account_id = m.account_id)
             OR EXISTS (SELECT FROM saas.scim_connections c WHERE c.account_id = m.account_id))
),
--include set-aside
