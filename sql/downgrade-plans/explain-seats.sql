-- D5, D6 in words: scheduled changes of seats.
WITH lapsing AS (
  --include lapses-due
),
--include live-trial
SELECT s.account_id, 'subscriptions' AS entity, s.subscription_id::text AS entity_id,
       'base ' || s.subscription_id AS what, 'change its seats' AS action, c.condition, c.holds,
       c.figure, c.instant, c.place
FROM saas.subscriptions s
JOIN saas.plans p ON p.plan = s.plan
LEFT JOIN live_trial e ON e.account_id = s.account_id
CROSS JOIN LATERAL (
  VALUES
    (1, 'it is live', s.status IN ('trialing', 'active', 'past_due'), 'it is ' || s.status,
     NULL::timestamptz),
    (2, 'its plan has no seats of its own', p.included_seats IS NULL, 'the plan is ' || s.plan,
     NULL),
    (3, 'the change of seats has come',
     --include seat-change-come
     , 'to ' || s.next_seats || ' seats from', s.next_seats_from),
    (4, 'no trial is live over it',
     --include no-live-trial
     , 'trial ' || e.subscription_id || ' ends', e.ends_at),
    (5, 'it does not lapse before that', NOT
     --include lapses-before-seats
     , NULL, NULL)
) c (place, condition, holds, figure, instant)
WHERE s.kind = 'base'
  AND s.next_seats IS NOT NULL
  AND (s.subscription_id::text = :'asked'::text
       OR :'asked'::text IS NULL AND s.status IN ('trialing', 'active', 'past_due'))
  AND
  --include account-range
  AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
