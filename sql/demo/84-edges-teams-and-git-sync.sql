-- Demo data, part 84: what teams give and take, SCIM's news, Git Sync (accounts 607 to 611 and 651 to 661).

SET LOCAL TIME ZONE 'UTC';

-- Teams start from nothing here: only the owner and the two after are direct members.
DELETE FROM saas.organization_members m
USING demo.people p
WHERE p.user_id = m.user_id AND p.account_id = m.account_id AND p.no IN (607, 608, 610, 611) AND p.k > 3;

INSERT INTO saas.organizations (account_id, organization_id, name, status, created_at, deleted_at)
VALUES (607, 60702, 'Weberei', 'active', demo.t('-600 days'), NULL),
       (607, 60703, 'Färberei', 'active', demo.t('-600 days'), NULL),
       (611, 61102, 'Old Exchange', 'active', demo.t('-600 days'), demo.t('-20 days'));

INSERT INTO saas.teams (account_id, team_id, name, role, source, external_id, created_at, deleted_at)
VALUES (607, 60751, 'Leitung',    'admin',  'manual', NULL,             demo.t('-500 days'), NULL),
       (607, 60752, 'Werkstatt',  'member', 'manual', NULL,             demo.t('-500 days'), NULL),
       (607, 60753, 'Aufgelöst',  'member', 'manual', NULL,             demo.t('-500 days'), demo.t('-15 days')),
       (608, 60851, 'Guides',     'member', 'scim',   'grp-okavango-01', demo.t('-500 days'), NULL),
       (608, 60852, 'Rangers',    'member', 'manual', 'grp-okavango-02', demo.t('-500 days'), NULL),
       (608, 60853, 'Poachers',   'member', 'scim',   'grp-okavango-03', demo.t('-500 days'), demo.t('-200 days')),
       (610, 61051, 'Zámečníci',  'member', 'scim',   'grp-klice-01',    demo.t('-500 days'), NULL),
       (610, 61052, 'Brigáda',    'admin',  'manual', NULL,             demo.t('-500 days'), NULL),
       (611, 61151, 'Operators',  'member', 'manual', NULL,             demo.t('-500 days'), NULL);

INSERT INTO saas.team_organizations (account_id, team_id, organization_id, linked_at, unlinked_at)
VALUES (607, 60751, 60702, demo.t('-400 days'), NULL),
       (607, 60752, 60702, demo.t('-400 days'), NULL),
       (607, 60752, 60703, demo.t('-400 days'), demo.t('-5 days')),
       (607, 60753, 60702, demo.t('-400 days'), NULL),
       (608, 60851, 60801, demo.t('-400 days'), NULL),
       (608, 60852, 60801, demo.t('-400 days'), NULL),
       (610, 61051, 61001, demo.t('-400 days'), NULL),
       (610, 61052, 61001, demo.t('-400 days'), NULL),
       (611, 61151, 61101, demo.t('-400 days'), NULL),
       (611, 61151, 61102, demo.t('-400 days'), NULL),   -- an organization deleted since: gives nothing
       (611, 61151, 60701, demo.t('-400 days'), NULL),   -- another account's organization
       (611, 61151, 61199, demo.t('-400 days'), NULL);   -- one that does not exist

INSERT INTO saas.team_members (account_id, team_id, user_id, source, joined_at, left_at)
SELECT no, team_id, no * 10000 + k, source, demo.t(make_interval(days => -since)), demo.t(make_interval(days => -until))
FROM (VALUES
  (607, 60752,  4, 'manual', 30, NULL::integer),  -- in the team, without access: to be added
  (607, 60752,  6, 'manual', 300, 10),            -- left the team ten days ago, still has access: to be ended then
  (607, 60751,  7, 'manual', 300, NULL),          -- in both teams, but a member only: admin is the higher
  (607, 60752,  7, 'manual', 300, NULL),
  (607, 60752,  8, 'manual', 300, NULL),          -- a direct member as well (M2)
  (607, 60752,  9, 'manual', 300, NULL),          -- all as it should be
  (607, 60752, 10, 'manual', 300, 100),           -- left and came back: to be added once more
  (607, 60752, 10, 'manual', 20, NULL),
  (607, 60753, 12, 'manual', 300, NULL),          -- the team was deleted, the access stayed
  (608, 60851,  4, 'scim', 300, NULL),
  (608, 60851,  5, 'scim', 300, NULL),
  (608, 60851,  6, 'scim', 300, NULL),
  (608, 60851,  7, 'manual', 300, NULL),
  (608, 60852,  6, 'manual', 300, NULL),          -- has another team to rely on
  (608, 60852,  8, 'manual', 300, NULL),
  (610, 61051,  4, 'scim', 300, NULL),
  (610, 61051,  5, 'scim', 300, NULL),
  (610, 61051,  6, 'scim', 300, NULL),            -- by the identity provider and by hand
  (610, 61051,  6, 'manual', 250, NULL),
  (610, 61052,  7, 'manual', 300, NULL),
  (611, 61151,  4, 'manual', 300, NULL),
  (611, 61151,  5, 'manual', 300, NULL)
) v (no, team_id, k, source, since, until);

INSERT INTO saas.organization_members (account_id, organization_id, user_id, via, role, joined_at, left_at)
SELECT org / 100, org, org / 100 * 10000 + k, via, role, demo.t(make_interval(days => -since)), demo.t(make_interval(days => -until))
FROM (VALUES
  (60702,  1, 'direct', 'owner',  500, NULL::integer),
  (60703,  1, 'direct', 'owner',  500, NULL),
  (60702,  5, 'team',   'member', 60,  NULL),     -- never in a team: to be ended at the as-of
  (60702,  6, 'team',   'member', 300, NULL),
  (60702,  7, 'team',   'member', 300, NULL),
  (60702,  8, 'direct', 'admin',  350, NULL),
  (60702,  8, 'team',   'member', 300, NULL),
  (60702,  9, 'team',   'member', 300, NULL),
  (60702, 10, 'team',   'member', 300, 100),
  (60703,  9, 'team',   'member', 300, NULL),     -- the link ended five days ago
  (60702, 11, 'direct', 'member', 200, NULL),     -- a direct member without a team: never touched
  (60702, 12, 'team',   'member', 300, NULL),
  (60801,  4, 'team',   'member', 300, NULL),
  (60801,  5, 'team',   'member', 300, NULL),
  (60801,  6, 'team',   'member', 300, NULL),
  (60801,  7, 'team',   'member', 300, NULL),
  (60801,  8, 'team',   'member', 300, NULL),
  (60801,  5, 'direct', 'member', 100, NULL),
  (61001,  4, 'team',   'member', 300, NULL),
  (61001,  5, 'team',   'member', 300, NULL),
  (61001,  6, 'team',   'member', 300, NULL),
  (61001,  7, 'team',   'admin',  300, NULL),
  (61001,  4, 'direct', 'member', 280, NULL),
  (61001,  8, 'direct', 'member', 280, NULL),
  (61101,  4, 'team',   'member', 300, NULL),
  (61101,  5, 'team',   'member', 300, NULL)
) v (org, k, via, role, since, until);

INSERT INTO saas.scim_connections (account_id, provider, token_expires_at, last_sync_at)
VALUES (608, 'okta', demo.t('100 days'), demo.t('-1 hour')),
       (609, 'okta', demo.t('100 days'), demo.t('-1 hour')),
       (610, 'azure', NULL, demo.t('-1 hour'));
UPDATE saas.licenses SET source = 'scim' WHERE user_id IN (6080004, 6080005, 6080006, 6100004, 6100006, 6090004);
UPDATE saas.licenses SET source = 'manual' WHERE user_id IN (6100005, 6100007);

-- 608 (M3): Guides is gone and its invitations with it; Rangers was made by hand and stays whatever is said;
-- Poachers is gone already; nobody knows the last one. 609 (M4): the last owner stays, and is reported.
-- 610: 4's license came from SCIM, 5's did not (the address in capitals), 6 stays in the team by hand,
-- 7 has nothing of SCIM's; one address is nobody's, one event has been carried out before.
INSERT INTO saas.scim_events (account_id, event_id, kind, email, external_id, received_at, applied_at)
VALUES (608, 460001, 'team_deleted', NULL, 'grp-okavango-01', demo.t('-2 days'), NULL),
       (608, 460002, 'team_deleted', NULL, 'grp-okavango-02', demo.t('-2 days'), NULL),
       (608, 460003, 'team_deleted', NULL, 'grp-okavango-03', demo.t('-1 day'), NULL),
       (608, 460004, 'team_deleted', NULL, 'grp-nobody-knows', demo.t('-1 day'), NULL),
       (608, 460005, 'team_deleted', NULL, 'grp-okavango-04', demo.t('3 hours'), NULL),
       (610, 460009, 'user_deprovisioned', 'stranger@elsewhere.example', NULL, demo.t('-1 day'), NULL);
INSERT INTO saas.scim_events (account_id, event_id, kind, email, received_at, applied_at)
SELECT p.no, 460010 + row_number() OVER (ORDER BY p.no, p.k), 'user_deprovisioned',
       CASE WHEN p.no = 610 AND p.k = 5 THEN upper(p.email) ELSE p.email END, demo.t('-20 hours'),
       CASE WHEN p.no = 610 AND p.k = 8 THEN demo.t('-19 hours') END
FROM demo.people p
WHERE p.no = 609 AND p.k = 1 OR p.no = 610 AND p.k BETWEEN 4 AND 8;
INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, team_id, role, status, invited_by, sent_at, expires_at)
VALUES (608, 608001, 'kitso.m@okavango-safaris.example', NULL, 60851, 'member', 'pending', 6080001, demo.t('-5 days'), demo.t('25 days')),
       (608, 608002, 'neo.t@okavango-safaris.example',   NULL, 60851, 'member', 'pending', 6080001, demo.t('-40 days'), demo.t('-10 days')),
       (608, 608003, 'lesedi.k@okavango-safaris.example', NULL, 60852, 'member', 'pending', 6080001, demo.t('-5 days'), NULL),
       (608, 608004, 'pako.s@okavango-safaris.example',  60801, NULL, 'member', 'pending', 6080001, demo.t('-5 days'), NULL);

-- Git Sync on Essentials: more than three people are flagged (G1), until it no longer holds (G2).
UPDATE saas.organizations SET git_sync_enabled = (account_id <> 654),
       git_sync_over_limit_since = CASE WHEN account_id IN (653, 654, 655, 661) THEN demo.t('-20 days') END
WHERE account_id BETWEEN 651 AND 661 AND NOT is_personal;
-- 653: one of four has left. 661: one of five has left, four are still too many.
UPDATE saas.organization_members SET left_at = demo.t('-1 day') WHERE user_id IN (6530004, 6610005);
-- 656: the account forbids Git Sync. 657: it does, but not to this organization. 658: the organization alone may not.
INSERT INTO saas.storage_rules (account_id, organization_id, cloud_sync, local_vault, git_sync)
VALUES (656, 0, true, true, false), (657, 0, true, true, false), (657, 65701, true, true, true),
       (658, 0, true, true, true), (658, 65801, false, true, false);
-- 659: an inactive organization is not judged (G1).
UPDATE saas.organizations SET status = 'inactive', inactive_since = demo.t('-90 days'), inactive_reason = 'abuse' WHERE organization_id = 65901;
-- 660: three people, two of them also by way of a team: three distinct.
INSERT INTO saas.teams (account_id, team_id, name, role, source, created_at) VALUES (660, 66051, 'Brims', 'member', 'manual', demo.t('-300 days'));
INSERT INTO saas.team_organizations (account_id, team_id, organization_id, linked_at) VALUES (660, 66051, 66001, demo.t('-300 days'));
INSERT INTO saas.team_members (account_id, team_id, user_id, source, joined_at)
VALUES (660, 66051, 6600002, 'manual', demo.t('-290 days')), (660, 66051, 6600003, 'manual', demo.t('-290 days'));
INSERT INTO saas.organization_members (account_id, organization_id, user_id, via, role, joined_at)
VALUES (660, 66001, 6600002, 'team', 'member', demo.t('-290 days')), (660, 66001, 6600003, 'team', 'member', demo.t('-290 days'));
