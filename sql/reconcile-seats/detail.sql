-- One row for everybody who holds a seat (L1). Somebody invited shows where to.
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
invited_to AS (
  SELECT k.account_id, k.person, string_agg(k.organization, '; ' ORDER BY k.organization COLLATE "C")
           AS organizations,
         string_agg(k.team, '; ' ORDER BY k.team COLLATE "C") AS teams
  FROM (
    SELECT DISTINCT c.account_id, c.person, i.organization_id, i.team_id, o.name AS organization,
           t.name AS team
    FROM seat_claims c
    JOIN saas.invitations i ON i.account_id = c.account_id AND i.invitation_id = c.id
    LEFT JOIN saas.organizations o
      ON o.account_id = i.account_id AND o.organization_id = i.organization_id
     AND (o.deleted_at IS NULL OR o.deleted_at > :'as_of'::timestamptz)
    LEFT JOIN saas.teams t
      ON t.account_id = i.account_id AND t.team_id = i.team_id
     AND (t.deleted_at IS NULL OR t.deleted_at > :'as_of'::timestamptz)
    WHERE NOT c.licensed
  ) k
  GROUP BY k.account_id, k.person
),
--include last-activity
SELECT p.account_id, a.name AS account, p.email,
       CASE WHEN p.licensed THEN 'license' ELSE 'invitation' END AS seat_type, p.source, p.since,
       CASE WHEN NOT p.licensed THEN p.expires END AS expires,
       CASE WHEN p.licensed THEN o.names ELSE i.organizations END AS organizations,
       CASE WHEN p.licensed THEN t.names ELSE i.teams END AS teams,
       CASE WHEN p.licensed THEN coalesce(v.shown, CASE WHEN v.user_id IS NULL THEN 'N/A' END) END
         AS last_active
FROM seat_people p
JOIN saas.accounts a ON a.account_id = p.account_id
LEFT JOIN organization_names o ON o.account_id = p.account_id AND o.user_id = p.user_id
LEFT JOIN team_names t ON t.account_id = p.account_id AND t.user_id = p.user_id
LEFT JOIN invited_to i ON i.account_id = p.account_id AND i.person = p.person
LEFT JOIN last_activity v ON v.account_id = p.account_id AND v.user_id = p.user_id
ORDER BY p.account_id, p.email COLLATE "C", p.person COLLATE "C"
