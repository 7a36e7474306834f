-- Who was captured, as the audit of the date has it; and who is due and still waits for a seat
-- (V2). The domain of someone captured is the account's, or else the address's, where that has changed.
WITH
--include runs-of-the-date
,
--include captures-due
,
captured AS (
  SELECT c.account_id, c.run_id, u.user_id, u.email, u.signed_up_at,
         --include email-domain
         AS mail_domain
  FROM changes c
  JOIN saas.users u ON u.user_id = (c.after ->> 'user_id')::bigint
  WHERE c.entity = 'licenses' AND c.reason = 'captured'
),
listed AS (
  SELECT c.account_id, coalesce(d.domain, c.mail_domain) AS domain, c.user_id, c.email,
         c.signed_up_at, 'captured' AS outcome, c.run_id
  FROM captured c
  LEFT JOIN LATERAL (
    SELECT n.domain
    FROM saas.domains n
    WHERE n.account_id = c.account_id AND lower(n.domain) = c.mail_domain
    ORDER BY n.capture_enabled_at, n.domain COLLATE "C"
    LIMIT 1
  ) d ON true
  UNION ALL
  SELECT b.account_id, b.domain, b.user_id, b.email, b.signed_up_at, 'blocked_no_seat', NULL
  FROM captures_due b
)
SELECT l.account_id, a.name AS account, l.domain, l.email, l.signed_up_at, l.outcome
FROM listed l
JOIN saas.accounts a ON a.account_id = l.account_id
ORDER BY l.account_id, l.domain COLLATE "C", l.user_id, l.run_id
