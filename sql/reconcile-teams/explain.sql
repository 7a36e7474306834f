-- M1, M2, M6 in words: memberships by way of teams that differ from what the teams give, or those of the
-- one person in one organization that are asked for, ORGANIZATION/USER.
WITH
--include scim-expired
,
--include scim-told
,
--include scim-due
,
--include memberships-due
,
-- When it may change: the next begin or end of what gives it.
turns AS (
  SELECT s.account_id, l.organization_id, s.user_id, min(t.at) AS at
  FROM saas.team_members s
  JOIN saas.team_organizations l ON l.account_id = s.account_id AND l.team_id = s.team_id
  CROSS JOIN LATERAL (
    VALUES (s.joined_at), (s.left_at), (l.linked_at), (l.unlinked_at)
  ) t (at)
  WHERE t.at > :'as_of'::timestamptz
    AND
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
  GROUP BY s.account_id, l.organization_id, s.user_id
),
compared AS (
  SELECT account_id, organization_id, user_id, n.role AS given, h.roles,
         h.n IS NOT NULL AS is_there, t.at,
         n.role IS NULL AND h.n IS NOT NULL OR n.role IS NOT NULL AND h.n IS NULL
           OR h.n > 1 OR n.role <> h.roles AS differs
  FROM memberships_needed n
  FULL JOIN (
    SELECT m.account_id, m.organization_id, m.user_id, count(*) AS n,
           string_agg(m.role, ' and ' ORDER BY m.role) AS roles
    FROM memberships_there m
    GROUP BY m.account_id, m.organization_id, m.user_id
  ) h USING (account_id, organization_id, user_id)
  FULL JOIN turns t USING (account_id, organization_id, user_id)
)
SELECT s.account_id, 'organization_members' AS entity, s.organization_id || '/' || s.user_id AS entity_id,
       'membership of user ' || s.user_id || ' in organization ' || s.organization_id AS what,
       CASE WHEN s.given IS NULL THEN 'end it' WHEN NOT s.is_there THEN 'add it'
            ELSE 'set its role' END AS action,
       c.condition, c.holds, c.figure, c.instant, c.place
FROM compared s
LEFT JOIN saas.organizations o
  ON o.account_id = s.account_id AND o.organization_id = s.organization_id
LEFT JOIN (
  SELECT x.account_id, string_agg(x.provider, ', ' ORDER BY x.provider) AS providers,
         min(x.token_expires_at) AS expired_at
  FROM scim_expired x
  GROUP BY x.account_id
) x ON x.account_id = s.account_id
CROSS JOIN LATERAL (
  VALUES
    (1, 'what teams give and the membership differ', s.differs,
     'they give ' || coalesce(s.given, 'none') || ', there is ' || coalesce(s.roles, 'none')
       || CASE WHEN s.at IS NULL THEN '' ELSE ', next change' END,
     s.at),
    (2, 'no token of a SCIM connection in use has expired', x.account_id IS NULL,
     'expired, ' || x.providers, x.expired_at),
    (3, 'the organization is not deleted',
     o.deleted_at IS NULL OR o.deleted_at > :'as_of'::timestamptz,
     CASE WHEN o.deleted_at IS NOT NULL THEN 'deleted' END, o.deleted_at)
) c (place, condition, holds, figure, instant)
WHERE (:'asked'::text IS NULL AND (s.differs OR s.at IS NOT NULL)
       OR s.organization_id || '/' || s.user_id = :'asked'::text
       OR starts_with(:'asked'::text, s.organization_id || '/' || s.user_id || '/'))
