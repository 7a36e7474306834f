-- I1: a pending invitation is due 30 x 24 h after it was last sent. I5: no other status is judged.
SELECT s.account_id, s.invitation_id, s.status, s.sent_at, s.expires_at, s.closed_at,
       coalesce(s.expires_at, s.sent_at + interval '720 hours') AS lapsed_at
FROM saas.invitations s
WHERE s.status = 'pending'
  AND
  --include invitation-over
  AND
  --include invitation-range
  AND
  --include not-left-alone
