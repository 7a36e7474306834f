-- The organizations that each person has access to at the as-of, by name.
-- Sorted once for all: with an ORDER BY of its own string_agg would sort within each person, which
-- PostgreSQL 15 does slowly. Nothing is joined behind the sort: the order would go.
membership AS (
  SELECT DISTINCT s.account_id, s.user_id, o.name COLLATE "C" AS name, o.organization_id
  FROM saas.organization_members s
  JOIN (
    SELECT s.account_id, s.organization_id, s.name, s.deleted_at
    FROM saas.organizations s
    WHERE
      --include account-range
  ) o ON o.account_id = s.account_id AND o.organization_id = s.organization_id
  WHERE s.joined_at <= :'as_of'::timestamptz
    AND (s.left_at IS NULL OR s.left_at > :'as_of'::timestamptz)
    AND (o.deleted_at IS NULL OR o.deleted_at > :'as_of'::timestamptz)
    AND
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
  ORDER BY s.account_id, s.user_id, o.name COLLATE "C", o.organization_id
),
organization_names AS (
  SELECT m.account_id, m.user_id, string_agg(m.name, '; ') AS names
  FROM membership m
  GROUP BY m.account_id, m.user_id
)
