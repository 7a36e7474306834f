-- V4: a capture is in force where it is on, under a plan in force with Enterprise controls. V2: of
-- two captures of one domain the earlier has it, then the lower account; only those in force
-- compete. Hence every account is looked at, whatever the batch, and also those that the job leaves
-- alone or cannot judge: what is theirs does not pass to another.
capturing AS (
  SELECT d.account_id, d.domain, lower(d.domain) AS mail_domain, d.capture_enabled_at
  FROM saas.domains d
  WHERE
    --include capture-on
),
-- As live-by-status, over every account that captures.
live_rows AS (
  SELECT s.account_id, s.subscription_id, s.kind, s.plan, s.seats
  FROM saas.subscriptions s
  WHERE s.status IN ('trialing', 'active', 'past_due')
    AND s.account_id IN (SELECT c.account_id FROM capturing c)
),
--include live-alike
,
--include plan-in-force
,
-- Of whom nobody can tell which plan is in force keeps the domain, where one of the plans would do.
domain_owners AS (
  SELECT DISTINCT ON (c.mail_domain)
         c.account_id, c.domain, c.mail_domain, c.capture_enabled_at, f.purchased,
         f.account_id IS NOT NULL AS judged
  FROM capturing c
  LEFT JOIN plan_in_force f ON f.account_id = c.account_id
  WHERE f.enterprise_controls
     OR c.account_id IN (SELECT l.account_id
                         FROM live l
                         JOIN saas.plans p ON p.plan = l.plan AND p.enterprise_controls
                         WHERE l.alike > 1)
  ORDER BY c.mail_domain, c.capture_enabled_at, c.account_id, c.domain COLLATE "C"
),
captures AS (
  SELECT o.account_id, o.domain, o.mail_domain, o.purchased,
         CASE WHEN :'capture_existing'::boolean THEN '-infinity'
              ELSE o.capture_enabled_at END AS captured_since
  FROM domain_owners o
  WHERE o.judged
),
-- Those of this batch that the job may act on.
captures_here AS (
  SELECT s.account_id, s.domain, s.mail_domain, s.purchased, s.captured_since
  FROM captures s
  WHERE
    --include account-range
    AND
    --include not-left-alone
)
