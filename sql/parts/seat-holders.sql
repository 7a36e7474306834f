-- L1: who holds a seat at `judged (account_id, at)`: each distinct person, by lower-cased e-mail,
-- with a live license, or with a live invitation and no license there (I3: an overdue one holds
-- none, nor does one that was closed without saying when). Someone without e-mail is told apart by id.
seat_claims AS (
  SELECT j.account_id, j.at, coalesce(lower(u.email), 'user ' || u.user_id) AS person,
         true AS licensed
  FROM judged j
  JOIN saas.licenses l ON l.account_id = j.account_id
  JOIN saas.users u ON u.user_id = l.user_id
  WHERE l.granted_at <= j.at AND (l.revoked_at IS NULL OR l.revoked_at > j.at)
  UNION ALL
  SELECT j.account_id, j.at, coalesce(lower(i.email), 'invitation ' || i.invitation_id),
         false
  FROM judged j
  JOIN saas.invitations i ON i.account_id = j.account_id
  WHERE i.sent_at <= j.at
    AND coalesce(i.expires_at, i.sent_at + interval '720 hours') > j.at
    AND (i.status = 'pending' AND i.closed_at IS NULL OR i.closed_at > j.at)
),
seat_holders AS (
  SELECT c.account_id, c.at, c.person, bool_or(c.licensed) AS licensed
  FROM seat_claims c
  GROUP BY c.account_id, c.at, c.person
)
