-- Demo data, part 50: the domains and the SCIM connections of ordinary customers, and what SCIM has told.

SET LOCAL TIME ZONE 'UTC';

-- Verified for every Enterprise and every third Pro customer; 21 has not put its record into the DNS yet.
-- Who signs up with a captured domain becomes a licensed user, and 1 and 2 lock theirs as well.
INSERT INTO saas.domains (account_id, domain, method, txt_token, verified_at, last_seen_at, capture_enabled_at, lock_enabled_at)
SELECT account_id, domain, 'unique_txt', 'lapse-verify=' || md5('domain ' || no),
       CASE WHEN no <> 21 THEN demo.t(make_interval(days => -(310 + no * 10))) END,
       CASE WHEN no <> 21 THEN demo.t('-1 day 2 hours') END,
       CASE WHEN no IN (1, 2, 3, 5, 6, 8, 17) THEN demo.t(make_interval(days => -(300 + no * 10))) END,
       CASE WHEN no IN (1, 2) THEN demo.t(make_interval(days => -200)) END
FROM demo.companies
WHERE no <= 50 AND (plan = 'enterprise' OR plan = 'pro' AND no % 3 = 0)
ORDER BY no;

-- W1: verified by way of the root domain; and one whose root is verified already, which has still to be noted.
INSERT INTO saas.domains (account_id, domain, method, root_domain, verified_at, last_seen_at)
VALUES (1, 'mail.nordlicht-versicherung.example', 'root', 'nordlicht-versicherung.example', demo.t('-290 days'), demo.t('-1 day 2 hours')),
       (4, 'athens.helios-logistics.example', 'root', 'helios-logistics.example', NULL, NULL),
       (21, 'brno.ceskomoravska.example', 'root', 'ceskomoravska.example', NULL, NULL);

-- 1 and 11 end within 20 days, 6 has expired, 3 never expires.
INSERT INTO saas.scim_connections (account_id, provider, token_expires_at, last_sync_at)
SELECT c.account_id, scim, CASE WHEN left_days IS NOT NULL THEN demo.t(make_interval(days => left_days)) END,
       CASE WHEN left_days < 0 THEN demo.t('-3 days') ELSE demo.t('-1 hour') END
FROM demo.companies c
JOIN (VALUES (1, 15), (2, 200), (3, NULL), (5, 90), (6, -3), (8, 300), (11, 19), (18, 60)) v (no, left_days) USING (no)
WHERE scim IS NOT NULL
ORDER BY no;

-- Old news, carried out: those who left and whose license SCIM had given.
INSERT INTO saas.scim_events (account_id, event_id, kind, email, received_at, applied_at)
SELECT s.account_id, 400000 + row_number() OVER (ORDER BY s.revoked_at, s.user_id), 'user_deprovisioned', p.email,
       s.revoked_at - interval '2 minutes', s.revoked_at
FROM demo.seats s
JOIN demo.people p USING (no, k)
WHERE s.source = 'scim' AND s.revoked_at > demo.t('-90 days')
ORDER BY s.revoked_at, s.user_id;

-- News of the last three days: somebody whose license came from SCIM loses it (M4), somebody with another
-- license only what SCIM gave. In 6 the token has expired, and the job leaves the account alone (M6).
INSERT INTO saas.scim_events (account_id, event_id, kind, email, received_at)
SELECT p.account_id, 450000 + row_number() OVER (ORDER BY p.no, p.k), 'user_deprovisioned', p.email,
       demo.t(make_interval(hours => -(1 + p.k % 60)))
FROM demo.people p
JOIN demo.seats s USING (no, k)
WHERE p.no IN (1, 2, 3, 5, 6, 8, 11) AND p.k BETWEEN 30 AND 44 AND s.revoked_at IS NULL AND p.k % 3 = 0
ORDER BY p.no, p.k;

-- M3: a team gone at the identity provider.
INSERT INTO saas.scim_events (account_id, event_id, kind, external_id, received_at)
SELECT account_id, 459000, 'team_deleted', external_id, demo.t('-7 hours') FROM saas.teams WHERE team_id = 252;
