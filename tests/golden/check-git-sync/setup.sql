-- Organizations over the limit and back within it: every text as account and organization. The odd ones
-- have four people or more and are flagged, the even ones are flagged already and have three or fewer;
-- 40 has a plan without a limit now.
SET timezone = 'UTC';
INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, text, '2024-01-01' FROM golden.texts;
INSERT INTO saas.accounts (account_id, name, created_at) VALUES (40, 'account 40', '2024-01-01'),
  (1234567890123457, 'sixteen digits', '2024-01-01'), (9007199254740993, '2^53 + 1', '2024-01-01');
INSERT INTO saas.users (user_id, email, name, signed_up_at)
SELECT n, 'm' || n || '@x.example', 'U', '2024-01-01'::timestamptz FROM generate_series(1, 9) n;
INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, started_at)
SELECT account_id, 1, 'base', CASE WHEN account_id = 40 THEN 'pro' ELSE 'essentials' END, 'none', 'active', -1, '2024-01-01' FROM saas.accounts;
INSERT INTO saas.organizations (account_id, organization_id, name, status, git_sync_enabled, git_sync_over_limit_since, created_at)
SELECT a.account_id, CASE WHEN a.account_id > 100 THEN a.account_id ELSE 1 END, coalesce(t.text, 'Org'), 'active', true,
       CASE WHEN a.account_id % 2 = 0 THEN '2026-01-02 03:04:05.999999+00'::timestamptz END, '2024-01-01'
FROM saas.accounts a LEFT JOIN golden.texts t ON t.n = a.account_id;
INSERT INTO saas.organization_members (account_id, organization_id, user_id, via, joined_at, role)
SELECT o.account_id, o.organization_id, u.user_id, CASE WHEN u.user_id % 2 = 0 THEN 'team' ELSE 'direct' END, '2024-01-01'::timestamptz, 'member'
FROM saas.organizations o CROSS JOIN saas.users u
WHERE u.user_id <= CASE WHEN o.account_id % 2 = 1 OR o.account_id = 40 THEN 4 + o.account_id % 5 ELSE o.account_id % 4 END;
