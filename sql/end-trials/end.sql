-- Ends the trials that are due (T1): the account is back on its base subscription (T3), or, where a
-- code was verified during the trial, on the plan the code brings in the base's place (T5); of
-- several the one issued last, of two issued at once the one with the greater hash.
WITH ending AS (
  --include trials-due
),
code AS (
  SELECT DISTINCT ON (c.account_id)
         c.account_id, c.code_hash, c.plan, c.seats, c.period_end, c.verified_at
  FROM ending e
  JOIN saas.activation_codes c ON c.account_id = e.account_id
  WHERE
    --include code-of-trial
  ORDER BY c.account_id, c.issued_at DESC, c.code_hash COLLATE "C" DESC
),
base AS (
  SELECT b.account_id, b.subscription_id, b.plan, b.seats, b.status, b.ended_at, b.end_reason
  FROM (
    SELECT s.account_id, s.subscription_id, s.plan, s.seats, s.status, s.ended_at, s.end_reason,
           count(*) OVER (PARTITION BY s.account_id) AS alike
    FROM ending e
    JOIN saas.subscriptions s ON s.account_id = e.account_id
    WHERE s.kind = 'base' AND s.status IN ('trialing', 'active', 'past_due')
  ) b
  WHERE b.alike = 1
),
ended_trial AS (
  UPDATE saas.subscriptions t
  SET status = 'ended', ended_at = e.ends_at, end_reason = 'trial_ended'
  FROM ending e
  JOIN base b ON b.account_id = e.account_id
  WHERE t.account_id = e.account_id AND t.subscription_id = e.subscription_id
    AND (t.status, t.plan, t.seats, t.started_at, t.trial_ends_at)
        IS NOT DISTINCT FROM (e.status, e.plan, e.seats, e.started_at, e.trial_ends_at)
  RETURNING e.account_id, e.subscription_id, e.plan, e.seats, e.status, e.ended_at, e.end_reason,
            e.ends_at
),
outcome AS (
  SELECT t.account_id, t.ends_at, t.plan AS from_plan,
         coalesce(p.included_seats, t.seats) AS from_seats,
         coalesce(c.plan, b.plan) AS to_plan,
         coalesce(n.included_seats, CASE WHEN c.code_hash IS NULL THEN b.seats ELSE c.seats END)
           AS to_seats,
         CASE WHEN c.code_hash IS NULL THEN 'trial_ended' ELSE 'trial_ended_to_code' END AS reason,
         c.code_hash, c.seats AS code_seats, c.period_end, c.verified_at,
         b.subscription_id AS base_id, b.status AS base_status,
         b.ended_at AS base_ended_at, b.end_reason AS base_end_reason
  FROM ended_trial t
  JOIN base b ON b.account_id = t.account_id
  LEFT JOIN code c ON c.account_id = t.account_id
  JOIN saas.plans p ON p.plan = t.plan
  JOIN saas.plans n ON n.plan = coalesce(c.plan, b.plan)
),
replaced_base AS (
  UPDATE saas.subscriptions b
  SET status = 'ended', ended_at = o.ends_at, end_reason = 'replaced_by_code'
  FROM outcome o
  WHERE o.code_hash IS NOT NULL
    AND b.account_id = o.account_id AND b.subscription_id = o.base_id
    AND b.status = o.base_status
  RETURNING o.account_id, b.subscription_id, o.base_status, o.base_ended_at, o.base_end_reason,
            o.ends_at, o.reason
),
redeemed AS (
  UPDATE saas.activation_codes a
  SET redeemed_at = o.ends_at
  FROM outcome o
  WHERE a.account_id = o.account_id AND a.code_hash = o.code_hash
    AND a.verified_at = o.verified_at
    AND a.redeemed_at IS NULL
  RETURNING a.account_id, a.code_hash, a.redeemed_at, o.reason
),
code_base AS (
  INSERT INTO saas.subscriptions (account_id, kind, plan, channel, status, seats, period_months,
                                  started_at, period_end)
  SELECT o.account_id, 'base', o.to_plan, 'sales', 'active', o.code_seats, 12, o.ends_at,
         o.period_end
  FROM outcome o
  WHERE o.code_hash IS NOT NULL
  RETURNING account_id, subscription_id, kind, plan, channel, status, seats, period_months,
            started_at, period_end
),
planned AS (
  SELECT o.account_id, o.from_plan, o.to_plan, o.from_seats, o.to_seats, o.reason,
         o.ends_at AS effective_at
  FROM outcome o
),
--include plan-change
,
written AS (
  SELECT t.account_id, 'subscriptions' AS entity, t.subscription_id::text AS entity_id,
         jsonb_build_object('status', t.status, 'ended_at', t.ended_at,
                            'end_reason', t.end_reason) AS before,
         jsonb_build_object('status', 'ended', 'ended_at', t.ends_at,
                            'end_reason', 'trial_ended') AS after,
         o.reason, t.ends_at AS effective_at
  FROM ended_trial t
  JOIN outcome o ON o.account_id = t.account_id
  UNION ALL
  SELECT b.account_id, 'subscriptions', b.subscription_id::text,
         jsonb_build_object('status', b.base_status, 'ended_at', b.base_ended_at,
                            'end_reason', b.base_end_reason),
         jsonb_build_object('status', 'ended', 'ended_at', b.ends_at,
                            'end_reason', 'replaced_by_code'),
         b.reason, b.ends_at
  FROM replaced_base b
  UNION ALL
  SELECT n.account_id, 'subscriptions', n.subscription_id::text, NULL,
         jsonb_build_object('account_id', n.account_id, 'kind', n.kind, 'plan', n.plan,
                            'channel', n.channel, 'status', n.status, 'seats', n.seats,
                            'period_months', n.period_months, 'started_at', n.started_at,
                            'period_end', n.period_end),
         'trial_ended_to_code', n.started_at
  FROM code_base n
  UNION ALL
  SELECT r.account_id, 'activation_codes', r.code_hash,
         jsonb_build_object('redeemed_at', NULL),
         jsonb_build_object('redeemed_at', r.redeemed_at), r.reason, r.redeemed_at
  FROM redeemed r
  UNION ALL
  --include written-plan-change
),
--include audit
,
torn AS (
  SELECT o.account_id
  FROM outcome o
  LEFT JOIN replaced_base b ON b.account_id = o.account_id
  LEFT JOIN redeemed r ON r.account_id = o.account_id
  WHERE o.code_hash IS NOT NULL AND (b.account_id IS NULL OR r.account_id IS NULL)
)
SELECT count(*) AS changed, (SELECT count(*) FROM torn) AS torn
FROM audited
