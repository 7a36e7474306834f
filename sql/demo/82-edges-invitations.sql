-- Demo data, part 82: invitations at the edges (accounts 501 to 508; I1 to I5). Ids are no * 1000 + i.

SET LOCAL TIME ZONE 'UTC';

INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at, deleted_at)
VALUES (506, 50602, 'Formación', 'active', demo.t('-300 days'), NULL),
       (508, 50802, 'Closed Campus', 'active', demo.t('-300 days'), demo.t('-12 days'));
INSERT INTO saas.teams (account_id, team_id, name, role, source, created_at, deleted_at)
VALUES (506, 50651, 'Consultores', 'member', 'manual', demo.t('-300 days'), NULL),
       (508, 50851, 'Alumni', 'member', 'manual', demo.t('-300 days'), demo.t('-10 days')),
       (508, 50852, 'Evening Course', 'member', 'manual', demo.t('-300 days'), NULL);

-- target: an organization's n, or a team's from 51 on
INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, team_id, role, status, invited_by,
                              sent_at, send_count, expires_at, closed_at)
SELECT c.account_id, no * 1000 + i, local || '@' || c.domain, CASE WHEN target < 50 THEN no * 100 + target END,
       CASE WHEN target > 50 THEN no * 100 + target END, 'member', status, no * 10000 + 1, sent, sends, expires, closed
FROM (VALUES
  -- 501: a second before, at, a second after; the last day of five for the attention report, and a second more
  (501,  1, 'anton.weber',     1, 'pending',  demo.t('-720 hours -1 second'), 1, demo.t('-1 second'), NULL::timestamptz),
  (501,  2, 'berta.kern',      1, 'pending',  demo.t('-720 hours'),           1, demo.t(),            NULL),
  (501,  3, 'carl.frey',       1, 'pending',  demo.t('-720 hours 1 second'),  1, demo.t('1 second'),  NULL),
  (501,  4, 'dora.senn',       1, 'pending',  demo.t('-25 days'),             1, demo.t('5 days'),    NULL),
  (501,  5, 'emil.roth',       1, 'pending',  demo.t('-25 days 1 second'),    1, demo.t('5 days 1 second'), NULL),
  -- 502: the same without a written expiry: sent_at and 720 h
  (502,  1, 'ada.moro',        1, 'pending',  demo.t('-720 hours -1 second'), 1, NULL, NULL),
  (502,  2, 'bice.lupo',       1, 'pending',  demo.t('-720 hours'),           1, NULL, NULL),
  (502,  3, 'ciro.pace',       1, 'pending',  demo.t('-720 hours 1 second'),  1, NULL, NULL),
  -- 503: sent again in time; sent again and overdue again; three reminders, expiry never moved
  (503,  1, 'amy.ward',        1, 'pending',  demo.t('-10 days'),  2, demo.t('20 days'), NULL),
  (503,  2, 'ben.hale',        1, 'pending',  demo.t('-31 days'),  3, demo.t('-1 day'),  NULL),
  (503,  3, 'cleo.finch',      1, 'pending',  demo.t('-2 days'),   4, NULL,              NULL),
  -- 504: overdue to look at, but closed (I5); one accepted after its time
  (504,  1, 'ann.grey',        1, 'accepted', demo.t('-60 days'),  1, demo.t('-30 days'), demo.t('-58 days')),
  (504,  2, 'bob.lane',        1, 'revoked',  demo.t('-60 days'),  2, demo.t('-30 days'), demo.t('-40 days')),
  (504,  3, 'cat.moss',        1, 'expired',  demo.t('-60 days'),  1, demo.t('-30 days'), demo.t('-30 days')),
  (504,  4, 'dan.reed',        1, 'accepted', demo.t('-60 days'),  1, NULL,               demo.t('-29 days')),
  (504,  5, 'eve.tait',        1, 'revoked',  demo.t('-60 days'),  1, NULL,               NULL),
  -- 505: across the night of 29 March. 720 hours are not 30 days of Berlin's clock: 3 is due at 23:00 UTC
  -- on the 30th, 4 half an hour after the as-of although its thirtieth local day is over
  (505,  1, 'ida.sommer',      1, 'pending',  timestamptz '2026-02-27 01:30Z', 1, NULL, NULL),
  (505,  2, 'jan.winter',      1, 'pending',  timestamptz '2026-02-27 01:00Z', 1, timestamptz '2026-03-29 01:00Z', NULL),
  (505,  3, 'kai.herbst',      1, 'pending',  timestamptz '2026-02-28 23:00Z', 1, NULL, NULL),
  (505,  4, 'lea.lenz',        1, 'pending',  timestamptz '2026-03-01 00:30Z', 1, NULL, NULL),
  -- 506: one person, five invitations, one seat (L1)
  (506,  1, 'luz.prado',       1, 'pending',  demo.t('-20 days'),  1, demo.t('10 days'), NULL),
  (506,  2, 'Luz.Prado',       2, 'pending',  demo.t('-15 days'),  1, demo.t('15 days'), NULL),
  (506,  3, 'luz.prado',      51, 'pending',  demo.t('-12 days'),  1, demo.t('18 days'), NULL),
  (506,  4, 'luz.prado',       1, 'pending',  demo.t('-33 days'),  1, demo.t('-3 days'), NULL),
  (506,  5, 'LUZ.PRADO',       2, 'expired',  demo.t('-90 days'),  1, demo.t('-60 days'), demo.t('-60 days')),
  -- 508: endless; to a deleted team and organization, overdue and not; expired before it was sent; sent after the as-of
  (508,  1, 'uma.vale',        1, 'pending',  demo.t('-400 days'), 1, 'infinity',         NULL),
  (508,  2, 'vic.snow',       51, 'pending',  demo.t('-35 days'),  1, demo.t('-5 days'),  NULL),
  (508,  3, 'wes.ford',       51, 'pending',  demo.t('-15 days'),  1, demo.t('15 days'),  NULL),
  (508,  4, 'xia.bell',        2, 'pending',  demo.t('-36 days'),  1, NULL,               NULL),
  (508,  5, 'yan.west',        1, 'pending',  demo.t('-3 days'),   1, demo.t('-4 days'),  NULL),
  (508,  6, 'zoe.park',        1, 'pending',  demo.t('2 hours'),   1, NULL,               NULL),
  (508,  7, 'abe.knox',       52, 'pending',  demo.t('-31 days'),  1, NULL,               NULL)
) v (no, i, local, target, status, sent, sends, expires, closed)
JOIN demo.companies c USING (no);

-- An invitation without an address, overdue.
INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, role, status, sent_at, expires_at)
VALUES (508, 508008, NULL, 50801, 'member', 'pending', demo.t('-45 days'), demo.t('-15 days'));

-- 507: of people who hold a license already, once in capitals; 2 is overdue, and 3's license was revoked.
UPDATE saas.licenses SET revoked_at = demo.t('-30 days'), revoke_reason = 'removed_by_admin' WHERE user_id = 5070006;
UPDATE saas.organization_members SET left_at = demo.t('-30 days') WHERE user_id = 5070006;
UPDATE saas.account_members SET left_at = demo.t('-30 days') WHERE user_id = 5070006;
INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, role, status, invited_by, sent_at, expires_at)
SELECT account_id, 507000 + k - 3, CASE k WHEN 4 THEN upper(email) ELSE email END, 50701, 'admin', 'pending', 5070001,
       demo.t(make_interval(days => -CASE k WHEN 5 THEN 38 ELSE 8 END)), demo.t(make_interval(days => -CASE k WHEN 5 THEN 8 ELSE -22 END))
FROM demo.people
WHERE no = 507 AND k IN (4, 5, 6);
