-- The trials that ended in this run. Reads `judged`, of just-ended.
trial_ended AS (
  SELECT s.account_id, max(s.ended_at) AS ends_at
  FROM saas.subscriptions s
  JOIN judged j ON j.account_id = s.account_id
  WHERE s.kind = 'trial' AND s.status = 'ended' AND s.ended_at <= :'as_of'::timestamptz
  GROUP BY s.account_id
)
