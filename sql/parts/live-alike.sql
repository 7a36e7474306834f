-- How many live subscriptions of a kind an account has. With several (`alike` above 1) it breaks the
-- model: nobody can say which plan is in force, so none is, and no job decides by it. Reads `live_rows`.
live AS (
  SELECT k.account_id, :'as_of'::timestamptz AS at, k.subscription_id, k.kind, k.plan, k.seats,
         max(k.alike) OVER (PARTITION BY k.account_id) AS alike
  FROM (
    SELECT r.account_id, r.subscription_id, r.kind, r.plan, r.seats,
           count(*) OVER (PARTITION BY r.account_id, r.kind) AS alike
    FROM live_rows r
  ) k
)
