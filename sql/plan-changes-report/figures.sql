-- How often each reason led from which plan to which.
WITH
--include changes-of-the-month
SELECT c.reason || ': ' || c.from_plan || ' to ' || c.to_plan AS label, count(*) AS value
FROM changes_of_the_month c
GROUP BY c.reason, c.from_plan, c.to_plan
ORDER BY c.reason COLLATE "C", c.from_plan COLLATE "C", c.to_plan COLLATE "C"
