-- Seats: every text as account, address, organization and team, of people licensed and invited; every
-- finding; unlimited, no plan, large ids; a movement that ties out and one that does not.
SET timezone = 'UTC';
INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, text, '2024-01-01' FROM golden.texts;
INSERT INTO saas.accounts (account_id, name, created_at) VALUES
  (50, 'all texts in one', '2024-01-01'), (51, 'no plan', '2024-01-01'), (52, 'trial', '2024-01-01'),
  (1234567890123456, 'sixteen digits', '2024-01-01'), (9007199254740993, '2^53 + 1', '2024-01-01');
INSERT INTO saas.users (user_id, email, name, signed_up_at)
SELECT n, text, 'U', '2024-01-01'::timestamptz FROM golden.texts
UNION ALL SELECT 40, NULL, 'no address', '2024-01-01'
UNION ALL SELECT 41, NULL, 'no address either', '2024-01-01'
UNION ALL SELECT 60 + n, 'm' || n || '@x.example', 'U', '2024-01-01' FROM generate_series(1, 9) n;
INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, started_at)
SELECT account_id, 1, 'base', CASE WHEN account_id % 3 = 0 THEN 'essentials' ELSE 'pro' END, 'sales', 'active',
       CASE WHEN account_id % 3 = 0 THEN -1 ELSE account_id % 4 END, '2024-01-01'::timestamptz
FROM saas.accounts WHERE account_id <> 51
UNION ALL SELECT 52, 2, 'trial', 'trial', 'none', 'trialing', 50, '2026-03-20';
INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at)
SELECT n, 1, text, 'active', '2024-01-01'::timestamptz FROM golden.texts
UNION ALL SELECT 50, n, text, 'active', '2024-01-01' FROM golden.texts;
INSERT INTO saas.teams (account_id, team_id, name, role, source, created_at)
SELECT 50, n, text, 'member', 'manual', '2024-01-01' FROM golden.texts;
-- By text: licensed and in the organization; without access; with access alone; captured; twice licensed.
INSERT INTO saas.licenses (account_id, license_id, user_id, source, granted_at)
SELECT n, 1, n, (ARRAY['manual', 'manual', 'manual', 'capture', 'invitation'])[1 + n % 5], '2026-01-01 12:00:00.75+00'::timestamptz + n * interval '1 day'
FROM golden.texts WHERE n % 5 <> 2
UNION ALL SELECT n, 2, n, 'scim', '2026-03-01' FROM golden.texts WHERE n % 5 = 4
UNION ALL SELECT n, 3, 61, 'owner', '2024-01-01' FROM golden.texts
UNION ALL SELECT 50, n, n, 'manual', '2024-02-29' FROM golden.texts WHERE n % 2 = 0
UNION ALL SELECT 50, u, u, 'scim', '2024-02-29' FROM unnest('{40,41}'::integer[]) u
UNION ALL SELECT 51, 1, 62, 'manual', '2024-01-01'
UNION ALL SELECT 52, u, u, 'manual', '2024-01-01' FROM generate_series(62, 64) u
UNION ALL SELECT 9007199254740993, 9007199254740993, 65, 'scim', '1969-12-31 23:59:59+00';
INSERT INTO saas.organization_members (account_id, organization_id, user_id, via, joined_at, role, left_at)
SELECT n, 1, n, 'direct', '2024-01-01'::timestamptz, 'member', CASE WHEN n % 5 = 1 THEN '2026-02-28 23:59:59'::timestamptz END FROM golden.texts WHERE n % 5 IN (0, 1, 2, 4)
UNION ALL SELECT n, 1, 61, 'direct', '2024-01-01', 'owner', NULL FROM golden.texts
UNION ALL SELECT 50, o, 40, 'direct', '2024-01-01', 'member', NULL FROM unnest('{10,3,1,4}'::integer[]) o
UNION ALL SELECT 50, n, n, 'direct', '2024-01-01', 'member', NULL FROM golden.texts WHERE n % 2 = 0;
INSERT INTO saas.team_members (account_id, team_id, user_id, source, joined_at)
SELECT 50, n, n, 'manual', '2024-01-01' FROM golden.texts WHERE n % 4 = 0;
INSERT INTO saas.account_members (account_id, user_id, role, joined_at)
SELECT n, 61, 'owner', '2024-01-01' FROM golden.texts;
-- Invited: every odd text to an organization and a team of its name.
INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, team_id, role, status, sent_at, expires_at)
SELECT 50, n, text, n, NULL, 'member', 'pending', '2026-03-10 01:02:03.999999+00'::timestamptz, CASE WHEN n = 1 THEN 'infinity'::timestamptz END FROM golden.texts WHERE n % 2 = 1
UNION ALL SELECT 50, 100 + n, text, NULL, n, 'member', 'pending', '2026-03-11', NULL FROM golden.texts WHERE n % 2 = 1;
INSERT INTO saas.user_activity (account_id, user_id, last_opened_at, last_login_at)
SELECT n, n, '2026-03-31'::timestamptz - (n + 75) * interval '24 hours', NULL::timestamptz FROM golden.texts
UNION ALL SELECT 52, 62, NULL, '2026-02-28 23:59:59+00';
INSERT INTO saas.seat_snapshots (account_id, day, plan, purchased, licenses, invitations, used, over)
SELECT n, date '2026-03-30', 'pro', 1, 1, 0, 1 + (n % 5 <> 2)::integer, 0 FROM golden.texts
UNION ALL SELECT 52, '2026-03-25', 'pro', 0, 9, 0, 9, 9;
