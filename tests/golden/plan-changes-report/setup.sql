-- February's plan changes, one per text as account and as reason. 40 several of one account, 41 seats
-- that nobody knows, 42 at the month's edges, 43 in 1969, 44 what the product did itself.
SET timezone = 'UTC';
INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, text, '2024-01-01' FROM golden.texts;
INSERT INTO saas.accounts (account_id, name, created_at) SELECT n, 'account ' || n, '2024-01-01' FROM generate_series(40, 44) n;
INSERT INTO saas.accounts (account_id, name, created_at) VALUES
  (1234567890123456, 'sixteen digits', '2024-01-01'), (9007199254740993, '2^53 + 1', '2024-01-01');
INSERT INTO saas.plan_changes (account_id, change_no, from_plan, to_plan, from_seats, to_seats, reason, effective_at, processed_at, run_id)
SELECT n, 100 + n, 'pro', 'essentials', n, -1, text, timestamptz '2026-01-30 12:34:56.789' + n * interval '1 hour', '2026-02-11 02:30:00'::timestamptz, 7 FROM golden.texts
UNION ALL SELECT account_id, account_id, 'trial', 'enterprise', 50, 2147483647, 'trial_ended_to_code', 'infinity'::timestamptz, '2026-02-11 02:30:00', account_id
FROM saas.accounts WHERE account_id > 100;
INSERT INTO saas.plan_changes (account_id, change_no, from_plan, to_plan, from_seats, to_seats, reason, effective_at, processed_at, run_id) VALUES
  (40, 900, 'trial', 'pro', 50, 10, 'trial_ended', '2026-02-09', '2026-02-10 02:30:00', 8),
  (40, 9007199254740993, 'pro', 'essentials', 10, -1, 'expired_without_renewal', '2026-02-09', '2026-02-10 02:30:00', 8),
  (40, 1000, 'pro', 'pro', 10, 12, 'seats_changed', '2026-02-08', '2026-02-10 02:30:00', 9007199254740995),
  (41, 1, 'enterprise', 'pro', NULL, NULL, 'manual_downgrade', '2026-02-01', '2026-02-28 23:59:59.999999', 9),
  (42, 1, 'pro', 'essentials', 1, -1, 'expired_without_renewal', '2026-02-01', '2026-01-31 23:59:59.999999', 5),
  (42, 2, 'pro', 'essentials', 2, -1, 'expired_without_renewal', '2026-02-01', '2026-02-01', 6),
  (42, 3, 'pro', 'essentials', 3, -1, 'expired_without_renewal', '2026-02-01', '2026-03-01', 10),
  (43, 1, 'pro', 'essentials', 3, -1, 'expired_without_renewal', '1969-12-31 23:59:59', '2026-02-14 02:30:00', 8),
  (44, 1, 'essentials', 'pro', -1, 5, 'upgraded', '2026-02-14 15:16:17.5', NULL, NULL);
