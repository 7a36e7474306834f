-- Cuts the accounts into ranges for a dry run: the last account of each.
SELECT n.account_id
FROM (
  SELECT a.account_id, row_number() OVER (ORDER BY a.account_id) AS number,
         count(*) OVER () AS total
  FROM saas.accounts a
  WHERE :'accounts'::bigint[] IS NULL OR a.account_id = ANY (:'accounts'::bigint[])
) n
WHERE n.number % :'accounts_per_range'::bigint = 0 OR n.number = n.total
ORDER BY n.account_id
