-- The renewals that are due, and where to cut them into batches of whole accounts.
WITH
--include paid-until
,
renewing AS (
  --include renewals-due
),
weighed AS (
  SELECT r.account_id, 9223372036854775807 AS id, count(*) AS n
  FROM renewing r
  GROUP BY r.account_id
),
--include cut
