-- M1: every live member of a live team has a membership `team` of every organization that is linked to
-- it, whatever the organization's status. M2: the highest role of all teams holds; direct memberships
-- are neither read nor written. What the events of SCIM are about to end gives nothing any more.
-- Reads `scim_expired`, `teams_due`, `team_members_due`.
-- The ways into organizations are few and are put together first; the members are many. The database
-- takes a join on two columns for far smaller than it is and would look up each member; what is LEFT
-- JOINed it takes for no less than what is there, and reads it once. What found nothing goes afterwards.
team_ways AS MATERIALIZED (
  SELECT s.account_id, s.team_id, o.organization_id,
         array_position(ARRAY['owner', 'admin', 'member'], s.role) AS rank,
         greatest(l.linked_at, s.created_at, o.created_at) AS begins_at
  FROM saas.teams s
  JOIN saas.team_organizations l
    ON l.account_id = s.account_id AND l.team_id = s.team_id
   AND l.linked_at <= :'as_of'::timestamptz
   AND (l.unlinked_at IS NULL OR l.unlinked_at > :'as_of'::timestamptz)
  LEFT JOIN saas.organizations o
    ON o.account_id = l.account_id AND o.organization_id = l.organization_id
   AND o.created_at <= :'as_of'::timestamptz
   AND (o.deleted_at IS NULL OR o.deleted_at > :'as_of'::timestamptz)
  WHERE s.created_at <= :'as_of'::timestamptz
    AND (s.deleted_at IS NULL OR s.deleted_at > :'as_of'::timestamptz)
    AND
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
    AND (s.account_id, s.team_id) NOT IN (SELECT d.account_id, d.team_id FROM teams_due d)
),
memberships_needed AS (
  SELECT s.account_id, w.organization_id, s.user_id,
         (ARRAY['owner', 'admin', 'member'])[min(w.rank)] AS role,
         -- A path begins when the last of its parts does; of several, the first that is live counts.
         min(greatest(s.joined_at, w.begins_at)) AS begins_at
  FROM saas.team_members s
  LEFT JOIN team_ways w ON w.account_id = s.account_id AND w.team_id = s.team_id
  WHERE s.joined_at <= :'as_of'::timestamptz
    AND (s.left_at IS NULL OR s.left_at > :'as_of'::timestamptz)
    AND
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
    -- NOT IN looks up a hash, however wrong the estimate of how few rows these are.
    AND (s.account_id, s.team_id, s.user_id, s.source, s.joined_at) NOT IN (
      SELECT d.account_id, d.team_id, d.user_id, d.source, d.joined_at FROM team_members_due d)
  GROUP BY s.account_id, w.organization_id, s.user_id
  HAVING count(w.organization_id) > 0
),
memberships_there AS (
  SELECT s.account_id, s.organization_id, s.user_id, s.joined_at, s.role, s.left_at
  FROM saas.organization_members s
  WHERE s.via = 'team'
    AND s.joined_at <= :'as_of'::timestamptz
    AND (s.left_at IS NULL OR s.left_at > :'as_of'::timestamptz)
    AND
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
),
-- The two differ in few rows: only of these is asked what else there is. Deleted organizations are
-- not judged.
memberships_wrong AS (
  SELECT s.account_id, s.organization_id, s.user_id, s.new_role, s.begins_at, s.joined_at, s.role,
         s.left_at,
         s.new_role IS NOT NULL AND EXISTS (
           SELECT FROM saas.organization_members h
           WHERE h.account_id = s.account_id AND h.organization_id = s.organization_id
             AND h.user_id = s.user_id AND h.via = 'team' AND h.role = s.new_role
             AND h.joined_at <= :'as_of'::timestamptz
             AND (h.left_at IS NULL OR h.left_at > :'as_of'::timestamptz)) AS is_there,
         s.new_role IS NOT NULL AND EXISTS (
           SELECT FROM saas.organization_members h
           WHERE h.account_id = s.account_id AND h.organization_id = s.organization_id
             AND h.user_id = s.user_id AND h.via = 'team' AND h.joined_at = s.begins_at)
           AS begin_taken,
         s.new_role IS NOT NULL AND EXISTS (
           SELECT FROM saas.organization_members h
           WHERE h.account_id = s.account_id AND h.organization_id = s.organization_id
             AND h.user_id = s.user_id AND h.via = 'team' AND h.joined_at = :'as_of'::timestamptz)
           AS as_of_taken
  FROM (
    SELECT account_id, organization_id, user_id, n.role AS new_role, n.begins_at, h.joined_at,
           h.role, h.left_at
    FROM memberships_needed n
    FULL JOIN memberships_there h USING (account_id, organization_id, user_id)
    WHERE n.role IS DISTINCT FROM h.role
  ) s
  WHERE
    --include not-left-alone
    AND s.account_id NOT IN (SELECT x.account_id FROM scim_expired x)
    AND EXISTS (
      SELECT FROM saas.organizations o
      WHERE o.account_id = s.account_id AND o.organization_id = s.organization_id
        AND (o.deleted_at IS NULL OR o.deleted_at > :'as_of'::timestamptz))
),
-- A new row begins with its path; a changed role, and one whose begin an ended row has already, at the
-- as-of. Where that is taken too (a second run as of the same instant), it waits for the next run.
memberships_judged AS (
  SELECT w.account_id, w.organization_id, w.user_id, w.new_role, w.joined_at, w.role, w.left_at,
         w.is_there,
         CASE WHEN w.joined_at IS NULL AND NOT w.begin_taken THEN w.begins_at
              WHEN NOT w.as_of_taken THEN :'as_of'::timestamptz END AS new_joined_at
  FROM memberships_wrong w
),
-- A membership without a source ends when its last source did, if that was after it began; as of now
-- where there never was one. One with another role ends as of now.
memberships_leaving AS (
  SELECT j.account_id, j.organization_id, j.user_id, j.joined_at, j.role, j.left_at,
         CASE WHEN NOT j.is_there THEN j.new_role END AS new_role,
         CASE WHEN j.new_role IS NULL THEN (
           SELECT max(p.ended_at)
           FROM (
             SELECT greatest(m.joined_at, l.linked_at, t.created_at, o.created_at) AS begun_at,
                    least(m.left_at, l.unlinked_at, t.deleted_at, d.ends_at, e.ends_at) AS ended_at
             FROM saas.organizations o
             JOIN saas.team_organizations l
               ON l.account_id = o.account_id AND l.organization_id = o.organization_id
             JOIN saas.teams t ON t.account_id = l.account_id AND t.team_id = l.team_id
             JOIN saas.team_members m
               ON m.account_id = l.account_id AND m.team_id = l.team_id AND m.user_id = j.user_id
             LEFT JOIN teams_due d ON d.account_id = l.account_id AND d.team_id = l.team_id
             LEFT JOIN team_members_due e
               ON e.account_id = m.account_id AND e.team_id = m.team_id AND e.user_id = m.user_id
              AND e.source = m.source AND e.joined_at = m.joined_at
             WHERE o.account_id = j.account_id AND o.organization_id = j.organization_id
           ) p
           WHERE p.begun_at < p.ended_at
             AND p.ended_at > j.joined_at
             AND p.ended_at <= :'as_of'::timestamptz
         ) END AS source_ended_at
  FROM memberships_judged j
  WHERE j.joined_at IS NOT NULL
    AND (j.new_role IS NULL OR j.is_there OR j.new_joined_at IS NOT NULL)
),
memberships_joining AS (
  SELECT DISTINCT j.account_id, j.organization_id, j.user_id, j.new_role AS role,
         j.new_joined_at AS joined_at, j.joined_at IS NOT NULL AS changes_role
  FROM memberships_judged j
  WHERE j.new_role IS NOT NULL AND NOT j.is_there AND j.new_joined_at IS NOT NULL
)
