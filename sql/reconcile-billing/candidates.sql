-- What the job looks at: live paid bases.
SELECT count(*) AS looked_at, 0::bigint AS skipped
FROM saas.subscriptions s
JOIN saas.plans p ON p.plan = s.plan AND p.fallback_plan IS NOT NULL
WHERE s.kind = 'base' AND s.status IN ('trialing', 'active', 'past_due')
  AND
  --include account-range
  AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
