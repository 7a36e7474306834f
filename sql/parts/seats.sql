-- L2: used, purchased and over, at `judged (account_id, at)`, under the plan then in force.
-- Over is 0 where seats are unlimited, or where nobody can say how many were bought.
--include live-by-instant
,
--include plan-in-force
,
--include seat-holders
,
seats AS (
  SELECT j.account_id, j.at, f.plan, f.purchased, h.licenses, h.used - h.licenses AS invitations,
         h.used,
         CASE WHEN f.purchased = -1 OR f.purchased IS NULL THEN 0
              ELSE greatest(h.used - f.purchased, 0) END AS over
  FROM judged j
  LEFT JOIN plan_in_force f ON f.account_id = j.account_id AND f.at = j.at
  CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE sh.licensed) AS licenses, count(*) AS used
    FROM seat_holders sh
    WHERE sh.account_id = j.account_id AND sh.at = j.at
  ) h
)
