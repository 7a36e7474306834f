-- Capture enabled before all time would take everybody who ever signed up: nobody can have meant
-- it, so nothing is decided on it.
SELECT s.account_id, 'capture of ' || d.domain || ' begins at -infinity' AS reason
FROM saas.accounts s
JOIN saas.domains d ON d.account_id = s.account_id
WHERE d.capture_enabled_at = '-infinity'
  AND
  --include capture-on
  AND
  --include account-range
  AND
  --include not-left-alone
ORDER BY s.account_id, d.domain COLLATE "C"
LIMIT 1
