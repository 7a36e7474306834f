-- One row for everybody who holds a seat (L1). Somebody invited shows where to: looked up person by
-- person, because a join of one large account with itself, by e-mail, is quadratic in some plans.
WITH
--include accounts-as-of
,
--include seat-holders
,
--include seat-people
,
--include organization-names
,
--include team-names
,
--include last-activity
SELECT p.account_id, a.name AS account, p.email,
       CASE WHEN p.licensed THEN 'license' ELSE 'invitation' END AS seat_type, p.source, p.since,
       CASE WHEN NOT p.licensed THEN p.expires END AS expires,
       CASE WHEN p.licensed THEN o.names
            ELSE (SELECT string_agg(g.name, '; ' ORDER BY g.name COLLATE "C")
                  FROM saas.organizations g
                  WHERE g.account_id = p.account_id
                    AND g.organization_id IN (
                      SELECT i.organization_id
                      FROM saas.invitations i
                      WHERE i.account_id = p.account_id AND i.invitation_id = ANY (p.invitation_ids))
                    AND (g.deleted_at IS NULL OR g.deleted_at > :'as_of'::timestamptz))
       END AS organizations,
       CASE WHEN p.licensed THEN t.names
            ELSE (SELECT string_agg(g.name, '; ' ORDER BY g.name COLLATE "C")
                  FROM saas.teams g
                  WHERE g.account_id = p.account_id
                    AND g.team_id IN (
                      SELECT i.team_id
                      FROM saas.invitations i
                      WHERE i.account_id = p.account_id AND i.invitation_id = ANY (p.invitation_ids))
                    AND (g.deleted_at IS NULL OR g.deleted_at > :'as_of'::timestamptz))
       END AS teams,
       CASE WHEN p.licensed THEN coalesce(v.shown, CASE WHEN v.user_id IS NULL THEN 'N/A' END) END
         AS last_active
FROM seat_people p
JOIN saas.accounts a ON a.account_id = p.account_id
LEFT JOIN organization_names o ON o.account_id = p.account_id AND o.user_id = p.user_id
LEFT JOIN team_names t ON t.account_id = p.account_id AND t.user_id = p.user_id
LEFT JOIN last_activity v ON v.account_id = p.account_id AND v.user_id = p.user_id
ORDER BY p.account_id, p.email COLLATE "C", p.person COLLATE "C"
