-- How many seats are taken, for capture: those held at `judged (account_id, at)` (L1), and those that
-- somebody has taken since, who was faster: no seat is given twice.
--include seat-holders
,
seats_taken AS (
  SELECT t.account_id, count(DISTINCT t.person) AS taken
  FROM (
    SELECT h.account_id, h.person
    FROM seat_holders h
    UNION ALL
    SELECT j.account_id, coalesce(lower(u.email), 'user ' || u.user_id)
    FROM judged j
    JOIN saas.licenses l ON l.account_id = j.account_id
    JOIN saas.users u ON u.user_id = l.user_id
    WHERE l.granted_at > j.at AND l.revoked_at IS NULL
    UNION ALL
    SELECT j.account_id, coalesce(lower(i.email), 'invitation ' || i.invitation_id)
    FROM judged j
    JOIN saas.invitations i ON i.account_id = j.account_id
    WHERE i.sent_at > j.at AND i.status = 'pending' AND i.closed_at IS NULL
  ) t
  GROUP BY t.account_id
)
