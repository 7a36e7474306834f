-- V1: who is due to be captured: the people of a captured domain who signed up since (or earlier too,
-- where capture_existing says so) and never held a license in that account, whatever became of it.
-- V2: the free seats go to who signed up first, then to the lower id; who has a live invitation there
-- holds a seat already and needs none. `has_seat`: the others wait. Where nobody can say how many
-- seats were bought, none is free. Reads `captures` and `domain_people`.
unlicensed AS (
  SELECT s.account_id, s.purchased, p.domain, p.user_id, p.email, p.signed_up_at
  FROM captures s
  JOIN domain_people p
    ON p.account_id = s.account_id AND p.mail_domain = s.mail_domain AND p.signed_up_at >= s.since
  WHERE NOT EXISTS (
      SELECT FROM saas.licenses l WHERE l.account_id = p.account_id AND l.user_id = p.user_id)
    AND
    --include account-range
    AND
    --include not-left-alone
),
judged AS (
  SELECT DISTINCT n.account_id, :'as_of'::timestamptz AS at
  FROM unlicensed n
),
--include seats-taken
,
captures_due AS (
  SELECT n.account_id, n.domain, n.user_id, n.email, n.signed_up_at,
         h.person IS NOT NULL
           OR n.purchased = -1
           OR coalesce(row_number() OVER (PARTITION BY n.account_id, h.person IS NULL
                                          ORDER BY n.signed_up_at, n.user_id)
                       <= n.purchased - coalesce(t.taken, 0), false) AS has_seat
  FROM unlicensed n
  LEFT JOIN seats_taken t ON t.account_id = n.account_id
  LEFT JOIN seat_holders h ON h.account_id = n.account_id AND h.person = lower(n.email)
)
