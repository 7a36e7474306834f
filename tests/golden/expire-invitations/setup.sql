-- Invitations that lapse: every text as address, organization or team; large ids; no address at all.
-- Not listed: one that is not over, one that is accepted.
SET timezone = 'UTC';
INSERT INTO saas.accounts (account_id, name, created_at) VALUES
  (7, 'Seven', '2024-01-01'), (1234567890123456, '=HYPERLINK("http://x")', '2024-01-01'),
  (9007199254740993, E'two\nlines', '2024-01-01'), (9223372036854775807, 'the last id', '2024-01-01');
INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at)
SELECT 7, n, text, 'active', '2024-01-01' FROM golden.texts;
INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at)
SELECT account_id, 1, 'Org', 'active', '2024-01-01' FROM saas.accounts WHERE account_id > 7;
INSERT INTO saas.teams (account_id, team_id, name, role, source, created_at)
SELECT 7, n, text, 'member', 'manual', '2024-01-01' FROM golden.texts;
-- 101 ... to organizations, 201 ... to teams; sent one second apart, due since.
INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, role, status, sent_at)
SELECT 7, 100 + n, text, n, 'member', 'pending', '2026-02-01 12:00:00+00'::timestamptz + n * interval '1 second' FROM golden.texts;
INSERT INTO saas.invitations (account_id, invitation_id, email, team_id, role, status, sent_at, expires_at)
SELECT 7, 200 + n, NULL, n, 'admin', 'pending', '2026-02-01', '2026-03-30 23:59:59.999999+00' FROM golden.texts;
INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, role, status, sent_at, expires_at) VALUES
  (7, 9007199254740993, 'big@x.example', 1, 'owner', 'pending', '2026-03-01', '2026-03-31'),
  (7, 1234567890123456, 'sixteen@x.example', 1, 'member', 'pending', '2026-03-01', NULL),
  (7, 301, 'not over', 1, 'member', 'pending', '2026-03-01', '2026-03-31 00:00:01+00'),
  (7, 302, 'accepted', 1, 'member', 'accepted', '2026-01-01', NULL),
  (1234567890123456, 1, 'a@x.example', 1, 'member', 'pending', '2026-01-01', NULL),
  (9007199254740993, 1, 'b@x.example', 1, 'member', 'pending', '2025-12-31 23:30:00-05', NULL),
  (9223372036854775807, 9223372036854775807, 'c@x.example', 1, 'member', 'pending', '1970-01-01', NULL);
