-- Accounts with more than one live subscription of a kind, or with no base to fall back on: nobody
-- can say which one is meant, so no job decides about them.
model_broken AS (
  SELECT s.account_id,
         CASE WHEN count(*) FILTER (WHERE s.kind = 'base') = 0
              THEN 'no live base subscription'
              WHEN count(*) FILTER (WHERE s.kind = 'base') > 1
              THEN count(*) FILTER (WHERE s.kind = 'base') || ' live base subscriptions'
              ELSE count(*) FILTER (WHERE s.kind = 'trial') || ' live trials' END AS reason,
         count(*) > count(DISTINCT s.kind) AS has_several
  FROM saas.subscriptions s
  WHERE s.status IN ('trialing', 'active', 'past_due')
    AND
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
    AND
    --include not-held
  GROUP BY s.account_id
  HAVING count(*) FILTER (WHERE s.kind = 'base') <> 1
      OR count(*) FILTER (WHERE s.kind = 'trial') > 1
)
