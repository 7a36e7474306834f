-- Demo data, part 90: what the payment provider has invoiced, and the seat counts of the last three days.

SET LOCAL TIME ZONE 'UTC';

-- Prices and references of the accounts that show a rule, whose subscriptions came without.
UPDATE saas.subscriptions s
SET currency = coalesce(s.currency, 'EUR'),
    unit_amount = demo.unit_amount(s.plan, coalesce(s.period_months, 12), coalesce(s.currency, 'EUR'))
WHERE s.plan IN ('pro', 'enterprise') AND s.unit_amount IS NULL AND s.account_id <> 7;
UPDATE saas.subscriptions
SET external_ref = 'sub_' || substr(md5('subscription ' || subscription_id), 1, 14)
WHERE plan IN ('pro', 'enterprise');

-- The current period of every paid subscription that is not ended: one invoice for a year, three for months.
INSERT INTO saas.billing_lines (account_id, invoice_number, line_number, external_ref, plan, seats, period_start, period_end,
                                amount, currency, status, paid_at, source_sha256)
SELECT account_id, format('INV-%s-%s', to_char(starts, 'YYYYMM'), subscription_id), 1, external_ref, plan, seats, starts, ends,
       seats * unit_amount, currency,
       CASE WHEN s.status = 'past_due' AND back = 0 THEN 'open' ELSE 'paid' END,
       CASE WHEN NOT (s.status = 'past_due' AND back = 0) THEN starts + interval '2 days 9 hours' END,
       encode(sha256(convert_to('demo billing ' || to_char(starts, 'YYYY-MM'), 'UTF8')), 'hex')
FROM saas.subscriptions s
CROSS JOIN LATERAL generate_series(0, CASE period_months WHEN 1 THEN 2 ELSE 0 END) AS back
CROSS JOIN LATERAL (SELECT period_end - make_interval(months => period_months * (back + 1)) AS starts,
                           period_end - make_interval(months => period_months * back) AS ends) p
WHERE s.kind = 'base' AND s.status <> 'ended' AND s.plan <> 'essentials' AND s.seats > 0 AND unit_amount IS NOT NULL
  AND isfinite(period_end)
  AND (starts >= s.started_at - interval '1 day' OR back = 0 AND s.account_id <= 50)   -- upgraded within it: billed all the same
ORDER BY s.subscription_id, back;

-- What runs without an end is billed by the year, and the plans that the night will begin, by a code or by
-- next_plan, have been billed already, with two exceptions (224, 313).
INSERT INTO saas.billing_lines (account_id, invoice_number, line_number, external_ref, plan, seats, period_start, period_end,
                                amount, currency, status, paid_at)
SELECT account_id, format('INV-%s-%s', to_char(starts, 'YYYYMM'), account_id), 1,
       'sub_' || substr(md5('subscription ' || account_id * 10 + 1), 1, 14), plan, seats, starts, starts + interval '1 year',
       seats * demo.unit_amount(plan, 12, 'EUR'), 'EUR', 'paid', starts + interval '9 hours'
FROM (VALUES (219, 'enterprise', 15, demo.t('-100 days')), (220, 'enterprise', 15, demo.t('-80 days')), (329, 'enterprise', 10, demo.t('-60 days')),
             (209, 'pro', 20, demo.t('-10 days')), (216, 'pro', 45, demo.t('-5 days')), (309, 'pro', 8, demo.t('-5 days')),
             (311, 'enterprise', 40, demo.t('-2 days')), (317, 'pro', 20, demo.t('-1 day')), (324, 'enterprise', 35, demo.t('-1 day')))
     v (account_id, plan, seats, starts);

-- Where the two do not agree (B2).
UPDATE saas.billing_lines SET seats = seats + 5, amount = amount / (seats) * (seats + 5) WHERE account_id = 28;
UPDATE saas.billing_lines SET amount = amount * 95 / 100 WHERE account_id = 24;               -- a discount nobody wrote down here
UPDATE saas.billing_lines SET currency = 'USD' WHERE account_id = 15;
UPDATE saas.billing_lines SET plan = 'enterprise' WHERE account_id = 42;
UPDATE saas.billing_lines SET period_end = period_end + interval '1 day' WHERE account_id = 22;
UPDATE saas.billing_lines SET status = 'open', paid_at = NULL WHERE account_id = 37;   -- unpaid but active
DELETE FROM saas.billing_lines WHERE account_id = 13;                                  -- only here
INSERT INTO saas.billing_lines (account_id, invoice_number, line_number, external_ref, plan, seats, period_start, period_end, amount, currency, status, paid_at)
VALUES (32, 'INV-202603-OLD', 1, 'sub_unknown32', 'pro', 5, demo.t('-10 days'), demo.t('21 days'), 7500, 'EUR', 'paid', demo.t('-8 days')),      -- only there
       (405, 'INV-202602-405', 1, 'sub_' || substr(md5('subscription 4052'), 1, 14), 'pro', 10, demo.t('-50 days'), demo.t('-22 days'), 15000, 'EUR', 'paid', demo.t('-49 days')),  -- paid, but lapsed here
       (202, 'INV-202603-2021-R', 1, 'sub_' || substr(md5('subscription 2021'), 1, 14), 'enterprise', 20, demo.t('-1 second'), demo.t('1 year -1 second'), 1080000, 'EUR', 'paid', demo.t('-1 hour')),  -- the renewal that downgrade-plans must not overtake (B3)
       (36, 'INV-202603-VOID', 1, 'sub_' || substr(md5('subscription 362'), 1, 14), 'pro', 20, demo.t('-20 days'), demo.t('11 days'), 30000, 'EUR', 'void', NULL);  -- void: means nothing

-- Seats as they were at the start of 28, 29 and 30 March, counted as reconcile-seats does (L1, L2).
ANALYZE saas.licenses, saas.invitations, saas.users, saas.subscriptions;
INSERT INTO saas.seat_snapshots (account_id, day, plan, purchased, licenses, invitations, used, over)
WITH days AS (
  SELECT at, (at AT TIME ZONE 'UTC')::date AS day FROM (VALUES (demo.t('-3 days')), (demo.t('-2 days')), (demo.t('-1 day'))) v (at)
), in_force AS (
  SELECT DISTINCT ON (d.day, s.account_id) d.day, s.account_id, s.plan, s.seats
  FROM days d
  JOIN saas.subscriptions s ON s.started_at <= d.at AND (s.ended_at IS NULL OR s.ended_at > d.at)
                           AND (s.kind = 'base' OR coalesce(s.trial_ends_at, s.started_at + interval '336 hours') > d.at)
  ORDER BY d.day, s.account_id, s.kind DESC
), licensed AS (
  SELECT DISTINCT d.day, l.account_id, lower(u.email) AS person
  FROM days d
  JOIN saas.licenses l ON l.granted_at <= d.at AND (l.revoked_at IS NULL OR l.revoked_at > d.at)
  JOIN saas.users u USING (user_id)
), invited AS (
  SELECT DISTINCT d.day, i.account_id, lower(i.email) AS person
  FROM days d
  JOIN saas.invitations i ON i.sent_at <= d.at AND coalesce(i.expires_at, i.sent_at + interval '720 hours') > d.at
                         AND (i.closed_at IS NULL OR i.closed_at > d.at) AND (i.status = 'pending' OR i.closed_at IS NOT NULL)
), counted AS (
  SELECT day, account_id, count(*) FILTER (WHERE license) AS licenses, count(*) FILTER (WHERE NOT license) AS invitations
  FROM (SELECT day, account_id, person, bool_or(license) AS license
        FROM (SELECT *, true AS license FROM licensed UNION ALL SELECT *, false FROM invited) p
        GROUP BY day, account_id, person) one_each
  GROUP BY day, account_id
)
SELECT f.account_id, f.day, f.plan, f.seats, coalesce(c.licenses, 0), coalesce(c.invitations, 0),
       coalesce(c.licenses + c.invitations, 0),
       CASE WHEN f.seats = -1 THEN 0 ELSE greatest(coalesce(c.licenses + c.invitations, 0) - f.seats, 0) END
FROM in_force f
LEFT JOIN counted c USING (day, account_id)
ORDER BY f.day, f.account_id;

-- 26: somebody has written into the history by hand: its figures do not tie out.
UPDATE saas.seat_snapshots SET used = used + 2 WHERE account_id = 26 AND day = (demo.t('-1 day') AT TIME ZONE 'UTC')::date;
