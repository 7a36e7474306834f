-- Which month it is, and how often each reason led from which plan to which.
WITH
--include changes-of-the-month
SELECT f.label, f.value
FROM (
  SELECT 0 AS place, 'All of ' || to_char(m.begins AT TIME ZONE 'UTC', 'YYYY-MM') AS label,
         count(c.account_id) AS value
  FROM month m
  LEFT JOIN changes_of_the_month c ON true
  GROUP BY m.begins
  UNION ALL
  SELECT 1, c.reason || ': ' || c.from_plan || ' to ' || c.to_plan, count(*)
  FROM changes_of_the_month c
  GROUP BY c.reason, c.from_plan, c.to_plan
) f
ORDER BY f.place, f.label COLLATE "C"
