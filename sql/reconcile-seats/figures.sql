-- The tie-out of all accounts together, as the sheet Summary shows it.
WITH
--include previous-snapshot
,
--include seats
,
--include seat-people
,
--include seat-movement
,
--include tie-outs
,
came_and_went AS (
  SELECT k.cause, sum(k.step)::bigint AS seats
  FROM people_moved k
  GROUP BY k.cause
  UNION ALL
  SELECT 'again', -sum(t.again)::bigint
  FROM seat_totals t
),
now AS (
  SELECT sum(t.used) FILTER (WHERE t.day IS NOT NULL) AS known,
         sum(t.used) FILTER (WHERE t.day IS NULL) AS new
  FROM seat_totals t
)
SELECT f.label, coalesce(f.value, 0)::bigint AS value
FROM (
  SELECT 1 AS place, 'Used at the snapshots before' AS label, (SELECT sum(used) FROM previous) AS value
  UNION ALL
  SELECT c.place, c.label, (SELECT m.seats FROM came_and_went m WHERE m.cause = c.cause)
  FROM (VALUES (2, 'granted', 'Came since: licenses granted'),
               (3, 'captured', 'Came since: captured'),
               (4, 'invited', 'Came since: invited'),
               (5, 'again', 'Less: invited again, held a seat before'),
               (6, 'revoked', 'Went since: licenses revoked'),
               (7, 'expired', 'Went since: invitations expired'),
               (8, 'withdrawn', 'Went since: invitations withdrawn')) AS c (place, cause, label)
  UNION ALL
  SELECT 9, 'Used now in these accounts', (SELECT known FROM now)
  UNION ALL
  SELECT 10, 'Used now in accounts without an earlier snapshot', (SELECT new FROM now)
  UNION ALL
  SELECT 11, 'Tie-outs that hold', (SELECT count(*) FROM tie_outs WHERE holds)
  UNION ALL
  SELECT 12, 'Tie-outs that do not hold', (SELECT count(*) FROM tie_outs WHERE NOT holds)
) f
ORDER BY f.place
