-- An instant before all time, where it decides who is in a team or since when: nobody can have meant
-- it, so nothing is decided on it.
SELECT s.account_id, s.what || ' at -infinity' AS reason
FROM (
  SELECT m.account_id, 'user ' || m.user_id || ' is in team ' || m.team_id || ' or left it' AS what
  FROM saas.team_members m
  WHERE m.joined_at = '-infinity' OR m.left_at = '-infinity'
  UNION ALL
  SELECT l.account_id,
         'team ' || l.team_id || ' has a link to organization ' || l.organization_id
           || ' that began or ended'
  FROM saas.team_organizations l
  WHERE l.linked_at = '-infinity' OR l.unlinked_at = '-infinity'
  UNION ALL
  SELECT t.account_id, 'team ' || t.team_id || ' was made or deleted'
  FROM saas.teams t
  WHERE t.created_at = '-infinity' OR t.deleted_at = '-infinity'
  UNION ALL
  SELECT o.account_id, 'user ' || o.user_id || ' left organization ' || o.organization_id
  FROM saas.organization_members o
  WHERE o.via = 'team' AND o.left_at = '-infinity'
  UNION ALL
  SELECT e.account_id, 'SCIM event ' || e.event_id || ' was received'
  FROM saas.scim_events e
  WHERE e.applied_at IS NULL AND e.received_at = '-infinity'
  UNION ALL
  SELECT c.account_id, 'the SCIM token of ' || c.provider || ' ends'
  FROM saas.scim_connections c
  WHERE c.token_expires_at = '-infinity'
) s
WHERE
  --include account-range
  AND
  --include not-left-alone
ORDER BY s.account_id, s.what COLLATE "C"
LIMIT 1
