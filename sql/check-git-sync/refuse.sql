-- Somebody who left before all time, where it decides how many there are: nobody can have meant it, so
-- nothing is decided on it.
SELECT s.account_id,
       'user ' || s.user_id || ' left organization ' || s.organization_id || ' at -infinity'
         AS reason
FROM saas.organization_members s
JOIN saas.organizations o
  ON o.account_id = s.account_id AND o.organization_id = s.organization_id
 AND o.status = 'active' AND o.git_sync_enabled
WHERE s.left_at = '-infinity'
  AND
  --include account-range
  AND
  --include not-left-alone
ORDER BY s.account_id, s.organization_id, s.user_id
LIMIT 1
