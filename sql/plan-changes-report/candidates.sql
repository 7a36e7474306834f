-- What the report lists: the plan changes of the month.
WITH
--include changes-of-the-month
SELECT count(*) AS looked_at, 0::bigint AS skipped
FROM changes_of_the_month
