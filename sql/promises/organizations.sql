-- Promise 5: no organization is inactive (by us) under a plan that supports it, none is active that
-- the rules make inactive.
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
WHERE
  --include not-left-by-anybody
ORDER BY s.account_id, s.organization_id
