-- Organizations that were flagged or cleared, as the audit of the date has them, with the people who
-- had access as of the run and the limit of the plan then in force.
WITH
--include runs-of-the-date
,
flagged AS (
  SELECT c.account_id, c.entity_id::bigint AS organization_id, c.as_of, c.change_id,
         CASE WHEN c.reason = 'git_sync_over_limit' THEN 'flagged' ELSE 'cleared' END AS action,
         coalesce(c.after ->> 'git_sync_over_limit_since',
                  c.before ->> 'git_sync_over_limit_since')::timestamptz AS since
  FROM changes c
  WHERE c.entity = 'organizations'
    AND c.reason IN ('git_sync_over_limit', 'git_sync_within_limit')
),
judged AS (
  SELECT DISTINCT f.account_id, f.as_of AS at
  FROM flagged f
),
--include live-by-instant
,
--include plan-in-force
SELECT f.account_id, a.name AS account, f.organization_id, o.name AS organization, f.action,
       (SELECT count(DISTINCT m.user_id)
        FROM saas.organization_members m
        WHERE m.account_id = f.account_id AND m.organization_id = f.organization_id
          AND m.joined_at <= f.as_of AND (m.left_at IS NULL OR m.left_at > f.as_of)) AS members,
       p.git_sync_member_limit AS member_limit, f.since
FROM flagged f
JOIN saas.accounts a ON a.account_id = f.account_id
JOIN saas.organizations o
  ON o.account_id = f.account_id AND o.organization_id = f.organization_id
LEFT JOIN plan_in_force p ON p.account_id = f.account_id AND p.at = f.as_of
ORDER BY f.account_id, f.organization_id, f.as_of, f.change_id
