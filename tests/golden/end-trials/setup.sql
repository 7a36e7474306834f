-- Trials that end, one per text as the account's name; over Essentials, Pro, Enterprise and codes.
-- Account 1 to 32 by text, 40 a code, 41 a base that lapses too, 42 more people than seats, 43 live.
SET timezone = 'UTC';
INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, text, '2024-01-01' FROM golden.texts;
INSERT INTO saas.accounts (account_id, name, created_at) VALUES
  (40, 'code', '2024-01-01'), (41, 'lapses too', '2024-01-01'), (42, 'over', '2024-01-01'), (43, 'live', '2024-01-01'),
  (1234567890123456, 'sixteen digits', '2024-01-01'), (9007199254740993, '2^53 + 1', '2024-01-01');
INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, period_months, started_at, period_end)
SELECT account_id, 1, 'base', CASE account_id % 3 WHEN 0 THEN 'essentials' WHEN 1 THEN 'pro' ELSE 'enterprise' END, 'none', 'active',
       CASE account_id % 3 WHEN 0 THEN -1 WHEN 1 THEN 2 ELSE 1234567 END, 1, '2024-01-01', '2026-12-31'
FROM saas.accounts;
UPDATE saas.subscriptions SET period_end = '2026-03-20' WHERE account_id = 41;
UPDATE saas.subscriptions SET plan = 'pro', seats = 2 WHERE account_id IN (41, 42);
INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, started_at, trial_ends_at)
SELECT account_id, CASE WHEN account_id > 100 THEN account_id ELSE 2 END, 'trial', 'trial', 'none', 'trialing', 50,
       '2026-03-16 22:15:30.5+00', CASE WHEN account_id % 2 = 0 THEN '2026-03-30 22:15:30.5+00'::timestamptz END
FROM saas.accounts;
UPDATE saas.subscriptions SET started_at = '2026-03-30', trial_ends_at = NULL WHERE account_id = 43 AND kind = 'trial';
INSERT INTO saas.activation_codes (account_id, code_hash, plan, seats, period_end, issued_at, verified_at) VALUES
  (40, 'c0de', 'enterprise', 30, '2027-01-01', '2026-03-01', '2026-03-20');
INSERT INTO saas.users (user_id, email, name, signed_up_at) SELECT n, 'u' || n || '@x.example', 'U', '2024-01-01' FROM generate_series(1, 3) n;
INSERT INTO saas.licenses (account_id, license_id, user_id, source, granted_at)
SELECT a, n, n, 'manual', '2024-01-01' FROM unnest('{1,42,9007199254740993}'::bigint[]) a, generate_series(1, 3) n;
SELECT setval(pg_get_serial_sequence('saas.subscriptions', 'subscription_id'), 5000);
