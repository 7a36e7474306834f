-- Demo data, part 87: names and addresses that a report must carry unharmed, and ids above 2^53 (802 to 806, 991, 992).

SET LOCAL TIME ZONE 'UTC';

UPDATE saas.users u SET name = v.name
FROM (VALUES
  ( 2, '=1+1'),
  ( 3, '+49 30 1234567'),
  ( 4, '-Marie'),
  ( 5, '@everyone'),
  ( 6, E'\t=CMD("calc")'),
  ( 7, 'Quote "The" Raven, Jr.; O''Neil'),
  ( 8, E'Two\nLines\r\nThree'),
  ( 9, U&'\FF1D\FF11\FF0B\FF11'),                       -- full-width =1+1
  (10, U&'\202Eevil\202C \0627\0644\0639\0631\0628\064A\0629'),  -- a bidi override, then Arabic
  (11, U&'Zoe\0308 \FFFF n\0303'),                      -- combining marks, a noncharacter
  (12, U&'\+01F469\200D\+01F469\200D\+01F466 \+01F1EA\+01F1EA'),  -- a family and a flag
  (13, ''),
  (14, '  blanks  '),
  (15, '00123'),
  (16, U&'a\0001b\001Fc\0085d')                         -- control characters
) v (k, name)
WHERE u.user_id = 8020000 + v.k;

-- Addresses that are unusual and valid.
UPDATE saas.users u SET email = v.email
FROM (VALUES
  ( 4, 'marie+tag=x@formula-traders.example'),
  ( 5, '{every|one}%42@formula-traders.example'),
  ( 6, '=cmd@formula-traders.example'),
  ( 7, '"very,unusual name"@formula-traders.example'),
  ( 8, 'MiXeD.CaSe@Formula-Traders.Example'),
  ( 9, '-dash-@formula-traders.example'),
  (14, '1E5@formula-traders.example'),
  (15, '00123@formula-traders.example'),
  (16, 'x@[192.0.2.1]')
) v (k, email)
WHERE u.user_id = 8020000 + v.k;

-- Somebody without an address and without a license.
INSERT INTO saas.users (user_id, email, name, signed_up_at) VALUES (8020100, NULL, 'No Address', demo.t('-50 days'));

INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at)
VALUES (802, 80202, '=SUM(A1:A9)', 'active', demo.t('-300 days')),
       (802, 80203, E'Rows,\n"Columns"\t& Cells', 'active', demo.t('-300 days')),
       (802, 80204, U&'\200F\05DE\05E2\05E8\05DB\05EA (beta)', 'active', demo.t('-300 days')),
       (802, 80205, 'A; B', 'active', demo.t('-300 days')),
       (9007199254740993, 9007199254740995, 'Deep Field', 'active', demo.t('-300 days')),
       (9007199254740994, 9007199254740996, 'Wide Field', 'active', demo.t('-300 days'));
INSERT INTO saas.organization_members (account_id, organization_id, user_id, via, role, joined_at)
SELECT o.account_id, o.organization_id, p.user_id, 'direct', CASE p.k WHEN 1 THEN 'owner' ELSE 'member' END, o.created_at
FROM saas.organizations o
JOIN demo.people p USING (account_id)
JOIN demo.companies c USING (account_id)
WHERE (o.organization_id BETWEEN 80202 AND 80205 OR o.organization_id > 9007199254740000) AND p.k <= c.people;

INSERT INTO saas.teams (account_id, team_id, name, role, source, created_at)
VALUES (802, 80251, '@mentions, "quoted"', 'member', 'manual', demo.t('-300 days'));
INSERT INTO saas.team_organizations (account_id, team_id, organization_id, linked_at) VALUES (802, 80251, 80205, demo.t('-300 days'));

-- Overdue, to such targets.
INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, team_id, role, status, invited_by, sent_at, expires_at)
VALUES (802, 802001, '+plus@formula-traders.example', 80202, NULL, 'member', 'pending', 8020001, demo.t('-32 days'), demo.t('-2 days')),
       (802, 802002, '"a,b"@formula-traders.example', 80203, NULL, 'member', 'pending', 8020001, demo.t('-32 days'), demo.t('-2 days')),
       (802, 802003, '@at@formula-traders.example',   NULL, 80251, 'member', 'pending', 8020001, demo.t('-32 days'), NULL),
       (9007199254740993, 9007199254740997, 'star@big-number.example', 9007199254740995, NULL, 'member', 'pending', 9910001, demo.t('-32 days'), NULL),
       (9007199254740994, 9007199254740998, 'moon@next-number.example', 9007199254740996, NULL, 'member', 'pending', 9920001, demo.t('-32 days'), NULL);
