-- What the job looks at: every domain. None is ever skipped.
SELECT count(*) AS looked_at, 0::bigint AS skipped
FROM saas.domains s
WHERE
  --include account-range
  AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
