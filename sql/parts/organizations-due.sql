-- O1, O3: an organization is due to become inactive where the plan in force does not keep it active
-- and the subscription that ended last (at the same instant trial, then Enterprise, then Pro) takes
-- organizations with it; not one made later, not a personal workspace (O4). O2: one that this job
-- made inactive is due to come back where the plan keeps it active. O6: no other one is touched.
-- Reads `plan_in_force`.
--include last-ended
,
organizations_due AS (
  SELECT s.account_id, s.organization_id, s.status, s.inactive_since, s.inactive_reason,
         s.is_personal, s.deleted_at,
         'inactive' AS new_status, e.ended_at AS new_since,
         CASE WHEN e.kind = 'trial' THEN 'trial_ended' ELSE 'enterprise_ended' END AS new_reason
  FROM saas.organizations s
  JOIN plan_in_force f ON f.account_id = s.account_id
  JOIN last_ended e ON e.account_id = s.account_id
  WHERE s.status = 'active'
    AND NOT f.keeps_organizations_active
    AND e.inactivates_on_end
    AND s.created_at <= e.ended_at
    AND
    --include organization-may-lapse
    AND (s.deleted_at IS NULL OR s.deleted_at > :'as_of'::timestamptz)
  UNION ALL
  SELECT s.account_id, s.organization_id, s.status, s.inactive_since, s.inactive_reason,
         s.is_personal, s.deleted_at,
         'active', NULL, NULL
  FROM saas.organizations s
  JOIN plan_in_force f ON f.account_id = s.account_id
  WHERE s.status = 'inactive'
    AND
    --include inactivated-by-us
    AND f.keeps_organizations_active
    AND (s.deleted_at IS NULL OR s.deleted_at > :'as_of'::timestamptz)
)
