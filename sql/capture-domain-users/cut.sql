-- Who is to be captured, and where to cut it into batches of whole accounts: an account's free
-- seats are given out in one.
WITH
--include captures-due
,
weighed AS (
  SELECT d.account_id, 9223372036854775807 AS id, count(*) AS n
  FROM captures_due d
  WHERE d.has_seat
  GROUP BY d.account_id
),
--include cut
