-- Demo data, part 86: exact ages of activity (account 801; A2 to A8). Person k is user 8010000 + k.

SET LOCAL TIME ZONE 'UTC';

INSERT INTO saas.user_activity (account_id, user_id, last_opened_at, last_login_at)
SELECT 801, 8010000 + k, opened, login
FROM (VALUES
  ( 1, demo.t(),                         NULL::timestamptz),       -- at the as-of itself: age 0
  ( 2, demo.t('-1 second'),              NULL),                    -- a second earlier: age 1
  ( 3, demo.t('-88 days -1 second'),     NULL),                    -- 89
  ( 4, demo.t('-89 days -12 hours'),     NULL),                    -- 90
  ( 5, demo.t('-90 days -12 hours'),     NULL),                    -- 91: no date any more
  ( 6, demo.t('-100 days'),              NULL),                    -- 100
  ( 7, demo.t('-100 days -1 second'),    NULL),                    -- 101: N/A
  ( 8, demo.t('-400 days'),              demo.t('-400 days')),     -- opened before 2025-05-20, login as old
  -- 9 was never seen: no row
  (10, NULL,                             NULL),                    -- nor 10, whose row is empty
  (11, demo.t('3 hours'),                NULL),                    -- opened after the as-of only: never
  (12, demo.t('5 hours'),                demo.t('4 hours')),       -- as well, but there are earlier days (A8), see below
  (13, timestamptz '2025-05-19 23:59:59Z', demo.t('-12 days')),    -- A4: an old opening and a later login
  (14, timestamptz '2025-05-19 23:59:59Z', NULL),                  -- an old opening and no login
  (15, timestamptz '2025-05-20Z',        demo.t('-12 days')),      -- the first day that counts: the opening, N/A
  (16, NULL,                             demo.t('-7 days')),       -- login only
  (17, NULL,                             demo.t('-95 days')),      -- login only, 95 days ago
  (18, NULL,                             demo.t('-300 days')),     -- login only, long ago
  (19, timestamptz '2025-05-01Z',        demo.t('6 hours')),       -- an old opening, the login after the as-of
  (20, timestamptz '2025-05-10Z',        timestamptz '2025-04-01Z'), -- the login older than the opening
  (21, demo.t('-120 days'),              NULL),                    -- the summary lags behind the days, see below
  (22, demo.t('-2 days'),                demo.t('-1 day')),        -- the login is later, the opening counts
  (23, demo.t('-5 days'),                NULL)                     -- 23's license is revoked: not in the report
  -- 24 has days and no summary
) v (k, opened, login);

INSERT INTO saas.user_activity_days (account_id, user_id, day, requests_created, requests_executed, documents_created)
SELECT 801, 8010000 + k, (demo.t() AT TIME ZONE 'UTC')::date - age, k, age % 50 + 1, k % 2
FROM (VALUES
  (1, 0), (1, 1), (1, 6), (1, 7), (1, 29), (1, 30), (1, 89), (1, 90), (1, 91),  -- A6: the edges of the windows
  (2, 1), (3, 89), (4, 90), (5, 91), (6, 100), (7, 101),                        -- A5: 91 and older are purged
  (12, -1), (12, 0), (12, 5), (12, 40),                                         -- A8: today counts, tomorrow does not
  (21, 4), (21, 120), (22, 2), (23, 5), (24, 9), (24, 60)
) v (k, age);

UPDATE saas.licenses SET revoked_at = demo.t('-3 days'), revoke_reason = 'left_company' WHERE user_id = 8010023;
UPDATE saas.organization_members SET left_at = demo.t('-3 days') WHERE user_id = 8010023;
UPDATE saas.account_members SET left_at = demo.t('-3 days') WHERE user_id = 8010023;
