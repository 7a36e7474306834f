-- The teams that each person is in at the as-of, by name.
-- Sorted once for all: with an ORDER BY of its own string_agg would sort within each person, which
-- PostgreSQL 15 does slowly. Nothing is joined behind the sort: the order would go.
team_membership AS (
  SELECT DISTINCT s.account_id, s.user_id, t.name COLLATE "C" AS name, t.team_id
  FROM saas.team_members s
  JOIN (
    SELECT s.account_id, s.team_id, s.name, s.deleted_at
    FROM saas.teams s
    WHERE
      --include account-range
  ) t ON t.account_id = s.account_id AND t.team_id = s.team_id
  WHERE s.joined_at <= :'as_of'::timestamptz
    AND (s.left_at IS NULL OR s.left_at > :'as_of'::timestamptz)
    AND (t.deleted_at IS NULL OR t.deleted_at > :'as_of'::timestamptz)
    AND
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
  ORDER BY s.account_id, s.user_id, t.name COLLATE "C", t.team_id
),
team_names AS (
  SELECT m.account_id, m.user_id, string_agg(m.name, '; ') AS names
  FROM team_membership m
  GROUP BY m.account_id, m.user_id
)
