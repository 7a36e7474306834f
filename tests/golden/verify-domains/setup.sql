-- Domains: every text as account and domain, which are names that can be asked for in 1, 12, 27, 28
-- and 31 alone; 40 has one of each outcome, and domains with further rows; the rest big ids.
SET timezone = 'UTC';
INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, text, '2024-01-01' FROM golden.texts;
INSERT INTO saas.accounts (account_id, name, created_at) VALUES
  (40, 'one of each', '2024-01-01'), (1234567890123456, 'sixteen digits', '2024-01-01'), (9007199254740993, '2^53 + 1', '2024-01-01');
INSERT INTO saas.domains (account_id, domain, method, txt_token, verified_at, last_seen_at, lock_enabled_at)
SELECT n, text, 'unique_txt', 'token', CASE WHEN n % 2 = 0 THEN '2025-01-02 03:04:05.678+00'::timestamptz END,
       CASE WHEN n % 4 = 0 THEN '2026-03-30 23:59:59.999+00'::timestamptz END, CASE WHEN n % 3 = 0 THEN '2026-01-01'::timestamptz END
FROM golden.texts;
INSERT INTO saas.domains (account_id, domain, method, txt_token, root_domain, verified_at, last_seen_at, capture_enabled_at, lock_enabled_at) VALUES
  (40, 'a.example',     'unique_txt', 'token', NULL, NULL, NULL, '2026-01-01', '2026-01-01'),
  (40, 'B.example',     'unique_txt', 'token', NULL, '2025-01-01', '2026-03-30', NULL, NULL),
  (40, 'b.B.example',   'root', NULL, 'b.example', NULL, NULL, NULL, NULL),
  (40, 'gone.example',  'unique_txt', 'token', NULL, '2025-01-01', '2026-02-01', '2025-02-01', NULL),
  (40, 'lost.example',  'unique_txt', 'token', NULL, '2025-01-01', 'infinity', NULL, NULL),
  (40, 'fails.example', 'unique_txt', 'token', NULL, '9999-12-31', '0044-03-15 BC', NULL, NULL),
  (40, 'mute.example',  'unique_txt', 'token', NULL, NULL, NULL, NULL, '2026-01-01'),
  (40, 'none.example',  'unique_txt', 'token', NULL, NULL, NULL, '2026-01-01', NULL),
  (40, 'none',          'root', NULL, 'none.example', NULL, NULL, '2026-01-01', '2026-01-01'),
  (1234567890123456, 'a.example', 'unique_txt', 'other', NULL, NULL, NULL, NULL, NULL),
  (9007199254740993, 'a.example', 'unique_txt', 'token', NULL, '-infinity', NULL, NULL, NULL);
