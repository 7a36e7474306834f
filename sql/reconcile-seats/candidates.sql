-- What the job looks at: every account that there was. None is ever skipped.
SELECT count(*) AS looked_at, 0::bigint AS skipped
FROM saas.accounts s
WHERE s.created_at <= :'as_of'::timestamptz
  AND
  --include account-range
  AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
