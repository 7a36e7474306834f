-- V1, V2, V4: who is due to be captured, and whether a seat is free: `captures_due`.
--include captures
,
wanted AS (
  SELECT s.account_id, s.domain, s.mail_domain, s.since
  FROM captures s
  WHERE
    --include account-range
    AND
    --include not-left-alone
),
--include domain-people
,
--include capture-seats
