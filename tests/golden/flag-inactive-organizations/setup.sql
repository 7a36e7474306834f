-- Organizations that go inactive: every text as organization, account and owner's address. 1 to 32
-- by text with that owner, 40 the account's owner, 41 nobody, 42 an owner without an address; 43
-- comes back; 44 stays for another reason.
SET timezone = 'UTC';
INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, text, '2024-01-01' FROM golden.texts;
INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, 'account ' || n, '2024-01-01' FROM generate_series(40, 44) n;
INSERT INTO saas.accounts (account_id, name, created_at) VALUES
  (1234567890123456, 'sixteen digits', '2024-01-01'), (9007199254740993, '2^53 + 1', '2024-01-01');
INSERT INTO saas.users (user_id, email, name, signed_up_at)
SELECT n, text, 'U', '2024-01-01'::timestamptz FROM golden.texts
UNION ALL SELECT 40, 'owner@x.example', 'U', '2024-01-01'
UNION ALL SELECT 42, NULL, 'U', '2024-01-01'
UNION ALL SELECT n, 'm' || n || '@x.example', 'U', '2024-01-01' FROM generate_series(50, 53) n;
INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, started_at, ended_at, end_reason)
SELECT account_id, 1, CASE WHEN account_id % 2 = 0 THEN 'trial' ELSE 'base' END, CASE WHEN account_id % 2 = 0 THEN 'trial' ELSE 'enterprise' END,
       'sales', 'ended', 50, '2024-01-01', '2026-03-30 01:02:03.999999+00', 'x'
FROM saas.accounts;
INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, started_at)
SELECT account_id, 2, 'base', CASE WHEN account_id IN (43, 44) THEN 'pro' ELSE 'essentials' END, 'none', 'active', -1, '2026-03-30' FROM saas.accounts;
INSERT INTO saas.organizations (account_id, organization_id, name, status, inactive_since, inactive_reason, created_at)
SELECT a.account_id, CASE WHEN a.account_id > 100 THEN a.account_id ELSE 1 END, coalesce(t.text, 'Org'),
       CASE WHEN a.account_id IN (43, 44) THEN 'inactive' ELSE 'active' END,
       CASE WHEN a.account_id IN (43, 44) THEN '2026-01-01'::timestamptz END,
       CASE a.account_id WHEN 43 THEN 'trial_ended' WHEN 44 THEN 'abuse' END, '2024-01-01'
FROM saas.accounts a LEFT JOIN golden.texts t ON t.n = a.account_id;
INSERT INTO saas.organization_members (account_id, organization_id, user_id, via, joined_at, role)
SELECT n, 1, n, 'direct', '2024-01-01'::timestamptz, 'owner' FROM golden.texts
UNION ALL SELECT n, 1, 50 + k, 'direct', '2024-01-01', 'member' FROM golden.texts, generate_series(0, 3) k WHERE k < n % 4
UNION ALL SELECT 42, 1, 42, 'direct', '2024-01-01', 'owner'
UNION ALL SELECT 43, 1, 50, 'direct', '2024-01-01', 'owner'
UNION ALL SELECT 43, 1, 51, 'team', '2024-01-01', 'member'
UNION ALL SELECT 41, 1, 50, 'direct', '2024-01-01', 'member';
INSERT INTO saas.account_members (account_id, user_id, role, joined_at) VALUES (40, 40, 'owner', '2024-01-01'), (42, 40, 'owner', '2024-01-01');
