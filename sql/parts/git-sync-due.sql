-- G1: an active organization whose plan in force has a limit, with Git Sync on and allowed, and with
-- more people than the limit, is due to be flagged: everybody with a live membership, direct or through
-- a team, once. G2: one that is flagged and is no such organization any more is due to be cleared. An
-- inactive one is not judged: a flag it has stays until it is active again. Reads `plan_in_force`.
git_sync_judged AS (
  SELECT s.account_id, s.organization_id, s.status, s.git_sync_enabled,
         s.git_sync_over_limit_since, s.deleted_at,
         -- What is stored where: the organization's own rule, else the account's (organization 0).
         CASE WHEN s.git_sync_enabled
                AND CASE WHEN r.account_id IS NOT NULL THEN coalesce(r.git_sync, false)
                         WHEN g.account_id IS NOT NULL THEN coalesce(g.git_sync, false)
                         ELSE true END
              THEN f.git_sync_member_limit END AS member_limit
  FROM saas.organizations s
  JOIN plan_in_force f ON f.account_id = s.account_id
  LEFT JOIN saas.storage_rules r
    ON r.account_id = s.account_id AND r.organization_id = s.organization_id
  LEFT JOIN saas.storage_rules g ON g.account_id = s.account_id AND g.organization_id = 0
  WHERE s.status = 'active'
    AND (s.git_sync_enabled OR s.git_sync_over_limit_since IS NOT NULL)
    AND (s.deleted_at IS NULL OR s.deleted_at > :'as_of'::timestamptz)
    AND
    --include account-range
),
git_sync_counted AS (
  SELECT g.account_id, g.organization_id, g.status, g.git_sync_enabled,
         g.git_sync_over_limit_since, g.deleted_at, g.member_limit,
         g.member_limit IS NOT NULL AND g.member_limit < (
           SELECT count(DISTINCT m.user_id)
           FROM saas.organization_members m
           WHERE m.account_id = g.account_id AND m.organization_id = g.organization_id
             AND m.joined_at <= :'as_of'::timestamptz
             AND (m.left_at IS NULL OR m.left_at > :'as_of'::timestamptz)) AS is_over
  FROM git_sync_judged g
),
git_sync_due AS (
  SELECT j.account_id, j.organization_id, j.status, j.git_sync_enabled,
         j.git_sync_over_limit_since, j.deleted_at,
         CASE WHEN j.is_over THEN :'as_of'::timestamptz END AS new_since
  FROM git_sync_counted j
  WHERE j.is_over = (j.git_sync_over_limit_since IS NULL)
)
