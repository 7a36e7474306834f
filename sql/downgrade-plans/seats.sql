-- D6: scheduled changes of seats, before the lapses of the same run.
WITH lapsing AS (
  --include lapses-due
),
--include all-accounts
,
seats_judged AS (
  SELECT account_id FROM judged
),
--include change-seats
