-- The invitations that lapsed, as the audit of the date has them.
WITH
--include runs-of-the-date
SELECT c.account_id, a.name AS account, i.invitation_id, i.email,
       CASE WHEN i.organization_id IS NOT NULL THEN 'organization: ' || coalesce(o.name, '')
            ELSE 'team: ' || coalesce(t.name, '') END AS target,
       i.role, i.sent_at, c.effective_at AS expired_at
FROM changes c
JOIN saas.accounts a ON a.account_id = c.account_id
JOIN saas.invitations i ON i.account_id = c.account_id AND i.invitation_id = c.entity_id::bigint
LEFT JOIN saas.organizations o
  ON o.account_id = i.account_id AND o.organization_id = i.organization_id
LEFT JOIN saas.teams t ON t.account_id = i.account_id AND t.team_id = i.team_id
WHERE c.entity = 'invitations' AND c.reason = 'invitation_expired'
ORDER BY c.account_id, i.invitation_id, c.effective_at, c.change_id
