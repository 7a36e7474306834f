-- Demo data, part 81: organizations that must go inactive, stay, or come back (accounts 4xx; O1 to O7).
--
-- n of a subscription's id no * 10 + n: 1 is in force, higher ones are the past.

SET LOCAL TIME ZONE 'UTC';

INSERT INTO saas.subscriptions (account_id, subscription_id, kind, plan, channel, status, seats, period_months, started_at,
                                period_end, trial_ends_at, ended_at, end_reason)
SELECT no, no * 10 + n, CASE plan WHEN 'trial' THEN 'trial' ELSE 'base' END, plan,
       CASE plan WHEN 'pro' THEN 'self_serve' WHEN 'enterprise' THEN 'sales' ELSE 'none' END,
       CASE WHEN ended IS NOT NULL THEN 'ended' WHEN plan = 'trial' THEN 'trialing' ELSE 'active' END,
       CASE plan WHEN 'essentials' THEN -1 WHEN 'trial' THEN 50 ELSE 10 END,
       CASE plan WHEN 'pro' THEN 1 WHEN 'enterprise' THEN 12 END, started, period_end,
       CASE plan WHEN 'trial' THEN coalesce(ended, started + interval '336 hours') END, ended, reason
FROM (VALUES
  -- 401: Enterprise ended six weeks ago, and nobody has flagged the organizations
  (401, 2, 'enterprise', demo.t('-800 days'), timestamptz '2026-02-15Z', timestamptz '2026-02-15Z', 'expired_without_renewal'),
  (401, 1, 'essentials', timestamptz '2026-02-15Z', NULL, NULL, NULL),
  -- 402: the same, flagged already
  (402, 2, 'enterprise', demo.t('-700 days'), demo.t('-90 days'), demo.t('-90 days'), 'expired_without_renewal'),
  (402, 1, 'essentials', demo.t('-90 days'), NULL, NULL, NULL),
  -- 403: a trial ended, flagged already
  (403, 2, 'trial', demo.t('-74 days'), NULL, demo.t('-60 days'), 'trial_ended'),
  (403, 1, 'essentials', demo.t('-700 days'), NULL, NULL, NULL),
  -- 404: trial and Enterprise ended at the same instant: the trial decides
  (404, 3, 'trial', demo.t('-44 days'), NULL, demo.t('-30 days'), 'trial_ended'),
  (404, 2, 'enterprise', demo.t('-395 days'), demo.t('-30 days'), demo.t('-30 days'), 'expired_without_renewal'),
  (404, 1, 'essentials', demo.t('-30 days'), NULL, NULL, NULL),
  -- 405: Pro ended: they stay
  (405, 2, 'pro', demo.t('-500 days'), demo.t('-50 days'), demo.t('-50 days'), 'expired_without_renewal'),
  (405, 1, 'essentials', demo.t('-50 days'), NULL, NULL, NULL),
  -- 406: Enterprise, then Pro, then Essentials: Pro ended last, they stay
  (406, 3, 'enterprise', demo.t('-600 days'), demo.t('-200 days'), demo.t('-200 days'), 'manual_downgrade'),
  (406, 2, 'pro', demo.t('-200 days'), demo.t('-20 days'), demo.t('-20 days'), 'expired_without_renewal'),
  (406, 1, 'essentials', demo.t('-20 days'), NULL, NULL, NULL),
  -- 407: on Pro again: they come back
  (407, 3, 'enterprise', demo.t('-600 days'), demo.t('-150 days'), demo.t('-150 days'), 'expired_without_renewal'),
  (407, 2, 'essentials', demo.t('-150 days'), NULL, demo.t('-10 days'), 'upgraded'),
  (407, 1, 'pro', demo.t('-10 days'), demo.t('21 days'), NULL, NULL),
  -- 408: a live trial brings them back
  (408, 3, 'enterprise', demo.t('-700 days'), demo.t('-120 days'), demo.t('-120 days'), 'expired_without_renewal'),
  (408, 1, 'essentials', demo.t('-120 days'), NULL, NULL, NULL),
  (408, 2, 'trial', demo.t('-4 days'), NULL, NULL, NULL),
  -- 409: inactive since Enterprise ended, and Pro has come and gone since: Essentials brings nothing back
  (409, 4, 'enterprise', demo.t('-700 days'), demo.t('-300 days'), demo.t('-300 days'), 'expired_without_renewal'),
  (409, 3, 'essentials', demo.t('-300 days'), NULL, demo.t('-61 days'), 'upgraded'),
  (409, 2, 'pro', demo.t('-61 days'), demo.t('-30 days'), demo.t('-30 days'), 'expired_without_renewal'),
  (409, 1, 'essentials', demo.t('-30 days'), NULL, NULL, NULL),
  -- 410: an Enterprise that an undo has taken back does not count, the Pro before it does
  (410, 3, 'pro', demo.t('-500 days'), demo.t('-40 days'), demo.t('-40 days'), 'expired_without_renewal'),
  (410, 2, 'enterprise', demo.t('-35 days'), demo.t('330 days'), demo.t('-34 days'), 'undone'),
  (410, 1, 'essentials', demo.t('-40 days'), NULL, NULL, NULL),
  -- 411: Enterprise and Pro ended at the same instant: Enterprise decides
  (411, 3, 'enterprise', demo.t('-400 days'), demo.t('-35 days'), demo.t('-35 days'), 'expired_without_renewal'),
  (411, 2, 'pro', demo.t('-400 days'), demo.t('-35 days'), demo.t('-35 days'), 'expired_without_renewal'),
  (411, 1, 'essentials', demo.t('-35 days'), NULL, NULL, NULL),
  -- 412: Enterprise ended, but only the personal workspace is left
  (412, 2, 'enterprise', demo.t('-700 days'), demo.t('-70 days'), demo.t('-70 days'), 'manual_downgrade'),
  (412, 1, 'essentials', demo.t('-70 days'), NULL, NULL, NULL)
) v (no, n, plan, started, period_end, ended, reason);

-- Further organizations. O3: made a second before, at, and a second after the end that decides.
INSERT INTO saas.organizations (account_id, organization_id, name, is_personal, status, inactive_since, inactive_reason, created_at, deleted_at)
VALUES (401, 40102, 'Messtechnik',  false, 'active',   NULL, NULL, timestamptz '2026-02-14 23:59:59Z', NULL),
       (401, 40103, 'Kalibrierung', false, 'active',   NULL, NULL, timestamptz '2026-02-15Z', NULL),
       (401, 40104, 'Neuanfang',    false, 'active',   NULL, NULL, timestamptz '2026-02-15 00:00:01Z', NULL),
       (401, 40105, 'Altbestand',   false, 'active',   NULL, NULL, demo.t('-700 days'), demo.t('-100 days')),
       (401, 40106, 'Gesperrt',     false, 'inactive', demo.t('-300 days'), 'abuse', demo.t('-700 days'), NULL),
       (402, 40202, 'Depois',       false, 'active',   NULL, NULL, demo.t('-60 days'), NULL),
       -- O6: inactive for another reason, or for none: not ours to bring back
       (407, 40702, 'Collana Abuso', false, 'inactive', demo.t('-400 days'), 'abuse', demo.t('-500 days'), NULL),
       (407, 40703, 'Senza Motivo', false, 'inactive', demo.t('-400 days'), NULL, demo.t('-500 days'), NULL),
       (407, 40704, 'Rinascita',    false, 'inactive', demo.t('-150 days'), 'trial_ended', demo.t('-500 days'), NULL),
       (407, 40705, 'Cestinata',    false, 'inactive', demo.t('-150 days'), 'enterprise_ended', demo.t('-500 days'), demo.t('-80 days')),
       -- under a plan that supports it, an organization blocked for abuse stays so
       (22,  2209,  'Abuse Review', false, 'inactive', demo.t('-33 days'), 'abuse', demo.t('-300 days'), NULL);
INSERT INTO saas.organization_members (account_id, organization_id, user_id, via, role, joined_at)
SELECT o.account_id, o.organization_id, p.user_id, 'direct', CASE p.k WHEN 1 THEN 'owner' ELSE 'member' END, o.created_at
FROM saas.organizations o
JOIN demo.people p USING (account_id)
WHERE o.organization_id IN (40102, 40103, 40104, 40106, 40202, 40702, 40703, 40704, 2209) AND p.k IN (1, 4);

-- Flagged by earlier runs. The owner's export was asked for then.
UPDATE saas.organizations o
SET status = 'inactive', inactive_since = s.ended_at,
    inactive_reason = CASE s.plan WHEN 'trial' THEN 'trial_ended' ELSE 'enterprise_ended' END
FROM saas.subscriptions s
WHERE s.account_id = o.account_id AND s.subscription_id IN (4022, 4032, 4073, 4083, 4094)
  AND o.organization_id IN (40201, 40301, 40701, 40801, 40901);
INSERT INTO saas.organization_exports (account_id, organization_id, export_id, requested_at, visible_to, status)
SELECT account_id, organization_id, 300000 + row_number() OVER (ORDER BY organization_id), date_trunc('day', inactive_since + interval '1 day'),
       'owner', CASE WHEN account_id = 407 THEN 'done' ELSE 'requested' END
FROM saas.organizations
WHERE inactive_reason IN ('enterprise_ended', 'trial_ended') AND deleted_at IS NULL
ORDER BY organization_id;
UPDATE saas.organizations SET deleted_at = demo.t('-50 days') WHERE organization_id = 41201;

-- D7: 401's controls have not been suspended with Enterprise, 402's were.
INSERT INTO saas.domains (account_id, domain, method, txt_token, verified_at, last_seen_at, capture_enabled_at, lock_enabled_at, suspended_at)
SELECT account_id, domain, 'unique_txt', 'lapse-verify=' || md5('domain ' || no), demo.t('-600 days'), demo.t('-1 day 2 hours'),
       demo.t('-550 days'), demo.t('-500 days'), CASE no WHEN 402 THEN demo.t('-90 days') END
FROM demo.companies WHERE no IN (401, 402);
INSERT INTO saas.scim_connections (account_id, provider, token_expires_at, last_sync_at, suspended_at)
VALUES (401, 'azure', demo.t('90 days'), demo.t('-1 hour'), NULL),
       (402, 'azure', demo.t('90 days'), demo.t('-90 days'), demo.t('-90 days'));

-- What happened on those days.
INSERT INTO saas.plan_changes (account_id, change_no, from_plan, to_plan, from_seats, to_seats, reason, effective_at, processed_at)
SELECT o.account_id, 650000 + row_number() OVER (ORDER BY o.ended_at, o.subscription_id),
       o.plan, n.plan, o.seats, n.seats, o.end_reason, o.ended_at, o.ended_at + interval '2 hours'
FROM saas.subscriptions o
JOIN saas.subscriptions n ON n.account_id = o.account_id AND n.kind = 'base'
                         AND (n.started_at = o.ended_at OR o.kind = 'trial' AND n.started_at < o.ended_at AND n.status <> 'ended')
WHERE o.account_id BETWEEN 401 AND 412 AND o.end_reason <> 'undone' AND o.ended_at IS NOT NULL
ORDER BY o.ended_at, o.subscription_id;
