-- Promise 1: no pending invitation is overdue.
SELECT s.account_id, 'invitation ' || s.invitation_id || ' is pending and overdue' AS finding
FROM saas.invitations s
WHERE s.status = 'pending'
  AND coalesce(s.expires_at, s.sent_at + interval '720 hours') <= :'as_of'::timestamptz
  AND
  --include not-left-by-anybody
ORDER BY s.account_id, s.invitation_id
