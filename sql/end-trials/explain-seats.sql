-- T4, D6 in words: where the base lapses together with its trial, a change of seats due before that.
WITH
--include just-ended
,
lapsing AS (
  --include lapses-due
),
--include live-trial
,
--include trial-ended
SELECT s.account_id, 'subscriptions' AS entity, s.subscription_id::text AS entity_id,
       'base ' || s.subscription_id AS what, 'change its seats' AS action, c.condition, c.holds,
       c.figure, c.instant, c.place
FROM saas.subscriptions s
JOIN saas.plans p ON p.plan = s.plan
LEFT JOIN live_trial e ON e.account_id = s.account_id
LEFT JOIN trial_ended n ON n.account_id = s.account_id
CROSS JOIN LATERAL (
  VALUES
    (1, 'it lapses with its trial, which ends in this run',
     EXISTS (
       SELECT FROM lapsing d JOIN judged j ON j.account_id = d.account_id
       WHERE d.account_id = s.account_id AND d.subscription_id = s.subscription_id),
     'the trial ends', coalesce(e.ends_at, n.ends_at)),
    (2, 'its plan has no seats of its own', p.included_seats IS NULL, 'the plan is ' || s.plan,
     NULL),
    (3, 'the change of seats has come',
     --include seat-change-come
     , 'to ' || s.next_seats || ' seats from', s.next_seats_from),
    (4, 'it does not lapse before that', NOT
     --include lapses-before-seats
     , NULL, NULL)
) c (place, condition, holds, figure, instant)
WHERE s.kind = 'base'
  AND s.status IN ('trialing', 'active', 'past_due')
  AND s.next_seats IS NOT NULL
  AND (e.account_id IS NOT NULL OR n.account_id IS NOT NULL)
  AND (s.subscription_id::text = :'asked'::text OR :'asked'::text IS NULL)
  AND
  --include account-range
  AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
