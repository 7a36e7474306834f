-- An admin who was faster wins: no lock and no unique index keeps somebody from granting the same
-- person a license, or the last seat to somebody else, while the statement before this one ran. So
-- what it wrote is looked at once more, and the batch tried again over what there is now, where
-- somebody captured holds another license too, or is no member, or the account is over its seats
-- (unless all it captured had an invitation), or captures no more.
WITH
--include captures
,
captured AS (
  SELECT s.account_id, (s.after ->> 'user_id')::bigint AS user_id
  FROM lapse.changes s
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
capturing_plan AS (
  SELECT DISTINCT s.account_id, s.purchased
  FROM captures s
)
SELECT 0::bigint AS changed, count(DISTINCT c.account_id) AS torn
FROM captured c
JOIN saas.users u ON u.user_id = c.user_id
LEFT JOIN capturing_plan p ON p.account_id = c.account_id
LEFT JOIN seats_taken t ON t.account_id = c.account_id
WHERE p.account_id IS NULL
   OR (p.purchased IS DISTINCT FROM -1 AND t.taken > coalesce(p.purchased, 0)
       AND NOT EXISTS (
         SELECT FROM seat_claims i
         WHERE i.account_id = c.account_id AND i.person = lower(u.email) AND NOT i.licensed))
   OR (SELECT count(*) FROM saas.licenses l
       WHERE l.account_id = c.account_id AND l.user_id = c.user_id) <> 1
   OR NOT EXISTS (
     SELECT FROM saas.account_members m
     WHERE m.account_id = c.account_id AND m.user_id = c.user_id
       AND (m.left_at IS NULL OR m.left_at > :'as_of'::timestamptz))
