-- Plans that lapse, one per text as the account's name. 40 by hand to Pro with too few seats, 41 a
-- chain, 42 seats and then a lapse, 43 seats alone, 44 waits for a trial, 45 not due, 46 in 1969.
SET timezone = 'UTC';
INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, text, '2024-01-01' FROM golden.texts;
INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, 'account ' || n, '2024-01-01' FROM generate_series(40, 46) n;
INSERT INTO saas.accounts (account_id, name, created_at) VALUES
  (1234567890123456, 'sixteen digits', '2024-01-01'), (9007199254740993, '2^53 + 1', '2024-01-01');
INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, period_months, started_at, period_end)
SELECT account_id, account_id * 10 + 1, 'base', CASE WHEN account_id % 2 = 0 THEN 'pro' ELSE 'enterprise' END, 'sales', 'active', 5, 1,
       '1950-01-01', '2026-03-30 12:34:56.789+00'
FROM saas.accounts WHERE account_id < 100;
INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, period_months, started_at, period_end)
SELECT account_id, account_id, 'base', 'pro', 'sales', 'past_due', NULL, 1, '2024-01-01', '2026-03-31'
FROM saas.accounts WHERE account_id > 100;
UPDATE saas.subscriptions SET plan = 'enterprise', cancel_at_period_end = true, next_plan = 'pro', next_seats = 1 WHERE account_id = 40;
UPDATE saas.subscriptions SET cancel_at_period_end = true, next_plan = 'pro', period_end = '2026-01-31' WHERE account_id = 41;
UPDATE saas.subscriptions SET next_seats = 7, next_seats_from = '2026-03-30' WHERE account_id = 42;
UPDATE saas.subscriptions SET next_seats = 1, next_seats_from = '2026-03-30', period_end = NULL WHERE account_id = 43;
UPDATE saas.subscriptions SET period_end = 'infinity' WHERE account_id = 45;
UPDATE saas.subscriptions SET period_end = '1969-12-31 23:59:59+00' WHERE account_id = 46;
INSERT INTO saas.subscriptions (account_id, kind, plan, channel, status, seats, started_at) VALUES
  (44, 'trial', 'trial', 'none', 'trialing', 50, '2026-03-30');
INSERT INTO saas.users (user_id, email, name, signed_up_at) SELECT n, 'u' || n || '@x.example', 'U', '2024-01-01' FROM generate_series(1, 3) n;
INSERT INTO saas.licenses (account_id, license_id, user_id, source, granted_at)
SELECT a, n, n, 'manual', '2024-01-01' FROM unnest('{1,40,43,1234567890123456}'::bigint[]) a, generate_series(1, 3) n;
SELECT setval(pg_get_serial_sequence('saas.subscriptions', 'subscription_id'), 5000);
