-- B1: a line's customer_ref finds the account of a subscription, ended or not, with this
-- external reference, else the account with it. One that stands in several accounts finds none
-- of them.
INSERT INTO pg_temp.staged_customers (customer_ref, account_id, accounts)
SELECT f.customer_ref, CASE WHEN f.lowest = f.highest THEN f.lowest END,
       CASE WHEN f.lowest IS NULL THEN 0 WHEN f.lowest = f.highest THEN 1 ELSE 2 END
FROM (
  SELECT r.customer_ref, coalesce(min(s.account_id), min(a.account_id)) AS lowest,
         coalesce(max(s.account_id), max(a.account_id)) AS highest
  FROM (SELECT DISTINCT b.customer_ref FROM pg_temp.staged_lines b) r
  LEFT JOIN saas.subscriptions s ON s.external_ref = r.customer_ref
  LEFT JOIN saas.accounts a ON a.external_ref = r.customer_ref
  GROUP BY r.customer_ref
) f
