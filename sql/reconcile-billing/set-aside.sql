-- Accounts with several live bases, one of which a paid line would renew: nobody can tell which.
WITH
--include broken-base
,
--include paid-until
,
renewing AS (
  --include renewals-proven
),
broken AS (
  SELECT m.account_id, m.reason
  FROM model_broken m
  WHERE EXISTS (SELECT FROM renewing r WHERE r.account_id = m.account_id)
),
--include set-aside
