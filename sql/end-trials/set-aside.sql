-- Accounts with a trial to end whose base subscription, or trial, nobody can tell.
WITH
--include broken-base
,
broken AS (
  SELECT m.account_id, m.reason
  FROM model_broken m
  WHERE EXISTS (
    SELECT FROM saas.subscriptions t
    WHERE t.account_id = m.account_id AND t.kind = 'trial'
      AND t.status IN ('trialing', 'active', 'past_due')
      AND coalesce(t.trial_ends_at, t.started_at + interval '336 hours') <= :'as_of'::timestamptz)
),
--include set-aside
