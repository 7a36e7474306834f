-- Which month it is, and how often each reason led from which plan to which.
WITH
--include changes-of-the-month
,
counted AS (
  SELECT c.reason, c.from_plan, c.to_plan, count(*) AS n
  FROM changes_of_the_month c
  GROUP BY c.reason, c.from_plan, c.to_plan
)
SELECT f.label, f.value
FROM (
  SELECT 0 AS place, 'All of ' || to_char(m.begins AT TIME ZONE 'UTC', 'YYYY-MM') AS label,
         (SELECT coalesce(sum(c.n), 0)::bigint FROM counted c) AS value
  FROM month m
  UNION ALL
  SELECT 1, c.reason || ': ' || c.from_plan || ' to ' || c.to_plan, c.n
  FROM counted c
) f
ORDER BY f.place, f.label COLLATE "C"
