-- Renewals, one per text as account and as the number of its open invoice. 40 overdue, 41 cancelled,
-- 42 not yet paid then, 43 without an end, 44 too far ahead, 45 in 1969, 46 two at once.
SET timezone = 'UTC';
INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, text, '2024-01-01' FROM golden.texts;
INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, 'account ' || n, '2024-01-01' FROM generate_series(40, 46) n;
INSERT INTO saas.accounts (account_id, name, created_at) VALUES
  (1234567890123456, 'sixteen digits', '2024-01-01'), (9007199254740993, '2^53 + 1', '2024-01-01');
INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, unit_amount, currency, period_months, started_at, period_end)
SELECT account_id, account_id * 10 % 1000000 + 1, 'base', CASE WHEN account_id % 2 = 0 THEN 'pro' ELSE 'enterprise' END, CASE WHEN account_id % 2 = 0 THEN 'self_serve' ELSE 'sales' END,
       CASE WHEN account_id % 5 = 0 THEN 'past_due' ELSE 'active' END, 5 + account_id % 100,
       1999, (ARRAY['EUR', 'JPY', 'KWD', 'USD'])[1 + account_id % 4], 12, '1960-01-01',
       CASE WHEN account_id < 40 THEN timestamptz '2026-04-01 12:34:56.789' + account_id * interval '60 hours' ELSE '2026-05-01' END
FROM saas.accounts;
UPDATE saas.subscriptions SET period_end = '2026-03-30 23:59:59.999999' WHERE account_id = 40;
UPDATE saas.subscriptions SET cancel_at_period_end = true WHERE account_id = 41;
UPDATE saas.subscriptions SET period_end = 'infinity' WHERE account_id = 43;
UPDATE saas.subscriptions SET period_end = '2026-06-29 00:00:00.000001' WHERE account_id = 44;
UPDATE saas.subscriptions SET period_end = '1969-12-31 23:59:59', seats = -1 WHERE account_id = 45;
UPDATE saas.subscriptions SET seats = NULL, unit_amount = NULL WHERE account_id > 100;
INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, started_at, period_end)
VALUES (46, 400, 'base', 'enterprise', 'sales', 'ended', 3, '2026-01-01', '2026-05-01');
INSERT INTO saas.billing_lines (account_id, invoice_number, line_number, plan, seats, period_start, period_end, amount, currency, status, paid_at)
SELECT n, text, 1, 'pro', 5, '2026-03-01'::timestamptz, '2026-04-01'::timestamptz, 999, 'EUR', 'open', NULL::timestamptz FROM golden.texts
UNION ALL SELECT n, 'ZZZ', 1, 'pro', 5, '2026-03-02', '2026-04-01', 999, 'EUR', 'open', NULL FROM golden.texts
UNION ALL SELECT 42, 'INV-42', 1, 'pro', 5, '2026-03-01', '2026-04-01', 999, 'EUR', 'paid', '2026-03-31 00:00:00.000001'
UNION ALL SELECT 41, 'INV-41', 1, 'pro', 5, '2026-03-01', '2026-04-01', 999, 'EUR', 'paid', '2026-03-31';
INSERT INTO saas.users (user_id, email, name, signed_up_at) SELECT n, 'u' || n || '@x.example', 'U', '2024-01-01' FROM generate_series(1, 3) n;
INSERT INTO saas.licenses (account_id, license_id, user_id, source, granted_at)
SELECT a, n, n, 'manual', '2024-01-01' FROM unnest('{1,40,46,1234567890123456}'::bigint[]) a, generate_series(1, 3) n;
