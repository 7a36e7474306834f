-- Paid base subscriptions, live at as-of, whose period ends within `ahead` days: by the instant, days of
-- 24 h. One without an end, or with an endless one, never comes up; one whose period is over and that
-- nobody has renewed or ended is overdue. Held accounts are like any other. Brings `seats` along.
judged AS (
  SELECT DISTINCT s.account_id, :'as_of'::timestamptz AS at
  FROM saas.subscriptions s
  JOIN saas.plans p ON p.plan = s.plan AND p.fallback_plan IS NOT NULL
  WHERE s.kind = 'base'
    AND s.period_end <= :'as_of'::timestamptz + :'ahead'::integer * interval '24 hours'
    AND
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
),
--include seats
,
renewals AS (
  SELECT l.account_id, l.subscription_id, l.plan, l.channel,
         coalesce(p.included_seats, l.seats) AS seats, l.unit_amount, l.currency,
         l.period_end, coalesce(l.cancel_at_period_end, false) AS cancelled, l.status,
         CASE WHEN l.period_end <= l.at THEN 'overdue'
              WHEN l.period_end <= l.at + interval '720 hours' THEN 'within 30 days'
              WHEN l.period_end <= l.at + interval '1440 hours' THEN '31 to 60 days'
              ELSE '61 to 90 days' END AS band
  FROM live l
  JOIN saas.plans p ON p.plan = l.plan AND p.fallback_plan IS NOT NULL
  WHERE l.kind = 'base'
    AND l.period_end <= l.at + :'ahead'::integer * interval '24 hours'
)
