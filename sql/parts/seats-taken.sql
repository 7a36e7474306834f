-- Whose seats are taken, for capture: who holds one at `judged (account_id, at)` (L1, `held`), and
-- who has got one since: somebody was faster, and no seat is given twice. A seat released as unused
-- (L3) is free only after the as-of of its release, or a rerun for that as-of would find something to do.
--include seat-holders
,
seats_taken AS (
  SELECT t.account_id, t.person, bool_or(t.held) AS held
  FROM (
    SELECT h.account_id, h.person, true AS held
    FROM seat_holders h
    UNION ALL
    SELECT j.account_id, coalesce(lower(u.email), 'user ' || u.user_id), false
    FROM judged j
    JOIN saas.licenses l ON l.account_id = j.account_id
    JOIN saas.users u ON u.user_id = l.user_id
    WHERE l.granted_at > j.at AND l.revoked_at IS NULL
       OR l.revoked_at = j.at AND l.revoke_reason = 'unused'
    UNION ALL
    SELECT j.account_id, coalesce(lower(i.email), 'invitation ' || i.invitation_id), false
    FROM judged j
    JOIN saas.invitations i ON i.account_id = j.account_id
    WHERE i.sent_at > j.at AND i.status = 'pending' AND i.closed_at IS NULL
  ) t
  GROUP BY t.account_id, t.person
)
