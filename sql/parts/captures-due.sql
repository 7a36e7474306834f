-- V1, V2, V4: who is due to be captured, and whether a seat is free: `captures_due`.
--include captures
,
wanted AS (
  SELECT h.account_id, h.domain, h.mail_domain, h.captured_since AS since, h.captured_since,
         h.purchased
  FROM captures_here h
),
--include domain-people
,
--include capture-seats
