-- T1, T5 in words: the live trials, and the base that a code takes the place of; or the one
-- subscription that is asked for.
WITH
--include live-trial
SELECT s.account_id, 'subscriptions' AS entity, s.subscription_id::text AS entity_id,
       'trial ' || s.subscription_id AS what, 'end it' AS action, c.condition, c.holds, c.figure,
       c.instant, c.place
FROM saas.subscriptions s
CROSS JOIN LATERAL (
  VALUES
    (1, 'it is live', s.status IN ('trialing', 'active', 'past_due'), 'it is ' || s.status,
     NULL::timestamptz),
    (2, '14 x 24 h have passed since its start',
     --include trial-over
     , 'it ends', coalesce(s.trial_ends_at, s.started_at + interval '336 hours'))
) c (place, condition, holds, figure, instant)
WHERE s.kind = 'trial'
  AND (s.subscription_id::text = :'asked'::text
       OR :'asked'::text IS NULL AND s.status IN ('trialing', 'active', 'past_due'))
  AND
  --include account-range
  AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
UNION ALL
SELECT s.account_id, 'subscriptions', s.subscription_id::text, 'base ' || s.subscription_id,
       'end it for a code', c.condition, c.holds, c.figure, c.instant, c.place
FROM saas.subscriptions s
JOIN live_trial e ON e.account_id = s.account_id
LEFT JOIN (
  SELECT e.account_id, count(*) AS codes
  FROM live_trial e
  JOIN saas.activation_codes c ON c.account_id = e.account_id
  WHERE
    --include code-of-trial
  GROUP BY e.account_id
) k ON k.account_id = s.account_id
CROSS JOIN LATERAL (
  VALUES
    (1, 'it is live', s.status IN ('trialing', 'active', 'past_due'), 'it is ' || s.status,
     NULL::timestamptz),
    (2, 'the trial over it is over', e.is_over, 'trial ' || e.subscription_id || ' ends', e.ends_at),
    (3, 'a code was verified during the trial, and is not redeemed', k.codes > 0,
     'there are ' || coalesce(k.codes, 0), NULL)
) c (place, condition, holds, figure, instant)
WHERE s.kind = 'base'
  AND (s.subscription_id::text = :'asked'::text
       OR :'asked'::text IS NULL AND s.status IN ('trialing', 'active', 'past_due'))
  AND
  --include account-range
  AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
