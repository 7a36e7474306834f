-- L2: used, purchased and over, at `judged (account_id, at)`, under the plan then in force.
-- Over is 0 where seats are unlimited, or where nobody can say how many were bought.
--include live-by-instant
,
--include plan-in-force
,
--include seat-holders
,
seats AS (
  SELECT u.account_id, u.at, f.plan, f.purchased, u.licenses, u.used - u.licenses AS invitations,
         u.used,
         CASE WHEN f.purchased = -1 OR f.purchased IS NULL THEN 0
              ELSE greatest(u.used - f.purchased, 0) END AS over
  FROM (
    SELECT j.account_id, j.at, count(h.person) FILTER (WHERE h.licensed) AS licenses,
           count(h.person) AS used
    FROM judged j
    LEFT JOIN seat_holders h ON h.account_id = j.account_id AND h.at = j.at
    GROUP BY j.account_id, j.at
  ) u
  LEFT JOIN plan_in_force f ON f.account_id = u.account_id AND f.at = u.at
)
