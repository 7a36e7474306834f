-- Findings, one per text as account, as an organization nobody opens, as the target of an invitation, and
-- as the reason an account was set aside. 40 has one of each other finding; 41 has none.
SET timezone = 'UTC';
INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, text, '2024-01-01' FROM golden.texts;
INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, 'account ' || n, '2024-01-01' FROM generate_series(40, 41) n;
INSERT INTO saas.accounts (account_id, name, created_at) VALUES
  (1234567890123456, 'sixteen digits', '2024-01-01'), (9007199254740993, '2^53 + 1', '2024-01-01');
INSERT INTO saas.users (user_id, email, name, signed_up_at) SELECT n, 'u' || n || '@x.example', 'U', '2024-01-01' FROM generate_series(1, 60) n;
INSERT INTO saas.account_members (account_id, user_id, role, joined_at)
SELECT account_id, 1, 'owner', '2024-01-01'::timestamptz FROM saas.accounts WHERE account_id <> 40
UNION ALL SELECT account_id, 2, 'co_owner', '2024-01-01' FROM saas.accounts WHERE account_id NOT IN (40, 1234567890123456);
INSERT INTO saas.organizations (account_id, organization_id, name, is_personal, status, created_at)
SELECT account_id, 1, 'Personal', true, 'active', '2024-01-01'::timestamptz FROM saas.accounts WHERE account_id <> 40
UNION ALL SELECT n, 2, text, false, 'active', '2024-01-01' FROM golden.texts
UNION ALL SELECT account_id, account_id, 'Opened', false, 'active', '2024-01-01' FROM saas.accounts WHERE account_id BETWEEN 40 AND 41
UNION ALL SELECT account_id, account_id, 'Never opened', false, 'active', '2024-01-01' FROM saas.accounts WHERE account_id > 100;
INSERT INTO saas.organization_members (account_id, organization_id, user_id, via, joined_at, role)
SELECT n, 2, 3, 'direct', '2024-01-01'::timestamptz, 'member' FROM golden.texts UNION ALL SELECT n, n, 3, 'direct', '2024-01-01', 'member' FROM generate_series(40, 41) n;
INSERT INTO saas.user_activity (account_id, user_id, last_opened_at)
SELECT n, 3, timestamptz '2025-12-30 23:59:59.999999' - n * interval '1 day' FROM golden.texts UNION ALL SELECT n, 3, '2026-03-30' FROM generate_series(40, 41) n;
INSERT INTO saas.teams (account_id, team_id, name, role, source, created_at) SELECT n, 3, text, 'member', 'manual', '2024-01-01' FROM golden.texts;
INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, team_id, role, status, sent_at, expires_at)
SELECT n, n, 'never shown', CASE WHEN n % 2 = 0 THEN 2 END, CASE WHEN n % 2 = 1 THEN 3 END, 'member', 'pending', '2026-03-05 01:02:03.999999', '2026-04-04 01:02:03.999999'
FROM golden.texts;
INSERT INTO lapse.quarantine (account_id, job, reason, since, run_id) SELECT n, 'end-trials', text, '2026-03-29 04:05:06.789', 1 FROM golden.texts WHERE n % 3 <> 0;
INSERT INTO lapse.quarantine (account_id, job, reason, since, run_id) SELECT n, 'downgrade-plans', text, '-infinity', 1 FROM golden.texts WHERE n % 3 = 0;
-- 40
INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, started_at, trial_ends_at) VALUES
  (40, 401, 'base', 'pro', 'sales', 'active', 2, '2024-01-01', NULL), (40, 402, 'trial', 'trial', 'none', 'trialing', 50, '2026-03-19 00:00:01', NULL);
INSERT INTO saas.licenses (account_id, license_id, user_id, source, granted_at) SELECT 40, n, n, 'manual', '2024-01-01' FROM generate_series(1, 58) n;
INSERT INTO saas.scim_connections (account_id, provider, token_expires_at) VALUES (40, 'okta', '2026-04-20'), (40, 'azure', '2026-03-31');
INSERT INTO saas.activation_codes (account_id, code_hash, plan, seats, period_end, issued_at, verified_at) VALUES
  (40, 'secret-2', 'enterprise', 5, '2026-03-31 00:00:01', '2026-01-31', NULL), (40, 'secret-1', 'pro', 5, 'infinity', '2026-02-28 23:00:00', '2026-03-31');
INSERT INTO saas.storage_rules (account_id, organization_id, cloud_sync, local_vault, git_sync) VALUES (40, 0, true, false, false), (40, 40, true, true, true);
