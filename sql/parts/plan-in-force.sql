-- P4: the plan in force is the live trial's if there is one, else the base subscription's.
-- L2: it brings its own seats (50 in a trial, -1 on Essentials) or the subscription's.
-- Reads `live`, made by live-by-status or live-by-instant.
plan_in_force AS (
  SELECT DISTINCT ON (l.account_id, l.at)
         l.account_id, l.at, l.subscription_id, p.plan, p.rank, p.keeps_organizations_active,
         p.enterprise_controls, p.git_sync_member_limit,
         coalesce(p.included_seats, l.seats) AS purchased
  FROM live l
  JOIN saas.plans p ON p.plan = l.plan
  WHERE l.alike = 1
  ORDER BY l.account_id, l.at, l.kind = 'trial' DESC
)
