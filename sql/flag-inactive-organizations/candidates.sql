-- What the job looks at: every organization that is not deleted. None is ever skipped.
SELECT count(*) AS looked_at, 0::bigint AS skipped
FROM saas.organizations s
WHERE (s.deleted_at IS NULL OR s.deleted_at > :'as_of'::timestamptz)
  AND
  --include account-range
  AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
