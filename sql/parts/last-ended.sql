-- O3: the subscription of each account that ended last; at the same instant trial, then Enterprise,
-- then Pro. What was undone never ended.
last_ended AS (
  SELECT DISTINCT ON (s.account_id)
         s.account_id, s.kind, s.plan, s.ended_at, p.inactivates_on_end
  FROM saas.subscriptions s
  JOIN saas.plans p ON p.plan = s.plan
  WHERE s.status = 'ended'
    AND s.ended_at <= :'as_of'::timestamptz
    AND s.end_reason IS DISTINCT FROM 'undone'
    AND
    --include account-range
  ORDER BY s.account_id, s.ended_at DESC, p.rank DESC, s.subscription_id
)
