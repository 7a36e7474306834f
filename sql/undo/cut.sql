-- What is due to be put back, and where to cut it into batches of whole accounts.
WITH
--include undo-due
,
weighed AS (
  SELECT d.account_id, 9223372036854775807 AS id, count(*) AS n
  FROM undo_due d
  GROUP BY d.account_id
),
--include cut
