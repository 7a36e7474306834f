-- Promise 5: no organization is inactive (by us) under a plan that supports it, none is active that
-- the rules make inactive. Accounts whose subscriptions have moved since the as-of are not judged: what
-- is in force is known of today only.
WITH
--include live-by-status
,
--include plan-in-force
,
--include organizations-due
SELECT s.account_id,
       'organization ' || s.organization_id || ' is ' || s.status || ' and should be '
         || s.new_status AS finding
FROM organizations_due s
WHERE NOT EXISTS (
    SELECT FROM saas.subscriptions m
    WHERE m.account_id = s.account_id
      AND (m.started_at > :'as_of'::timestamptz OR m.ended_at > :'as_of'::timestamptz))
  AND
  --include not-left-by-anybody
ORDER BY s.account_id, s.organization_id
