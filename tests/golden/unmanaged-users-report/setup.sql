-- Unmanaged people: every text as account, name and domain, whose CSV gets a tame name; every text in
-- front of an @. 40 to 42 have one domain verified, 40 captures it; a domain too long for a file's name.
SET timezone = 'UTC';
INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, text, '2024-01-01' FROM golden.texts;
INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, 'account ' || n, '2024-01-01' FROM generate_series(40, 43) n;
INSERT INTO saas.accounts (account_id, name, created_at) VALUES
  (1234567890123456, 'sixteen digits', '2024-01-01'), (9007199254740993, '2^53 + 1', '2024-01-01');
INSERT INTO saas.subscriptions (account_id, kind, plan, channel, status, seats, started_at)
SELECT account_id, 'base', 'enterprise', 'sales', 'active', 1, '2024-01-01' FROM saas.accounts;
INSERT INTO saas.domains (account_id, domain, method, verified_at, capture_enabled_at)
SELECT n, text, 'unique_txt', '2024-01-01'::timestamptz, NULL::timestamptz FROM golden.texts
UNION ALL SELECT n, 'names' || n || '.example', 'unique_txt', '2024-01-01', NULL FROM golden.texts
UNION ALL SELECT n, 'Shared.example', 'unique_txt', '2024-01-01', CASE n WHEN 40 THEN '2025-01-01'::timestamptz END FROM generate_series(40, 42) n
UNION ALL SELECT 43, repeat('long.', 60) || 'example', 'unique_txt', '2024-01-01', NULL
UNION ALL SELECT 9007199254740993, 'big.example', 'unique_txt', '2024-01-01', NULL;
INSERT INTO saas.users (user_id, email, name, signed_up_at)
SELECT n * 10, 'p' || n || '@' || text, text, '2020-01-01 01:02:03.999999'::timestamptz FROM golden.texts
UNION ALL SELECT n * 10 + 1, text || '@names' || n || '.example', text, '2020-01-02' FROM golden.texts
UNION ALL SELECT 1000, 'before@shared.example', 'Unmanaged in all three', '2024-12-31'
UNION ALL SELECT 1001, 'captured@shared.example', 'Captured by 40', '2025-01-02'
UNION ALL SELECT 1002, 'waits@shared.example', 'Waits in 40', '2025-01-03'
UNION ALL SELECT 1003, 'licensed@shared.example', 'Licensed in 42', '2024-01-03'
UNION ALL SELECT 1010, 'x@' || repeat('long.', 60) || 'example', 'Long', '2024-01-03'
UNION ALL SELECT 9007199254740993, 'z@big.example', 'Second by address', '2024-01-03'
UNION ALL SELECT 9007199254740994, 'Y@big.example', 'First by address', '2024-01-03';
INSERT INTO saas.licenses (account_id, license_id, user_id, source, granted_at) VALUES (42, 1, 1003, 'manual', '2024-01-03');
