-- One row for every account: what was bought, what is used, what is wasted (L2, L3).
WITH
--include accounts-as-of
,
--include seats
,
--include seat-people
,
--include belonging
,
--include idle-seats
,
wasted AS (
  SELECT i.account_id, count(*) AS seats
  FROM idle_seats i
  WHERE i.finding = 'seat_without_access'
  GROUP BY i.account_id
),
--include last-activity
,
asleep AS (
  SELECT p.account_id, count(*) AS people
  FROM seat_people p
  JOIN last_activity v ON v.account_id = p.account_id AND v.user_id = p.user_id
  WHERE p.licensed AND v.status = 'Inactive'
  GROUP BY p.account_id
)
SELECT n.account_id, a.name AS account, n.plan, n.purchased, n.licenses, n.invitations, n.used,
       CASE WHEN n.purchased <> -1 THEN n.purchased - n.used END AS free, n.over,
       CASE WHEN n.purchased > 0 THEN round(100.0 * n.used / n.purchased, 1) END AS utilisation,
       coalesce(w.seats, 0) AS without_access, coalesce(i.people, 0) AS inactive,
       CASE WHEN n.purchased IS NULL THEN 'no plan'
            WHEN n.purchased = -1 THEN 'unlimited'
            WHEN n.over > 0 THEN 'over'
            WHEN n.purchased = 0 THEN 'none bought'
            WHEN n.used * 10 >= n.purchased::bigint * 9 THEN '90 to 100 %'
            WHEN n.used * 2 >= n.purchased THEN '50 to 90 %'
            ELSE 'under 50 %' END AS filled
FROM seats n
JOIN saas.accounts a ON a.account_id = n.account_id
LEFT JOIN wasted w ON w.account_id = n.account_id
LEFT JOIN asleep i ON i.account_id = n.account_id
ORDER BY n.account_id
