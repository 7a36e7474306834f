-- Capture enabled before all time would take everybody who ever signed up: nobody can have meant it,
-- so nothing is decided on it.
SELECT s.account_id, 'capture of ' || s.domain || ' begins at -infinity' AS reason
FROM saas.domains s
WHERE s.capture_enabled_at = '-infinity'
  AND s.verified_at <= :'as_of'::timestamptz
  AND (s.suspended_at IS NULL OR s.suspended_at > :'as_of'::timestamptz)
  AND
  --include account-range
  AND
  --include not-left-alone
ORDER BY s.account_id, s.domain COLLATE "C"
LIMIT 1
