-- Findings with one of the texts each as the account's name; 40 unpaid, 41 another plan, 42 yen, 43 a
-- renewal, 2 one by a line that overlaps. The file that is imported adds customers nobody knows, with texts of their own.
SET timezone = 'UTC';
INSERT INTO saas.accounts (account_id, name, created_at, external_ref) SELECT n, text, '2024-01-01', 'cus_' || n FROM golden.texts;
INSERT INTO saas.accounts (account_id, name, created_at, external_ref) SELECT n, 'account ' || n, '2024-01-01', 'cus_' || n FROM generate_series(40, 43) n;
INSERT INTO saas.accounts (account_id, name, created_at) VALUES (9007199254740993, '2^53 + 1', '2024-01-01');
INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, unit_amount, currency, period_months, started_at, period_end)
SELECT account_id, account_id * 10 + 1, 'base', 'pro', 'sales', 'active', 5, 1500, CASE account_id WHEN 42 THEN 'JPY' ELSE 'EUR' END, 1,
       '2024-01-01', '2026-04-15 12:34:56.789+00'
FROM saas.accounts WHERE account_id < 100;
INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, started_at, period_end)
VALUES (9007199254740993, 9007199254740995, 'base', 'enterprise', 'sales', 'active', -1, '2024-01-01', 'infinity');
