-- Demo data, part 80: the rules' own cases of paid periods (accounts 2xx), trials and activation codes (3xx).
--
-- A base's id is no * 10 + 1, a trial's no * 10 + 2. Prices are filled in at the end.

SET LOCAL TIME ZONE 'UTC';

-- Periods that end, downgrades by hand, scheduled seats (D1 to D4, D6).
INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, period_months, started_at,
                                period_end, cancel_at_period_end, next_plan, next_seats, next_seats_from)
SELECT no, no * 10 + 1, 'base', plan, CASE plan WHEN 'pro' THEN 'self_serve' ELSE 'sales' END, status, seats, months,
       demo.t('-1130 days'), period_end, cancel, next_plan, next_seats, next_from
FROM (VALUES
  -- D1: at, before and after the as-of
  (201, 'enterprise', 'active',   20, 12, demo.t(),                       false, NULL, NULL::integer, NULL::timestamptz),
  (202, 'enterprise', 'active',   20, 12, demo.t('-1 second'),            false, NULL, NULL, NULL),
  (203, 'enterprise', 'active',   20, 12, demo.t('1 second'),             false, NULL, NULL, NULL),
  (204, 'pro',        'active',   10,  1, demo.t(),                       false, NULL, NULL, NULL),
  (205, 'pro',        'active',   10,  1, demo.t('1 second'),             false, NULL, NULL, NULL),
  -- D4: past due keeps its plan, until the period has ended
  (206, 'pro',        'past_due', 10,  1, demo.t('3 days'),               false, NULL, NULL, NULL),
  (207, 'pro',        'past_due', 10,  1, demo.t('-5 days'),              false, NULL, NULL, NULL),
  -- D3: without next_plan, with one and fewer seats
  (208, 'pro',        'active',   10, 12, demo.t('-2 days'),              true,  NULL, NULL, NULL),
  (209, 'enterprise', 'active',   60, 12, demo.t('-10 days'),             true,  'pro', 20, NULL),
  -- a chain: 31 January, and Pro's own month ended on 28 February
  (210, 'enterprise', 'active',   30,  1, timestamptz '2026-01-31Z',      true,  'pro', NULL, NULL),
  (211, 'enterprise', 'active',   30, 12, demo.t('-1 day'),               true,  'essentials', NULL, NULL),
  (212, 'enterprise', 'active',   30, 12, demo.t('20 days'),              true,  'pro', 15, NULL),
  -- D6: seats due, at the as-of, a second later
  (213, 'enterprise', 'active',  100, 12, demo.t('120 days'),             false, NULL, 80, demo.t('-1 day')),
  (214, 'pro',        'active',   25, 12, demo.t('90 days'),              false, NULL, 35, demo.t()),
  (215, 'pro',        'active',   25, 12, demo.t('90 days'),              false, NULL, 35, demo.t('1 second')),
  -- seats due before the lapse, between lapse and as-of, after the as-of
  (216, 'enterprise', 'active',   80, 12, demo.t('-5 days'),              true,  'pro', 45, demo.t('-20 days')),
  (217, 'enterprise', 'active',   40, 12, demo.t('-5 days'),              false, NULL, 60, demo.t('-2 days')),
  (218, 'pro',        'active',   40, 12, demo.t('-5 days'),              false, NULL, 60, demo.t('10 days')),
  -- no end, and an endless one
  (219, 'enterprise', 'active',   15, 12, NULL,                           false, NULL, NULL, NULL),
  (220, 'enterprise', 'active',   15, 12, 'infinity',                     false, NULL, NULL, NULL),
  -- D2: next_plan counts only with a manual downgrade; Enterprise falls to Essentials
  (221, 'enterprise', 'active',   15, 12, demo.t('-3 days'),              false, 'pro', NULL, NULL),
  -- calendar months in UTC: 28 February and a month, ended again
  (222, 'enterprise', 'active',   15,  1, timestamptz '2026-02-28Z',      true,  'pro', 5, NULL),
  -- the hour that Europe skipped
  (223, 'enterprise', 'active',   15, 12, timestamptz '2026-03-29 01:00Z', false, NULL, NULL, NULL),
  -- next_plan without a period length: no end
  (224, 'enterprise', 'active',   15, NULL, demo.t('-4 days'),            true,  'pro', 10, NULL),
  (225, 'pro',        'past_due', 12,  1, demo.t('-4 days'),              true,  NULL, NULL, NULL),
  -- unlimited from now on; and seats without a date, which belong to a next_plan that is not there
  (226, 'enterprise', 'active',   30, 12, demo.t('60 days'),              false, NULL, -1, demo.t('-6 hours')),
  (227, 'pro',        'active',   10, 12, demo.t('60 days'),              false, NULL, 5, NULL),
  -- D7: domain capture, lock and SCIM go with it, see below
  (228, 'enterprise', 'active',   30, 12, demo.t('-2 days'),              false, NULL, NULL, NULL),
  -- nobody ran the jobs for long; and a leap day, whose year ends on 28 February 2025
  (229, 'enterprise', 'active',   30, 12, demo.t('-330 days'),            false, NULL, NULL, NULL),
  (230, 'enterprise', 'active',   30, 12, timestamptz '2024-02-29Z',      true,  'pro', 10, NULL)
) v (no, plan, status, seats, months, period_end, cancel, next_plan, next_seats, next_from);

INSERT INTO saas.domains (account_id, domain, method, txt_token, verified_at, last_seen_at, capture_enabled_at, lock_enabled_at)
SELECT account_id, domain, 'unique_txt', 'lapse-verify=' || md5('domain ' || no), demo.t('-500 days'), demo.t('-1 day 2 hours'),
       demo.t('-450 days'), CASE no WHEN 228 THEN demo.t('-440 days') END
FROM demo.companies WHERE no IN (201, 209, 228);
INSERT INTO saas.scim_connections (account_id, provider, token_expires_at, last_sync_at)
VALUES (228, 'okta', demo.t('200 days'), demo.t('-1 hour'));

-- Bases under a trial. An Essentials base has no end.
INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, period_months, started_at,
                                period_end, cancel_at_period_end, next_plan, next_seats, next_seats_from)
SELECT no, no * 10 + 1, 'base', plan, CASE plan WHEN 'essentials' THEN 'none' WHEN 'pro' THEN 'self_serve' ELSE 'sales' END, status,
       CASE plan WHEN 'essentials' THEN -1 ELSE 10 END, CASE plan WHEN 'pro' THEN 1 WHEN 'enterprise' THEN 12 END,
       demo.t('-600 days'), period_end, cancel, next_plan, next_seats, next_from
FROM (VALUES
  (301, 'essentials', 'active',   NULL::timestamptz,    false, NULL, NULL::integer, NULL::timestamptz),
  (302, 'essentials', 'active',   NULL,                 false, NULL, NULL, NULL),
  (303, 'pro',        'active',   demo.t('12 days'),    false, NULL, NULL, NULL),
  (304, 'essentials', 'active',   NULL,                 false, NULL, NULL, NULL),
  (305, 'essentials', 'active',   NULL,                 false, NULL, NULL, NULL),
  (306, 'essentials', 'active',   NULL,                 false, NULL, NULL, NULL),
  (307, 'essentials', 'active',   NULL,                 false, NULL, NULL, NULL),
  -- T4: the base has lapsed too: before the trial's end, by hand, and after it
  (308, 'enterprise', 'active',   demo.t('-5 days'),    false, NULL, NULL, NULL),
  (309, 'enterprise', 'active',   demo.t('-5 days'),    true,  'pro', 8, NULL),
  (310, 'pro',        'active',   demo.t('-1 day'),     false, NULL, NULL, NULL),
  -- T5: codes
  (311, 'essentials', 'active',   NULL,                 false, NULL, NULL, NULL),
  (312, 'essentials', 'active',   NULL,                 false, NULL, NULL, NULL),
  (313, 'essentials', 'active',   NULL,                 false, NULL, NULL, NULL),
  (314, 'pro',        'active',   demo.t('9 days'),     false, NULL, NULL, NULL),
  (315, 'essentials', 'active',   NULL,                 false, NULL, NULL, NULL),
  (316, 'essentials', 'active',   NULL,                 false, NULL, NULL, NULL),
  (317, 'essentials', 'active',   NULL,                 false, NULL, NULL, NULL),
  (318, 'essentials', 'active',   NULL,                 false, NULL, NULL, NULL),
  (319, 'essentials', 'active',   NULL,                 false, NULL, NULL, NULL),
  -- D5 and D6: lapse and seats wait for the live trial
  (320, 'pro',        'active',   demo.t('-2 days'),    false, NULL, NULL, NULL),
  (321, 'pro',        'active',   demo.t('70 days'),    false, NULL, 20, demo.t('-3 days')),
  (322, 'essentials', 'active',   NULL,                 false, NULL, NULL, NULL),
  -- trial and Enterprise end together
  (323, 'enterprise', 'active',   demo.t('-12 hours'),  false, NULL, NULL, NULL),
  -- T5 in place of T4
  (324, 'enterprise', 'active',   demo.t('-4 days'),    true,  NULL, NULL, NULL),
  (325, 'essentials', 'active',   NULL,                 false, NULL, NULL, NULL),
  (326, 'pro',        'past_due', demo.t('4 days'),     false, NULL, NULL, NULL),
  (327, 'essentials', 'active',   NULL,                 false, NULL, NULL, NULL),
  (328, 'pro',        'active',   demo.t('15 days'),    false, NULL, NULL, NULL),
  (329, 'enterprise', 'active',   NULL,                 false, NULL, NULL, NULL)
) v (no, plan, status, period_end, cancel, next_plan, next_seats, next_from);

-- The trials (T1, T2): fourteen days, an end that is written or one to be computed.
INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, started_at, trial_ends_at)
SELECT no, no * 10 + 2, 'trial', 'trial', 'none', 'trialing', 50, started, ends
FROM (VALUES
  (301, demo.t('-4 days'),              demo.t('10 days')),
  (302, demo.t('-336 hours'),           demo.t()),                    -- ends at the as-of
  (303, demo.t('-336 hours -1 second'), demo.t('-1 second')),
  (304, demo.t('-336 hours 1 second'),  demo.t('1 second')),          -- not yet
  (305, demo.t('-336 hours'),           NULL),                        -- the same three without a written end
  (306, demo.t('-336 hours 1 second'),  NULL),
  (307, demo.t('-336 hours -1 second'), NULL),
  (308, demo.t('-15 days'),             demo.t('-1 day')),
  (309, demo.t('-16 days'),             demo.t('-2 days')),
  (310, demo.t('-19 days'),             demo.t('-5 days')),
  (311, demo.t('-16 days'),             demo.t('-2 days')),
  (312, demo.t('-17 days'),             demo.t('-3 days')),
  (313, demo.t('-16 days'),             demo.t('-2 days')),
  (314, demo.t('-16 days'),             demo.t('-2 days')),
  (315, demo.t('-16 days'),             demo.t('-2 days')),
  (316, demo.t('-30 days'),             demo.t('-16 days')),
  (317, demo.t('-15 days'),             demo.t('-1 day')),
  (318, demo.t('-15 days'),             demo.t('-1 day')),
  (319, demo.t('-6 days'),              demo.t('8 days')),
  (320, demo.t('-9 days'),              demo.t('5 days')),
  (321, demo.t('-8 days'),              NULL),
  (322, demo.t('-11 days -6 hours'),    demo.t('2 days 18 hours')),   -- attention report: ends within three days
  (323, demo.t('-14 days -12 hours'),   demo.t('-12 hours')),
  (324, demo.t('-15 days'),             demo.t('-1 day')),
  (325, demo.t('-3 days'),              'infinity'),
  (326, demo.t('-14 days -5 hours'),    demo.t('-5 hours')),
  (327, timestamptz '2026-03-15 01:30Z', NULL),                       -- across the clock change of 29 March
  (328, demo.t('-7 days'),              demo.t('7 days')),            -- 58 people on 50 seats
  (329, demo.t('-20 days'),             demo.t('-6 days'))            -- back on an Enterprise base without end
) v (no, started, ends);

-- A code counts when verified from the trial's start on and before its end, once (T5).
INSERT INTO saas.activation_codes (account_id, code_hash, plan, seats, period_end, issued_at, verified_at, redeemed_at)
SELECT no, digit || substr(md5('code ' || no), 1, 31), plan, seats, period_end, issued, verified, redeemed
FROM (VALUES
  (311, '4', 'enterprise', 40, demo.t('363 days'), demo.t('-12 days'), demo.t('-6 days'),  NULL::timestamptz),  -- in time
  (312, '5', 'enterprise', 30, demo.t('360 days'), demo.t('-9 days'),  demo.t('-1 day'),   NULL),  -- after the trial
  (313, '2', 'enterprise', 30, demo.t('363 days'), demo.t('-10 days'), demo.t('-5 days'),  NULL),  -- issued together:
  (313, 'd', 'pro',        12, demo.t('363 days'), demo.t('-10 days'), demo.t('-5 days'),  NULL),  -- the greater hash, this one
  (314, 'e', 'pro',        15, demo.t('363 days'), demo.t('-11 days'), demo.t('-3 days'),  NULL),
  (314, '1', 'enterprise', 25, demo.t('363 days'), demo.t('-10 days'), demo.t('-4 days'),  NULL),  -- issued last: this one
  (315, '6', 'enterprise', 30, demo.t('300 days'), demo.t('-15 days'), demo.t('-14 days'), demo.t('-14 days')),  -- used already
  (316, '7', 'enterprise', 30, demo.t('-3 days'),  demo.t('-28 days'), demo.t('-20 days'), NULL),  -- its own period is over too
  (317, '8', 'pro',        20, demo.t('364 days'), demo.t('-20 days'), demo.t('-15 days'), NULL),  -- at the trial's very start
  (318, '9', 'pro',        20, demo.t('364 days'), demo.t('-5 days'),  demo.t('-1 day'),   NULL),  -- at its very end: too late
  (319, 'a', 'enterprise', 30, demo.t('365 days'), demo.t('-3 days'),  NULL,               NULL),  -- never verified
  (324, 'b', 'enterprise', 35, demo.t('364 days'), demo.t('-7 days'),  demo.t('-2 days'),  NULL),
  -- lying about unused, for the attention report
  ( 12, 'c', 'enterprise', 400, demo.t('400 days'), demo.t('-25 days'), NULL,              NULL),
  ( 22, 'f', 'enterprise', 60, demo.t('200 days'), demo.t('-70 days'), demo.t('-69 days'), NULL),
  ( 37, '3', 'enterprise', 20, demo.t('-10 days'), demo.t('-200 days'), NULL,              NULL)
) v (no, digit, plan, seats, period_end, issued, verified, redeemed);
