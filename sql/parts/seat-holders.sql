-- L1: who holds a seat at `judged (account_id, at)`: each distinct person, by lower-cased e-mail,
-- with a live license, or with a live invitation and no license there (I3: an overdue one holds
-- none, nor does one that was closed without saying when). Someone without e-mail is told apart by id.
seat_claims AS (
  SELECT j.account_id, j.at, coalesce(lower(u.email), 'user ' || u.user_id) AS person,
         true AS licensed, u.email, s.user_id, s.license_id AS id, s.source, s.granted_at AS since,
         NULL::timestamptz AS expires, false AS closed, false AS accepted
  FROM judged j
  JOIN saas.licenses s ON s.account_id = j.account_id
  JOIN saas.users u ON u.user_id = s.user_id
  WHERE s.granted_at <= j.at AND (s.revoked_at IS NULL OR s.revoked_at > j.at)
    AND
    --include account-range
  UNION ALL
  SELECT j.account_id, j.at, coalesce(lower(s.email), 'invitation ' || s.invitation_id),
         false, s.email, NULL, s.invitation_id, 'invitation', s.sent_at,
         coalesce(s.expires_at, s.sent_at + interval '720 hours'),
         s.status NOT IN ('pending', 'expired'), s.status = 'accepted'
  FROM judged j
  JOIN saas.invitations s ON s.account_id = j.account_id
  WHERE s.sent_at <= j.at
    AND coalesce(s.expires_at, s.sent_at + interval '720 hours') > j.at
    AND (s.status = 'pending' AND s.closed_at IS NULL OR s.closed_at > j.at)
    AND
    --include account-range
),
seat_holders AS (
  SELECT c.account_id, c.at, c.person, bool_or(c.licensed) AS licensed
  FROM seat_claims c
  GROUP BY c.account_id, c.at, c.person
)
