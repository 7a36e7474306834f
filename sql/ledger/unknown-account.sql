-- An account that was asked for and is not there.
SELECT n.account_id
FROM unnest(:'accounts'::bigint[]) AS n (account_id)
WHERE NOT EXISTS (SELECT FROM saas.accounts a WHERE a.account_id = n.account_id)
ORDER BY n.account_id
LIMIT 1
