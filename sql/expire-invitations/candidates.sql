-- What the job looks at: pending invitations. None is ever skipped.
SELECT count(*) AS looked_at, 0::bigint AS skipped
FROM saas.invitations s
WHERE s.status = 'pending'
  AND
  --include account-range
  AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
