-- How many lines of the file are bad, and the first of them.
SELECT coalesce(f.bad, 0) AS bad, f.line, f.at, f.heading, f.reason
FROM (VALUES (1)) AS one (row)
LEFT JOIN (
  SELECT count(*) OVER () AS bad, b.line, b.at, b.heading, b.reason
  FROM pg_temp.staged_lines b
  WHERE b.reason IS NOT NULL
  ORDER BY b.line
  LIMIT 1
) f ON true
