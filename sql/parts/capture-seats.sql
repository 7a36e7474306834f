-- V2: the free seats go to who signed up first, then to the lower id; who has a live invitation
-- there holds a seat already and needs none. `has_seat`: the others wait. Where nobody can say how
-- many seats were bought, none is free. Reads `domain_people`. People and seats stand in one list
-- and are not joined: the planner cannot foretell how many there are, and a nested loop over both
-- would take hours.
uncaptured AS (
  SELECT p.account_id, p.purchased, p.domain, p.user_id, p.email, p.signed_up_at
  FROM domain_people p
  WHERE
    --include capture-due
),
judged AS (
  SELECT DISTINCT n.account_id, :'as_of'::timestamptz AS at
  FROM uncaptured n
),
--include seats-taken
,
captures_due AS (
  SELECT d.account_id, d.domain, d.user_id, d.email, d.signed_up_at,
         d.holds_one
           OR coalesce(d.purchased = -1
                       OR row_number() OVER (PARTITION BY d.account_id, d.holds_one
                                             ORDER BY d.signed_up_at, d.user_id)
                          <= d.purchased - d.taken, false) AS has_seat
  FROM (
    SELECT r.account_id, r.domain, r.user_id, r.email, r.signed_up_at, r.purchased,
           bool_or(r.held) OVER (PARTITION BY r.account_id, r.person) AS holds_one,
           count(*) FILTER (WHERE r.user_id IS NULL) OVER (PARTITION BY r.account_id) AS taken
    FROM (
      SELECT t.account_id, t.person, t.held, NULL::bigint AS user_id, NULL AS domain, NULL AS email,
             NULL::timestamptz AS signed_up_at, NULL::integer AS purchased
      FROM seats_taken t
      UNION ALL
      SELECT n.account_id, lower(n.email), false, n.user_id, n.domain, n.email, n.signed_up_at,
             n.purchased
      FROM uncaptured n
    ) r
  ) d
  WHERE d.user_id IS NOT NULL
)
