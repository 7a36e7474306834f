-- Who belongs where at the as-of: live in an undeleted organization (that is access) or team, or not
-- any more, and since when. The range stands in either table: the planner does not carry it from one to
-- the other, and would read all organizations and teams for every slice.
memberships AS (
  SELECT s.account_id, s.user_id, true AS gives_access, s.via, s.joined_at,
         least(s.left_at, o.deleted_at) AS ended_at
  FROM saas.organization_members s
  JOIN (
    SELECT s.account_id, s.organization_id, s.deleted_at
    FROM saas.organizations s
    WHERE
      --include account-range
  ) o ON o.account_id = s.account_id AND o.organization_id = s.organization_id
  WHERE s.joined_at <= :'as_of'::timestamptz
    AND
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
  UNION ALL
  SELECT s.account_id, s.user_id, false, NULL, s.joined_at, least(s.left_at, t.deleted_at)
  FROM saas.team_members s
  JOIN (
    SELECT s.account_id, s.team_id, s.deleted_at
    FROM saas.teams s
    WHERE
      --include account-range
  ) t ON t.account_id = s.account_id AND t.team_id = s.team_id
  WHERE s.joined_at <= :'as_of'::timestamptz
    AND
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
),
belonging AS (
  SELECT m.account_id, m.user_id,
         bool_or(m.live) AS belongs,
         bool_or(m.live AND m.gives_access) AS has_access,
         min(m.joined_at) FILTER (WHERE m.live AND m.gives_access) AS access_since,
         min(m.via) FILTER (WHERE m.live AND m.gives_access) AS access_via,
         max(m.ended_at) FILTER (WHERE NOT m.live) AS last_left
  FROM (
    SELECT k.account_id, k.user_id, k.gives_access, k.via, k.joined_at, k.ended_at,
           k.ended_at IS NULL OR k.ended_at > :'as_of'::timestamptz AS live
    FROM memberships k
  ) m
  GROUP BY m.account_id, m.user_id
)
