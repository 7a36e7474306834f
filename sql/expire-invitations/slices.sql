-- Cuts the accounts into slices by how many lines of the report they have: the last account of each.
-- An account is never cut. Sixteen at the most: each reads where all changes of the date are.
--   slice_rows  about how many lines a slice has, at least
WITH
--include runs-of-the-date
,
counted AS (
  SELECT c.account_id, count(*) AS n
  FROM changes c
  WHERE c.entity = 'invitations' AND c.reason = 'invitation_expired'
  GROUP BY c.account_id
)
SELECT max(w.account_id) AS account_id
FROM (
  SELECT c.account_id,
         div(sum(c.n) OVER (ORDER BY c.account_id) - 1,
             greatest(:'slice_rows'::bigint, ceil(sum(c.n) OVER () / 16)::bigint)) AS slice
  FROM counted c
) w
GROUP BY w.slice
ORDER BY 1
