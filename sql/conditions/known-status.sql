-- Condition 11: every status is one that the rules know; of another one no job decides anything.
SELECT s.account_id, s.what || ' ' || s.id || ' has the unknown status "' || s.status || '"' AS finding
FROM (
  SELECT i.account_id, 'invitation' AS what, i.invitation_id AS id, i.status
  FROM saas.invitations i
  WHERE i.status NOT IN ('pending', 'accepted', 'expired', 'revoked')
  UNION ALL
  SELECT b.account_id, 'subscription', b.subscription_id, b.status
  FROM saas.subscriptions b
  WHERE b.status NOT IN ('trialing', 'active', 'past_due', 'ended')
  UNION ALL
  SELECT o.account_id, 'organization', o.organization_id, o.status
  FROM saas.organizations o
  WHERE o.status NOT IN ('active', 'inactive')
) s
ORDER BY s.account_id, s.what, s.id
