-- What the job looks at: live trials. None is ever skipped.
SELECT count(*) AS looked_at, 0::bigint AS skipped
FROM saas.subscriptions s
WHERE s.kind = 'trial' AND s.status IN ('trialing', 'active', 'past_due')
  AND
  --include account-range
  AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
