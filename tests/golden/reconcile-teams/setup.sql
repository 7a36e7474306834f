-- Teams and memberships: every text as account, organization, team and address. In accounts 1 to 32 the
-- text's person is added, another one's membership ends, a third becomes admin, a team deleted by SCIM
-- takes its invitation along, a license goes and one stays; 40 has an expired token, 41 a last owner
-- and a team made by hand, 42 people without an address.
SET timezone = 'UTC';
INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, text, '2024-01-01' FROM golden.texts;
INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, 'account ' || n, '2024-01-01' FROM generate_series(40, 42) n;
INSERT INTO saas.accounts (account_id, name, created_at) VALUES
  (1234567890123456, 'sixteen digits', '2024-01-01'), (9007199254740993, '2^53 + 1', '2024-01-01');
INSERT INTO saas.users (user_id, email, name, signed_up_at)
SELECT n, text, 'U', '2024-01-01'::timestamptz FROM golden.texts
UNION ALL SELECT n, 'm' || n || '@x.example', 'U', '2024-01-01' FROM generate_series(50, 52) n
UNION ALL SELECT 60, NULL, 'U', '2024-01-01'
UNION ALL SELECT 9007199254740995, 'far@x.example', 'U', '2024-01-01';
INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at)
SELECT a.account_id, CASE WHEN a.account_id > 100 THEN a.account_id ELSE 1 END, coalesce(t.text, 'Org'), 'active', '2024-01-01'
FROM saas.accounts a LEFT JOIN golden.texts t ON t.n = a.account_id;
INSERT INTO saas.teams (account_id, team_id, name, role, source, external_id, created_at)
SELECT a.account_id, k, coalesce(t.text, 'Team'), CASE k WHEN 1 THEN 'member' ELSE 'admin' END,
       CASE WHEN k = 3 AND a.account_id <> 41 THEN 'scim' ELSE 'manual' END, CASE k WHEN 3 THEN 'grp' END, '2024-01-01'
FROM saas.accounts a CROSS JOIN generate_series(1, 3) k LEFT JOIN golden.texts t ON t.n = a.account_id;
INSERT INTO saas.team_organizations (account_id, team_id, organization_id, linked_at)
SELECT o.account_id, k, o.organization_id, '2024-02-01 12:34:56.999999+00' FROM saas.organizations o CROSS JOIN generate_series(1, 3) k;
INSERT INTO saas.team_members (account_id, team_id, user_id, source, joined_at)
SELECT n, 1, n, 'manual', '2024-03-01 01:02:03.5+00'::timestamptz FROM golden.texts          -- added
UNION ALL SELECT n, 2, 51, 'manual', '2024-03-01' FROM golden.texts                          -- becomes admin
UNION ALL SELECT n, 3, 52, 'scim', '2024-03-01' FROM golden.texts                            -- goes with the team
UNION ALL SELECT n, 1, 52, 'scim', '2024-03-01' FROM golden.texts WHERE n % 2 = 0            -- deprovisioned
UNION ALL SELECT 42, 1, 60, 'scim', '2024-03-01'
UNION ALL SELECT a, 2, 9007199254740995, 'manual', '2024-03-01' FROM unnest(ARRAY[1234567890123456, 9007199254740993]) a;
INSERT INTO saas.organization_members (account_id, organization_id, user_id, via, joined_at, role)
SELECT n, 1, 50, 'team', '2024-03-01'::timestamptz, 'member' FROM golden.texts                -- no source
UNION ALL SELECT n, 1, 51, 'team', '2024-03-01', 'member' FROM golden.texts
UNION ALL SELECT n, 1, 52, 'team', '2024-03-01', 'admin' FROM golden.texts
UNION ALL SELECT 40, 1, 50, 'team', '2024-03-01', 'member'                                    -- left alone
UNION ALL SELECT 42, 1, 60, 'team', '2024-02-15', 'owner';
INSERT INTO saas.account_members (account_id, user_id, role, joined_at) VALUES (41, 50, 'owner', '2024-01-01');
INSERT INTO saas.invitations (account_id, invitation_id, email, team_id, role, status, sent_at)
SELECT n, 1, text, 3, 'member', 'pending', '2026-03-20'::timestamptz FROM golden.texts
UNION ALL SELECT 42, 1, NULL, 3, 'admin', 'pending', '2026-03-20';
INSERT INTO saas.licenses (account_id, license_id, user_id, source, granted_at)
SELECT n, 1, n, CASE WHEN n % 3 = 0 THEN 'manual' ELSE 'scim' END, '2024-01-01'::timestamptz FROM golden.texts
UNION ALL SELECT 9007199254740993, 9007199254740997, 50, 'scim', '2024-01-01';
INSERT INTO saas.scim_connections (account_id, provider, token_expires_at) VALUES (40, 'azure', '2026-03-31'), (42, 'okta', NULL);
INSERT INTO saas.scim_events (account_id, event_id, kind, email, external_id, received_at)
SELECT n, 1, 'team_deleted', NULL, 'grp', '2026-03-30 23:59:59.999999+00'::timestamptz FROM golden.texts
UNION ALL SELECT n, 2, 'user_deprovisioned', text, NULL, '2026-03-30 12:00:00+00' FROM golden.texts
UNION ALL SELECT n, 3, 'user_deprovisioned', 'M52@X.EXAMPLE', NULL, '2026-03-30 13:00:00+00' FROM golden.texts
UNION ALL SELECT 41, 1, 'team_deleted', NULL, 'grp', '2026-03-30'
UNION ALL SELECT 41, 2, 'user_deprovisioned', 'm50@x.example', NULL, '2026-03-30'
UNION ALL SELECT 42, 1, 'team_deleted', NULL, 'grp', '2026-03-30'
UNION ALL SELECT 9007199254740993, 9007199254740999, 'user_deprovisioned', 'm50@x.example', NULL, '2026-03-31';
