-- D1, D4, D5 in words: the live bases of paid plans, or the base that is asked for.
WITH
--include live-trial
SELECT s.account_id, 'subscriptions' AS entity, s.subscription_id::text AS entity_id,
       'base ' || s.subscription_id AS what, 'lapse it' AS action, c.condition, c.holds, c.figure,
       c.instant, c.place
FROM saas.subscriptions s
JOIN saas.plans p ON p.plan = s.plan
LEFT JOIN live_trial e ON e.account_id = s.account_id
CROSS JOIN LATERAL (
  VALUES
    (1, 'it is live', s.status IN ('trialing', 'active', 'past_due'), 'it is ' || s.status,
     NULL::timestamptz),
    (2, 'it is a paid plan', p.fallback_plan IS NOT NULL, 'the plan is ' || s.plan, NULL),
    (3, 'its period and grace are over, not renewed',
     --include period-over
     , CASE WHEN s.cancel_at_period_end THEN 'cancelled; they end' ELSE 'they end' END,
     s.period_end + :'renewal_grace'::interval),
    (4, 'no trial is live over it',
     --include no-live-trial
     , 'trial ' || e.subscription_id || ' ends', e.ends_at)
) c (place, condition, holds, figure, instant)
WHERE
--include asked-base
