-- D7: capture, lock and SCIM are suspended where the plan in force has no Enterprise controls, since
-- the newest end of a subscription that had them, and resume where it has. Reads `plan_in_force`.
controls_ended AS (
  SELECT s.account_id, max(s.ended_at) AS ended_at
  FROM saas.subscriptions s
  JOIN saas.plans p ON p.plan = s.plan AND p.enterprise_controls
  WHERE s.status = 'ended' AND s.ended_at <= :'as_of'::timestamptz
    AND s.end_reason IS DISTINCT FROM 'undone'
  GROUP BY s.account_id
),
--include controls-held
,
controls_due AS (
  SELECT c.account_id, c.entity, c.entity_id, c.suspended_at, c.capture_enabled_at,
         c.lock_enabled_at,
         CASE WHEN NOT f.enterprise_controls
              THEN coalesce(e.ended_at, :'as_of'::timestamptz) END AS suspend_at,
         CASE WHEN f.enterprise_controls THEN 'controls_returned' ELSE 'controls_ended' END AS reason
  FROM controlled c
  JOIN plan_in_force f ON f.account_id = c.account_id
  LEFT JOIN controls_ended e ON e.account_id = c.account_id
  WHERE (f.enterprise_controls AND c.suspended_at IS NOT NULL)
     OR (NOT f.enterprise_controls AND c.suspended_at IS NULL AND c.in_use)
)
