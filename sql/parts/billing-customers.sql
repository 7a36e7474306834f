-- B1: a line's customer_ref finds the account of a subscription, ended or not, with this external
-- reference, else the account with it. One that stands in several accounts finds none of them.
referred AS (
  SELECT DISTINCT b.customer_ref
  FROM lapse.billing_staged b
),
referring AS (
  SELECT s.external_ref, 1 AS rank, s.account_id
  FROM saas.subscriptions s
  WHERE s.external_ref IN (SELECT r.customer_ref FROM referred r)
  UNION ALL
  SELECT a.external_ref, 2, a.account_id
  FROM saas.accounts a
  WHERE a.external_ref IN (SELECT r.customer_ref FROM referred r)
),
customers AS (
  SELECT DISTINCT ON (f.external_ref)
         f.external_ref AS customer_ref, f.account_id, f.accounts
  FROM (
    SELECT r.external_ref, r.rank, min(r.account_id) AS account_id,
           CASE WHEN min(r.account_id) = max(r.account_id) THEN 1 ELSE 2 END AS accounts
    FROM referring r
    GROUP BY r.external_ref, r.rank
  ) f
  ORDER BY f.external_ref, f.rank
)
