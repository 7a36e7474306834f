-- Demo data, part 40: organizations, teams, who is in them, and the storage rules, all consistent.
--
-- An organization's id is no * 100 + n, 0 being the owner's personal workspace; a team's no * 100 + 50 + n.

SET LOCAL TIME ZONE 'UTC';

CREATE TABLE demo.shapes AS
SELECT no, account_id, people, plan, scim, created_at,
       CASE WHEN people < 10 OR no >= 200 THEN 1 WHEN people < 60 THEN 2 WHEN people < 300 THEN 4 WHEN people < 1000 THEN 8 ELSE 20 END AS organizations,
       CASE WHEN people < 15 OR no >= 200 THEN 0 WHEN people < 60 THEN 2 WHEN people < 300 THEN 4 WHEN people < 1000 THEN 8 ELSE 16 END AS teams
FROM demo.companies;

-- A personal workspace for each but account 612; large companies have deleted an organization as well.
INSERT INTO saas.organizations (account_id, organization_id, name, is_personal, status, git_sync_enabled, created_at, deleted_at)
SELECT account_id, no * 100 + n,
       CASE WHEN n = 0 THEN 'Personal Workspace'
            ELSE ('{Platform API,Mobile,Kundenportal,Payments,支払いゲートウェイ,Интеграции,Data & Reporting,Checkout,Identity,"Partner API v2",
                    Área de Cliente,사내 도구,Logistik,بوابة العملاء,Sandbox,Webhooks,"R&D",Billing,Έρευνα,Legacy SOAP}'::text[])[1 + (no + n) % 20] END,
       n = 0, 'active', n > 0 AND plan <> 'essentials' AND demo.pick('git', no * 100 + n, 2) = 0,
       created_at + make_interval(hours => n * 5), CASE WHEN n > organizations THEN demo.t('-40 days') END
FROM demo.shapes, generate_series(0, organizations + CASE WHEN people >= 300 THEN 1 ELSE 0 END) AS n
WHERE NOT (no = 612 AND n = 0)
ORDER BY no, n;

-- Every third team was made by hand, the others by the identity provider where there is one. Large companies
-- have deleted a team.
INSERT INTO saas.teams (account_id, team_id, name, role, source, external_id, created_at, deleted_at)
SELECT account_id, no * 100 + 50 + n,
       ('{Backend,Frontend,Quality,Operations,Security,設計,Vertrieb,Поддержка,Mobile,Data,Partners,Équipe API,On-call,Architecture,Interns,Docs}'::text[])[1 + (no + n) % 16],
       CASE WHEN n % 8 = 1 THEN 'admin' ELSE 'member' END, source,
       CASE source WHEN 'scim' THEN 'grp-' || substr(md5('team ' || no * 100 + n), 1, 12) END,
       created_at + make_interval(days => 1, hours => n), CASE WHEN n > teams THEN demo.t('-25 days') END
FROM demo.shapes,
     generate_series(1, teams + CASE WHEN people >= 300 THEN 1 ELSE 0 END) AS n,
     LATERAL (SELECT CASE WHEN scim IS NOT NULL AND n % 3 <> 0 THEN 'scim' ELSE 'manual' END AS source) s
ORDER BY no, n;

-- A team is linked to one organization, every third to two, every fourth was once linked to another.
INSERT INTO saas.team_organizations (account_id, team_id, organization_id, linked_at, unlinked_at)
SELECT account_id, no * 100 + 50 + n, no * 100 + 1 + (n + step) % organizations,
       created_at + interval '3 days', CASE step WHEN 2 THEN created_at + interval '300 days' END
FROM demo.shapes, generate_series(1, teams) AS n, generate_series(0, 2) AS step
WHERE step = 0 OR step = 1 AND n % 3 = 1 AND organizations > 1 OR step = 2 AND n % 4 = 2 AND organizations > 2
ORDER BY no, n, step;

-- Who still has access: until the license was revoked or the user deleted.
CREATE TABLE demo.staff AS
SELECT s.no, s.account_id, s.k, s.user_id, s.granted_at, least(s.revoked_at, u.deleted_at) AS until, h.organizations, h.teams
FROM demo.seats s
JOIN demo.shapes h USING (no)
JOIN saas.users u ON u.user_id = s.user_id;
ANALYZE demo.staff;

-- Four of five people are in a team, every eleventh in two. Every 37th is nowhere: a seat without access.
INSERT INTO saas.team_members (account_id, team_id, user_id, source, joined_at, left_at)
SELECT account_id, team_id, user_id, t.source, granted_at + interval '30 minutes', until
FROM (
  SELECT *, no * 100 + 51 + (k + second) % teams AS team_id
  FROM demo.staff, generate_series(0, 1) AS second
  WHERE teams > 0 AND k > 3 AND k % 37 <> 20 AND (second = 0 AND k % 5 <> 0 OR second = 1 AND k % 11 = 0)
) s
JOIN saas.teams t USING (account_id, team_id);

-- The owner owns every organization and the three first are direct members of all; the others without a team,
-- and some beside their team, of one.
INSERT INTO saas.organization_members (account_id, organization_id, user_id, via, role, joined_at, left_at)
SELECT account_id, no * 100 + n, user_id, 'direct',
       CASE WHEN k = 1 THEN 'owner' WHEN k <= 3 AND n > 0 THEN 'admin' ELSE 'member' END,
       greatest(granted_at, o.created_at), until
FROM demo.staff
CROSS JOIN LATERAL generate_series(0, organizations) AS n
JOIN saas.organizations o USING (account_id)
WHERE o.organization_id = no * 100 + n
  AND CASE WHEN k = 1 THEN true
           WHEN k <= 3 THEN n > 0
           WHEN k % 37 = 20 AND no <= 50 THEN false
           WHEN teams = 0 OR k % 5 = 0 OR k % 23 = 4 THEN n = 1 + k % organizations
           ELSE false END
  AND (until IS NULL OR until > o.created_at);

-- Account 30's freelancers, wherever they work.
INSERT INTO saas.organization_members (account_id, organization_id, user_id, via, role, joined_at)
SELECT account_id, no * 100 + 1, user_id, 'direct', 'member', granted_at + interval '1 hour' FROM demo.guests;

-- M1: what teams give. One membership per person and organization, with the highest role of all paths.
INSERT INTO saas.organization_members (account_id, organization_id, user_id, via, role, joined_at, left_at)
SELECT DISTINCT ON (m.account_id, l.organization_id, m.user_id)
       m.account_id, l.organization_id, m.user_id, 'team', t.role, greatest(m.joined_at, l.linked_at), m.left_at
FROM saas.team_members m
JOIN saas.teams t USING (account_id, team_id)
JOIN saas.team_organizations l USING (account_id, team_id)
WHERE l.unlinked_at IS NULL AND t.deleted_at IS NULL AND (m.left_at IS NULL OR m.left_at > l.linked_at)
ORDER BY m.account_id, l.organization_id, m.user_id, m.left_at IS NULL DESC, t.role = 'admin' DESC, greatest(m.joined_at, l.linked_at);

-- What the application has lost or forgotten, for reconcile-teams to repair: memberships missing in account 3
-- and, to be left alone because its SCIM token has expired (M6), in account 6; memberships without a
-- source in account 5; members with the wrong role in account 2.
DELETE FROM saas.organization_members
WHERE via = 'team' AND user_id IN (SELECT no * 10000 + k FROM demo.staff WHERE no IN (3, 6) AND k IN (51, 52, 53, 54));
INSERT INTO saas.organization_members (account_id, organization_id, user_id, via, role, joined_at)
SELECT account_id, no * 100 + 20, user_id, 'team', 'member', greatest(granted_at, demo.t('-200 days'))
FROM demo.staff
WHERE no = 5 AND k IN (75, 80, 85) AND until IS NULL;
UPDATE saas.organization_members SET role = CASE role WHEN 'admin' THEN 'member' ELSE 'admin' END
WHERE via = 'team' AND left_at IS NULL AND user_id IN (20061, 20062, 20063);

-- Storage rules: organization 0 is the whole account. Account 14 forbids Git Sync but allows it to one organization.
INSERT INTO saas.storage_rules (account_id, organization_id, cloud_sync, local_vault, git_sync)
SELECT account_id, 0, no % 7 <> 2, no % 2 = 0, no <> 14 FROM demo.companies WHERE no <= 50 ORDER BY no;
INSERT INTO saas.storage_rules (account_id, organization_id, cloud_sync, local_vault, git_sync)
VALUES (14, 1401, true, false, true), (1, 102, false, true, false), (8, 803, true, true, true);
