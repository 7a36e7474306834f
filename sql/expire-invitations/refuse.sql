-- An invitation that ends before all time: nobody can have meant it, so nothing is decided on it.
SELECT s.account_id, 'invitation ' || s.invitation_id || ' ends at -infinity' AS reason
FROM saas.invitations s
WHERE s.status = 'pending'
  AND (s.expires_at = '-infinity' OR s.expires_at IS NULL AND s.sent_at = '-infinity')
  AND
  --include account-range
  AND
  --include not-left-alone
ORDER BY s.account_id, s.invitation_id
LIMIT 1
