-- Demo data, part 85: captured domains, suspended controls and SCIM tokens (accounts 7xx; V1 to V4, W1, W2, D7).

SET LOCAL TIME ZONE 'UTC';

INSERT INTO saas.domains (account_id, domain, method, txt_token, root_domain, verified_at, last_seen_at, capture_enabled_at, lock_enabled_at, suspended_at)
SELECT no, domain, CASE WHEN root IS NULL THEN 'unique_txt' ELSE 'root' END,
       CASE WHEN root IS NULL THEN 'lapse-verify=' || md5(domain || no) END, root, verified, verified + interval '1 day' * seen,
       captured, locked, suspended
FROM (VALUES
  (701, 'harbourmaster.example',     NULL, demo.t('-400 days'), 399, demo.t('-60 days'),  NULL::timestamptz, NULL::timestamptz),
  (702, 'musical-chairs.example',    NULL, demo.t('-400 days'), 399, demo.t('-60 days'),  NULL, NULL),
  -- V2: captured in two accounts: the earlier capture has it
  (703, 'shared-campus.example',     NULL, demo.t('-400 days'), 399, demo.t('-50 days'),  NULL, NULL),
  (704, 'shared-campus.example',     NULL, demo.t('-500 days'), 499, demo.t('-40 days'),  NULL, NULL),
  -- condition 8: captured and never verified
  (705, 'unproven-claims.example',   NULL, NULL,                NULL, demo.t('-30 days'), NULL, NULL),
  -- D7: Enterprise again: to resume
  (706, 'wiedersehen-optik.example', NULL, demo.t('-400 days'), 399, demo.t('-390 days'), demo.t('-380 days'), demo.t('-100 days')),
  -- D7: on Essentials, and on Pro: to be suspended; V4: captures nobody
  (707, 'leftover-locks.example',    NULL, demo.t('-400 days'), 399, demo.t('-300 days'), demo.t('-300 days'), NULL),
  (708, 'pro-forma.example',         NULL, demo.t('-400 days'), 399, demo.t('-300 days'), NULL, NULL),
  -- W1: a root that is verified, one that is not, one of another account; W3: a record not seen for 40 days
  (709, 'rizoma-botanica.example',       NULL, demo.t('-400 days'), 360, NULL, NULL, NULL),
  (709, 'lab.rizoma-botanica.example',   'rizoma-botanica.example', NULL, NULL, NULL, NULL, NULL),
  (709, 'semillas.example',              NULL, NULL, NULL, NULL, NULL, NULL),
  (709, 'tienda.semillas.example',       'semillas.example', NULL, NULL, NULL, NULL, NULL),
  (709, 'berlin.campus-nord.example',    'shared-campus.example', NULL, NULL, NULL, NULL, NULL),
  -- W1: its record is there, and one that goes by it; W3, W4: verified, and its name servers fail, or say nothing
  (709, 'viveros.example',               NULL, NULL, NULL, NULL, NULL, NULL),
  (709, 'tienda.viveros.example',        'viveros.example', NULL, NULL, NULL, NULL, NULL),
  (709, 'sin-servidor.example',          NULL, demo.t('-400 days'), 399, NULL, NULL, NULL),
  (709, 'silencio.example',              NULL, demo.t('-400 days'), 399, NULL, NULL, NULL),
  -- W2: locked and never verified
  (711, 'bolt-before-door.example',  NULL, NULL,                NULL, NULL,               demo.t('-20 days'), NULL)
) v (no, domain, root, verified, seen, captured, locked, suspended);

-- Tokens: in 20 days, a second more, at the as-of, a second later, never; suspended ones.
INSERT INTO saas.scim_connections (account_id, provider, token_expires_at, last_sync_at, suspended_at)
VALUES (701, 'okta',  NULL,                      demo.t('-1 hour'),   NULL),
       (703, 'okta',  demo.t(),                  demo.t('-2 hours'),  NULL),
       (704, 'azure', demo.t('1 second'),        demo.t('-2 hours'),  NULL),
       (710, 'okta',  demo.t('20 days'),         demo.t('-1 hour'),   NULL),
       (710, 'azure', demo.t('20 days 1 second'), demo.t('-1 hour'),  NULL),
       (706, 'azure', demo.t('180 days'),        demo.t('-100 days'), demo.t('-100 days')),
       (707, 'okta',  demo.t('90 days'),         demo.t('-1 hour'),   NULL),
       (702, 'okta',  demo.t('-40 days'),        demo.t('-41 days'),  NULL);

-- Sign-ups, user no * 10000 + 100 + n.
INSERT INTO saas.users (user_id, email, name, signed_up_at, deleted_at)
SELECT no * 10000 + 100 + n, email, name, signed_up, deleted
FROM (VALUES
  (701, 1, 'ines.hart@harbourmaster.example',    'Ines Hart',     demo.t('-60 days'), NULL::timestamptz),           -- as capture began: captured
  (701, 2, 'otto.hale@harbourmaster.example',    'Otto Hale',     demo.t('-60 days -1 second'), NULL), -- a second earlier: unmanaged (V3)
  (701, 3, 'Mia.Quay@HarbourMaster.example',     'Mia Quay',      demo.t('-30 days'), NULL),           -- captured
  (701, 4, 'leo.dock@docks.harbourmaster.example', 'Leo Dock',    demo.t('-30 days'), NULL),           -- a subdomain is another domain
  (701, 5, 'gone.buoy@harbourmaster.example',    'Gus Buoy',      demo.t('-30 days'), demo.t('-10 days')), -- deleted
  (701, 6, 'ida.anchor@harbourmaster.example',   'Ida Anchor',    demo.t('-50 days'), NULL),           -- had a license once
  (701, 7, 'tom.row@harbourmaster.example',      'Tom Row',       demo.t('1 hour'), NULL),             -- after the as-of
  (701, 8, 'kim.pier@harbourmaster.example',     'Kim Pier',      demo.t('-500 days'), NULL),          -- unmanaged
  (701, 9, 'sam.mole@harbourmaster.example',     'Sam Mole',      demo.t('-5 days'), NULL),            -- a member without a license: captured
  (701, 10, 'xharbourmaster.example@freemail.example', 'Max Tow', demo.t('-5 days'), NULL),            -- the name before the @
  -- 702: two seats are free. The first and one of two at the same instant get them; 5 has an invitation, which is a seat
  (702, 1, 'a.first@musical-chairs.example',     'Ada First',     demo.t('-5 days'), NULL),
  (702, 2, 'b.tied@musical-chairs.example',      'Bea Tied',      demo.t('-4 days'), NULL),
  (702, 3, 'c.tied@musical-chairs.example',      'Cem Tied',      demo.t('-4 days'), NULL),
  (702, 4, 'd.late@musical-chairs.example',      'Dag Late',      demo.t('-3 days'), NULL),
  (702, 5, 'e.invited@musical-chairs.example',   'Eva Invited',   demo.t('-1 day'), NULL),
  (703, 1, 'student.eins@shared-campus.example', 'Erna Eins',     demo.t('-45 days'), NULL),           -- 703's alone by date
  (703, 2, 'student.zwei@shared-campus.example', 'Zeno Zwei',     demo.t('-3 days'), NULL),            -- both could: 703
  (703, 3, 'archiv@shared-campus.example',       'Arno Archiv',   demo.t('-600 days'), NULL),          -- before both captures: unmanaged in both (V3)
  (705, 1, 'new.claim@unproven-claims.example',  'Nia Claim',     demo.t('-3 days'), NULL),
  (706, 1, 'neu.hier@wiedersehen-optik.example', 'Nele Hier',     demo.t('-3 days'), NULL),            -- captured once the domain resumes
  (707, 1, 'new.lock@leftover-locks.example',    'Nat Lock',      demo.t('-3 days'), NULL),
  (708, 1, 'new.form@pro-forma.example',         'Noe Form',      demo.t('-3 days'), NULL)
) v (no, n, email, name, signed_up, deleted);
INSERT INTO saas.licenses (account_id, license_id, user_id, source, granted_at, revoked_at, revoke_reason)
VALUES (701, 5990011, 7010106, 'manual', demo.t('-49 days'), demo.t('-20 days'), 'removed_by_admin');
INSERT INTO saas.account_members (account_id, user_id, role, joined_at) VALUES (701, 7010109, 'billing', demo.t('-4 days'));
INSERT INTO saas.invitations (account_id, invitation_id, email, organization_id, role, status, invited_by, sent_at, expires_at)
VALUES (702, 702001, 'E.Invited@musical-chairs.example', 70201, 'member', 'pending', 7020001, demo.t('-6 days'), demo.t('24 days'));
