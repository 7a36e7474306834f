-- T4 in words: the base under a trial lapses with it.
WITH
--include just-ended
,
--include live-trial
,
--include trial-ended
SELECT s.account_id, 'subscriptions' AS entity, s.subscription_id::text AS entity_id,
       'base ' || s.subscription_id AS what, 'lapse it with the trial' AS action, c.condition,
       c.holds, c.figure, c.instant, c.place
FROM saas.subscriptions s
JOIN saas.plans p ON p.plan = s.plan
LEFT JOIN live_trial e ON e.account_id = s.account_id
LEFT JOIN trial_ended n ON n.account_id = s.account_id
CROSS JOIN LATERAL (
  VALUES
    (1, 'it is a paid plan', p.fallback_plan IS NOT NULL, 'the plan is ' || s.plan,
     NULL::timestamptz),
    (2, 'the trial over it ends in this run',
     n.account_id IS NOT NULL AND
     --include no-live-trial
     , 'it ends', coalesce(e.ends_at, n.ends_at)),
    (3, 'its own period and grace are over',
     --include period-over
     , 'they end', s.period_end + :'renewal_grace'::interval)
) c (place, condition, holds, figure, instant)
WHERE s.kind = 'base'
  AND s.status IN ('trialing', 'active', 'past_due')
  AND (e.account_id IS NOT NULL OR n.account_id IS NOT NULL)
  AND (s.subscription_id::text = :'asked'::text OR :'asked'::text IS NULL)
  AND
  --include account-range
  AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
