-- An admin who was faster wins: no lock and no unique index keeps somebody from granting the same
-- person a license, or the last seat to somebody else, while the statement before this one ran. So
-- what it wrote is looked at once more, and the batch is tried again over what there is now, where
-- somebody captured holds another license too or is no member, where the account is over its seats
-- (unless all it captured had an invitation), or where it captures no more.
WITH
--include captures
,
captured AS (
  SELECT s.account_id, u.user_id, lower(u.email) AS person
  FROM lapse.changes s
  JOIN saas.users u ON u.user_id = (s.after ->> 'user_id')::bigint
  WHERE s.run_id = :'run_id'::bigint
    AND s.batch_no = :'batch_no'::integer
    AND s.entity = 'licenses'
    AND
    --include account-range
),
judged AS (
  SELECT DISTINCT c.account_id, :'as_of'::timestamptz AS at
  FROM captured c
),
--include seats-taken
,
people AS (
  SELECT r.account_id, r.person, bool_or(r.taken) AS taken, bool_or(r.captured) AS captured,
         bool_or(r.invited) AS invited
  FROM (
    SELECT t.account_id, t.person, true AS taken, false AS captured, false AS invited
    FROM seats_taken t
    UNION ALL
    SELECT c.account_id, c.person, false, true, false
    FROM captured c
    UNION ALL
    SELECT i.account_id, i.person, false, false, true
    FROM seat_claims i
    WHERE NOT i.licensed
  ) r
  GROUP BY r.account_id, r.person
),
accounts AS (
  SELECT r.account_id, bool_or(r.captures) AS captures, max(r.purchased) AS purchased,
         count(*) FILTER (WHERE r.taken) AS taken,
         bool_or(r.captured) AS captured, bool_or(r.captured AND NOT r.invited) AS took_seats
  FROM (
    SELECT p.account_id, false AS captures, NULL::integer AS purchased, p.taken, p.captured,
           p.invited
    FROM people p
    UNION ALL
    SELECT s.account_id, true, s.purchased, false, false, false
    FROM captures s
  ) r
  GROUP BY r.account_id
),
overtaken AS (
  SELECT a.account_id
  FROM accounts a
  WHERE a.captured
    AND (NOT a.captures
         OR a.took_seats AND a.purchased IS DISTINCT FROM -1 AND a.taken > coalesce(a.purchased, 0))
  UNION
  SELECT c.account_id
  FROM captured c
  WHERE (SELECT count(*) FROM saas.licenses l
         WHERE l.account_id = c.account_id AND l.user_id = c.user_id) <> 1
     OR NOT EXISTS (
       SELECT FROM saas.account_members m
       WHERE m.account_id = c.account_id AND m.user_id = c.user_id
         AND (m.left_at IS NULL OR m.left_at > :'as_of'::timestamptz))
)
SELECT 0::bigint AS changed, count(*) AS torn
FROM overtaken o
