-- Licenses: every text as address, name, organization and team; every band of A2; large ids.
SET timezone = 'UTC';
INSERT INTO saas.accounts (account_id, name, created_at) VALUES
  (7, '=cmd|''/c calc''!A1', '2024-01-01'), (1234567890123456, E'two\nlines', '2024-01-01'), (9007199254740993, '2^53 + 1', '2024-01-01'),
  (9007199254740994, '2^53 + 2', '2024-01-01');
INSERT INTO saas.users (user_id, email, name, signed_up_at)
SELECT n, text, text, '2024-01-01'::timestamptz FROM golden.texts
UNION ALL SELECT 40, NULL, 'no address', '2024-01-01'
UNION ALL SELECT 9007199254740993, 'big@x.example', 'Big', '2024-01-01'
UNION ALL SELECT 100 + age, 'age' || age || '@x.example', 'Age', '2024-01-01' FROM unnest('{0,90,91,100,101}'::integer[]) age;
INSERT INTO saas.licenses (account_id, license_id, user_id, source, granted_at)
SELECT 7, n, n, (ARRAY['owner','invitation','scim','capture','manual'])[1 + n % 5], '2026-01-01 12:00:00.75+00'::timestamptz + n * interval '1 day' FROM golden.texts
UNION ALL SELECT 7, 40, 40, 'manual', '2024-02-29'
UNION ALL SELECT 1234567890123456, 100 + age, 100 + age, 'manual', '2024-01-01' FROM unnest('{0,90,91,100,101}'::integer[]) age
UNION ALL SELECT 9007199254740993, 9007199254740993, 9007199254740993, 'scim', '1969-12-31 23:59:59+00'
UNION ALL SELECT 9007199254740994, 9007199254740994, 9007199254740993, 'scim', '2024-01-01';
INSERT INTO saas.account_members (account_id, user_id, role, joined_at) VALUES
  (7, 1, 'owner', '2024-01-01'), (7, 2, 'co_owner', '2024-01-01'), (7, 3, 'billing', '2024-01-01');
INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at) SELECT 7, n, text, 'active', '2024-01-01' FROM golden.texts;
INSERT INTO saas.organization_members (account_id, organization_id, user_id, via, joined_at, role)
SELECT 7, n, n, 'direct', '2024-01-01'::timestamptz, 'member' FROM golden.texts
UNION ALL SELECT 7, o, 40, 'direct', '2024-01-01', 'member' FROM unnest('{10,3,1,4}'::integer[]) o;
INSERT INTO saas.teams (account_id, team_id, name, role, source, created_at) SELECT 7, n, text, 'member', 'manual', '2024-01-01' FROM golden.texts;
INSERT INTO saas.team_members (account_id, team_id, user_id, source, joined_at)
SELECT 7, n, n, 'manual', '2024-01-01' FROM golden.texts WHERE n % 2 = 1;
INSERT INTO saas.user_activity (account_id, user_id, last_opened_at, last_login_at)
SELECT 1234567890123456, 100 + age, '2026-03-31'::timestamptz - age * interval '24 hours', NULL::timestamptz FROM unnest('{0,90,91,100,101}'::integer[]) age
UNION ALL SELECT 7, 1, NULL, '2026-02-28 23:59:59+00'
UNION ALL SELECT 7, 2, '2025-05-19', '2026-02-28';
INSERT INTO saas.user_activity_days (account_id, user_id, day, requests_created, requests_executed, documents_created)
SELECT 9007199254740993, 9007199254740993, date '2026-03-31' - d, 2000000000, 2000000000, 1 FROM generate_series(0, 9) d;
