-- Demo data, part 30: the subscriptions of ordinary customers, now and in the past. Nothing here is due.
--
-- A subscription's id is no * 10 + n. The rules' own cases are in parts 80 and 81.

SET LOCAL TIME ZONE 'UTC';

-- What a seat costs per period, in minor units.
CREATE FUNCTION demo.unit_amount(plan text, months integer, currency text) RETURNS bigint
  LANGUAGE sql IMMUTABLE
  AS $$ SELECT (CASE plan WHEN 'enterprise' THEN CASE months WHEN 12 THEN 54000 ELSE 4900 END
                          WHEN 'pro' THEN CASE months WHEN 12 THEN 14400 ELSE 1500 END END
                * CASE currency WHEN 'JPY' THEN 1.5 WHEN 'KRW' THEN 14 WHEN 'INR' THEN 80 WHEN 'DKK' THEN 7 ELSE 1 END)::bigint $$;

-- The subscription in force. Essentials runs since the account began, Pro since 90 days later, Enterprise
-- since 200 days later. Periods end from tomorrow on, over the next month or year.
INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, unit_amount, currency,
                                period_months, started_at, period_end)
SELECT account_id, no * 10 + CASE plan WHEN 'essentials' THEN 1 WHEN 'pro' THEN 2 ELSE 4 END, 'base', plan, channel,
       CASE WHEN no IN (9, 20, 42) THEN 'past_due' ELSE 'active' END,   -- D4: an unpaid renewal alone ends nothing
       seats, CASE WHEN no <> 7 THEN demo.unit_amount(plan, months, currency) END, currency, months,
       created_at + CASE plan WHEN 'essentials' THEN interval '0' WHEN 'pro' THEN interval '90 days' ELSE interval '200 days' END,
       CASE months WHEN 12 THEN demo.t(make_interval(days => 5 + no * 37 % 350, hours => no % 24))
                   WHEN 1 THEN demo.t(make_interval(days => 1 + no * 7 % 27, hours => no % 24)) END
FROM demo.companies
WHERE plan IS NOT NULL
ORDER BY no;

-- What some have planned for later.
UPDATE saas.subscriptions SET cancel_at_period_end = true WHERE subscription_id IN (242, 282);
UPDATE saas.subscriptions SET cancel_at_period_end = true, next_plan = 'pro', next_seats = 40 WHERE subscription_id = 224;
UPDATE saas.subscriptions SET next_seats = seats + 60, next_seats_from = demo.t('40 days') WHERE subscription_id = 102;
UPDATE saas.subscriptions SET next_seats = seats - 100, next_seats_from = demo.t('12 days') WHERE subscription_id = 34;

-- The past: Essentials first; every second Enterprise customer had Pro; all Enterprise customers tried it for
-- the 14 days before they bought. A trial runs beside its base, hence the base ends with it.
INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, unit_amount, currency,
                                period_months, started_at, period_end, trial_ends_at, ended_at, end_reason)
SELECT c.account_id, c.no * 10 + n, CASE old.plan WHEN 'trial' THEN 'trial' ELSE 'base' END, old.plan,
       CASE old.plan WHEN 'pro' THEN 'self_serve' ELSE 'none' END, 'ended',
       CASE old.plan WHEN 'trial' THEN 50 WHEN 'pro' THEN greatest(c.seats / 2, 5) ELSE -1 END,
       CASE old.plan WHEN 'pro' THEN demo.unit_amount('pro', 12, c.currency) END,
       CASE old.plan WHEN 'pro' THEN c.currency END, CASE old.plan WHEN 'pro' THEN 12 END,
       c.created_at + since, CASE old.plan WHEN 'pro' THEN c.created_at + since + interval '365 days' END,
       CASE old.plan WHEN 'trial' THEN c.created_at + until END, c.created_at + until,
       CASE old.plan WHEN 'trial' THEN 'trial_ended' ELSE 'upgraded' END
FROM demo.companies c
JOIN (VALUES
  ('pro',        false, 1, 'essentials', interval '0',        interval '90 days'),
  ('pro',        true,  1, 'essentials', interval '0',        interval '90 days'),
  ('enterprise', false, 1, 'essentials', interval '0',        interval '200 days'),
  ('enterprise', false, 3, 'trial',      interval '186 days', interval '200 days'),
  ('enterprise', true,  1, 'essentials', interval '0',        interval '90 days'),
  ('enterprise', true,  2, 'pro',        interval '90 days',  interval '200 days'),
  ('enterprise', true,  3, 'trial',      interval '186 days', interval '200 days')
) old (now_on, even, n, plan, since, until) ON old.now_on = c.plan AND old.even = (c.no % 2 = 0)
ORDER BY c.no, n;

-- Trials that are running: over Essentials, over Pro with nine days left, over Pro with two (attention report).
INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, started_at, trial_ends_at)
VALUES (31, 319, 'trial', 'trial', 'none', 'trialing', 50, demo.t('-5 days -3 hours'), demo.t('9 days -3 hours')),
       (35, 359, 'trial', 'trial', 'none', 'trialing', 50, demo.t('-5 days'), NULL),
       (41, 419, 'trial', 'trial', 'none', 'trialing', 50, demo.t('-12 days 6 hours'), demo.t('2 days 6 hours'));

-- The history of these: what was before, what came.
INSERT INTO saas.plan_changes (account_id, change_no, from_plan, to_plan, from_seats, to_seats, reason, effective_at, processed_at)
SELECT account_id, 600000 + row_number() OVER (ORDER BY started_at, subscription_id), old_plan, plan, old_seats, seats,
       CASE kind WHEN 'trial' THEN 'trial_started' ELSE 'upgraded' END, started_at, started_at + interval '7 seconds'
FROM (
  SELECT *, lag(plan) OVER past AS old_plan, lag(seats) OVER past AS old_seats
  FROM saas.subscriptions
  WINDOW past AS (PARTITION BY account_id ORDER BY started_at, subscription_id)
) s
WHERE old_plan IS NOT NULL
ORDER BY started_at, subscription_id;
