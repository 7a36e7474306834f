-- What the job looks at: live paid bases. D5: those that are overdue wait while a trial is live.
SELECT count(*) AS looked_at,
       count(*) FILTER (
         WHERE t.account_id IS NOT NULL
           AND (s.period_end <= :'as_of'::timestamptz - :'renewal_grace'::interval
                OR s.next_seats IS NOT NULL AND s.next_seats_from <= :'as_of'::timestamptz)
       ) AS skipped
FROM saas.subscriptions s
JOIN saas.plans p ON p.plan = s.plan AND p.fallback_plan IS NOT NULL
LEFT JOIN (
  SELECT l.account_id
  FROM saas.subscriptions l
  WHERE l.kind = 'trial' AND l.status IN ('trialing', 'active', 'past_due')
  GROUP BY l.account_id
) t ON t.account_id = s.account_id
WHERE s.kind = 'base' AND s.status IN ('trialing', 'active', 'past_due')
  AND
  --include account-range
  AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
