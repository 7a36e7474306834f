-- B3 in words: the live bases of paid plans, or the base that is asked for. What files hold that were
-- not imported yet is not known here.
WITH
--include paid-until
SELECT s.account_id, 'subscriptions' AS entity, s.subscription_id::text AS entity_id,
       'base ' || s.subscription_id AS what, 'renew it' AS action, c.condition, c.holds, c.figure,
       c.instant, c.place
FROM saas.subscriptions s
JOIN saas.plans p ON p.plan = s.plan
LEFT JOIN paid_until u ON u.account_id = s.account_id AND u.subscription_id = s.subscription_id
LEFT JOIN LATERAL (
  SELECT min(l.paid_at) AS paid_at
  FROM saas.billing_lines l
  WHERE l.account_id = s.account_id AND l.plan = s.plan AND l.status = 'paid'
    AND l.paid_at > :'as_of'::timestamptz AND l.period_end > s.period_end
) n ON true
CROSS JOIN LATERAL (
  VALUES
    (1, 'renewals are to be applied', :'apply_renewals'::boolean,
     CASE WHEN NOT :'apply_renewals'::boolean THEN 'apply_renewals is no' END,
     NULL::timestamptz),
    (2, 'it is live', s.status IN ('trialing', 'active', 'past_due'), 'it is ' || s.status, NULL),
    (3, 'it is a paid plan', p.fallback_plan IS NOT NULL, 'the plan is ' || s.plan, NULL),
    (4, 'it was not cancelled', NOT coalesce(s.cancel_at_period_end, false), NULL, NULL),
    (5, 'paid lines of its plan go on where its period ends', u.account_id IS NOT NULL,
     CASE WHEN u.account_id IS NOT NULL THEN 'paid until'
          WHEN n.paid_at IS NOT NULL THEN 'one is paid at'
          ELSE 'its period ends' END,
     coalesce(u.renewed_until, n.paid_at, s.period_end))
) c (place, condition, holds, figure, instant)
WHERE
--include asked-base
