-- Cuts the accounts into slices for large reports of changes, by how many changes the date has of
-- them: the last account of each. An account is never cut. More than sixteen slices gain nothing, and
-- each reads where all changes of the date are.
--   slice_rows  about how many changes a slice has, at least
WITH
--include runs-of-the-date
,
counted AS (
  SELECT c.account_id, count(*) AS n
  FROM changes c
  GROUP BY c.account_id
)
SELECT max(w.account_id) AS account_id
FROM (
  SELECT c.account_id,
         div(sum(c.n) OVER (ORDER BY c.account_id) - 1,
             greatest(:'slice_rows'::bigint, (sum(c.n) OVER ())::bigint / 16)) AS slice
  FROM counted c
) w
GROUP BY w.slice
ORDER BY 1
