-- What speaks against releasing a license s, even where it came after the as-of: its holder is live in an
-- organization or a team, or owns the account.
(EXISTS (
   SELECT FROM saas.organization_members m
   JOIN saas.organizations o
     ON o.account_id = m.account_id AND o.organization_id = m.organization_id
   WHERE m.account_id = s.account_id AND m.user_id = s.user_id
     AND (m.left_at IS NULL OR m.left_at > :'as_of'::timestamptz)
     AND (o.deleted_at IS NULL OR o.deleted_at > :'as_of'::timestamptz))
 OR EXISTS (
   SELECT FROM saas.team_members m
   JOIN saas.teams t ON t.account_id = m.account_id AND t.team_id = m.team_id
   WHERE m.account_id = s.account_id AND m.user_id = s.user_id
     AND (m.left_at IS NULL OR m.left_at > :'as_of'::timestamptz)
     AND (t.deleted_at IS NULL OR t.deleted_at > :'as_of'::timestamptz))
 OR EXISTS (
   SELECT FROM saas.account_members m
   WHERE m.account_id = s.account_id AND m.user_id = s.user_id AND m.role = 'owner'
     AND (m.left_at IS NULL OR m.left_at > :'as_of'::timestamptz)))
