-- Cuts the accounts into slices for large reports, by how many licenses they have: the last account
-- of each. An account is never cut.
--   slice_rows  about how many licenses a slice has
SELECT max(w.account_id) AS account_id
FROM (
  SELECT l.account_id,
         div(sum(count(*)) OVER (ORDER BY l.account_id) - 1, :'slice_rows'::bigint) AS slice
  FROM saas.licenses l
  WHERE :'accounts'::bigint[] IS NULL OR l.account_id = ANY (:'accounts'::bigint[])
  GROUP BY l.account_id
) w
GROUP BY w.slice
ORDER BY 1
