-- What the job looks at: active organizations with Git Sync on, or flagged. None is ever skipped.
SELECT count(*) AS looked_at, 0::bigint AS skipped
FROM saas.organizations s
WHERE s.status = 'active'
  AND (s.git_sync_enabled OR s.git_sync_over_limit_since IS NOT NULL)
  AND (s.deleted_at IS NULL OR s.deleted_at > :'as_of'::timestamptz)
  AND
  --include account-range
  AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
