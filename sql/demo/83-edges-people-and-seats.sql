-- Demo data, part 83: owners and seats (accounts 600 to 606; L1 to L5, conditions 4, 6 and 9).

SET LOCAL TIME ZONE 'UTC';

-- 600 (condition 4): the customer closed it; no base subscription is live, and nothing is due.
INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, started_at, ended_at, end_reason)
VALUES (600, 6001, 'base', 'essentials', 'none', 'ended', -1, demo.t('-900 days'), demo.t('-60 days'), 'closed_by_customer');
-- An undo has set it aside, for the attention report: what a job sets aside, its next run takes back.
INSERT INTO lapse.quarantine (account_id, job, reason, since, run_id)
VALUES (600, 'undo', 'the product refused to have a row put back', demo.t('-1 day'), 0);

-- 613: somebody has asked for time; change jobs leave it alone.
INSERT INTO lapse.holds (account_id, reason, held_at, held_until)
VALUES (613, 'disputed invoice', demo.t('-2 days'), demo.t('12 days'));

-- 601 (condition 9): the owner has become a mere member. 602: two owners.
UPDATE saas.account_members SET role = 'member' WHERE account_id = 601 AND role = 'owner';
UPDATE saas.account_members SET role = 'owner' WHERE account_id = 602 AND user_id = 6020002;

-- 603 (condition 6): one person, two live licenses.
INSERT INTO saas.licenses (account_id, license_id, user_id, source, granted_at)
VALUES (603, 5990001, 6030004, 'manual', demo.t('-200 days'));

-- 604: 5, 6 and 7 have left every organization and keep their seats (L3); 8 has lost the license and
-- kept the access, and a freelancer of account 30 never had a license here (L5).
UPDATE saas.organization_members SET left_at = demo.t('-100 days') WHERE account_id = 604 AND user_id IN (6040005, 6040006, 6040007);
UPDATE saas.licenses SET revoked_at = demo.t('-45 days'), revoke_reason = 'removed_by_admin' WHERE user_id = 6040008;
INSERT INTO saas.organization_members (account_id, organization_id, user_id, via, role, joined_at)
VALUES (604, 60401, 300004, 'direct', 'member', demo.t('-75 days'));

-- 605: captured, provisioned and not yet in any organization: no waste (L4).
INSERT INTO saas.domains (account_id, domain, method, txt_token, verified_at, last_seen_at, capture_enabled_at)
VALUES (605, 'netz-fang.example', 'unique_txt', 'lapse-verify=' || md5('domain 605'), demo.t('-1000 days'), demo.t('-1 day 2 hours'), demo.t('-999 days'));
INSERT INTO saas.scim_connections (account_id, provider, token_expires_at, last_sync_at)
VALUES (605, 'azure', demo.t('150 days'), demo.t('-1 hour'));
UPDATE saas.licenses SET source = 'capture' WHERE user_id IN (6050005, 6050006);
UPDATE saas.licenses SET source = 'scim' WHERE user_id = 6050004;
DELETE FROM saas.organization_members WHERE user_id IN (6050004, 6050005, 6050006);

-- 606: twelve people on eight seats, and two more invited.
INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, role, status, invited_by, sent_at, expires_at)
VALUES (606, 606001, 'ira.gold@full-house.example', 60601, 'member', 'pending', 6060001, demo.t('-4 days'), demo.t('26 days')),
       (606, 606002, 'jo.silver@full-house.example', 60601, 'member', 'pending', 6060001, demo.t('-4 days'), NULL);

-- 612 has no personal workspace (part 40). 613's only person is its owner.
