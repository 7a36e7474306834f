-- Captures: every text as account and in front of the @, one captured and one who waits in each; every
-- text as a name of somebody. 40 has unlimited seats; 41 an address in other letters, and somebody
-- whose own name is above 2^53; 42 two domains; 43 one that was captured before and is no row.
SET timezone = 'UTC';
INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, text, '2024-01-01' FROM golden.texts;
INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, 'account ' || n, '2024-01-01' FROM generate_series(40, 43) n;
INSERT INTO saas.accounts (account_id, name, created_at) VALUES
  (1234567890123456, 'sixteen digits', '2024-01-01'), (9007199254740993, '2^53 + 1', '2024-01-01');
INSERT INTO saas.subscriptions (account_id, kind, plan, channel, status, seats, started_at)
SELECT account_id, 'base', 'enterprise', 'sales', 'active', CASE account_id WHEN 40 THEN -1 WHEN 42 THEN 2 ELSE 1 END, '2024-01-01' FROM saas.accounts;
INSERT INTO saas.domains (account_id, domain, method, verified_at, capture_enabled_at)
SELECT account_id, 'd' || account_id || '.example', 'unique_txt', '2024-01-01'::timestamptz, '2025-01-01'::timestamptz FROM saas.accounts WHERE account_id <> 41
UNION ALL SELECT 41, 'GROẞ-Und-Klein.example', 'unique_txt', '2024-01-01', '2025-01-01'
UNION ALL SELECT 42, '10.example', 'unique_txt', '2024-01-01', '2025-01-01';
INSERT INTO saas.users (user_id, email, name, signed_up_at)
SELECT n * 10, text || '@d' || n || '.example', text, '2026-03-30 01:02:03.999999'::timestamptz FROM golden.texts
UNION ALL SELECT n * 10 + 1, 'late@d' || n || '.example', 'U', '2026-03-30 02:00:00' FROM golden.texts
UNION ALL SELECT n, 'p' || n || '@d40.example', 'U', '2026-01-01'::timestamptz + n * interval '1 min' FROM generate_series(1001, 1003) n
UNION ALL SELECT 9007199254740993, 'BIG@groẞ-und-klein.EXAMPLE', 'U', '2026-01-01'
UNION ALL SELECT 9007199254740992, 'big2@GROẞ-UND-KLEIN.example', 'U', '2026-01-01'
UNION ALL SELECT 1010, 'b@10.example', 'U', '2026-01-02'
UNION ALL SELECT 1009, 'a@d42.example', 'U', '2026-01-01'
UNION ALL SELECT 1008, 'c@d42.example', 'U', '2026-01-03'
UNION ALL SELECT 1020, 'x@d1234567890123456.example', 'U', '2026-01-02'
UNION ALL SELECT 1021, 'x@d9007199254740993.example', 'U', '2026-01-02'
UNION ALL SELECT 1030, 'gone@d43.example', 'U', '2026-01-02';
INSERT INTO saas.licenses (account_id, license_id, user_id, source, granted_at) VALUES (43, 1, 1030, 'capture', '2026-01-03');
