-- V4: a capture is in force where it is on, under a plan in force with Enterprise controls. V2: of
-- two captures of one domain the earlier has it, then the lower account; only those in force
-- compete. Hence every account is looked at, whatever the batch, and also those that the job leaves
-- alone: what is theirs does not pass to another.
capturing AS (
  SELECT d.account_id, d.domain, lower(d.domain) AS mail_domain, d.capture_enabled_at
  FROM saas.domains d
  WHERE
    --include capture-on
),
-- As live-by-status, over every account that captures.
live AS (
  SELECT k.account_id, :'as_of'::timestamptz AS at, k.subscription_id, k.kind, k.plan, k.seats,
         max(k.alike) OVER (PARTITION BY k.account_id) AS alike
  FROM (
    SELECT s.account_id, s.subscription_id, s.kind, s.plan, s.seats,
           count(*) OVER (PARTITION BY s.account_id, s.kind) AS alike
    FROM saas.subscriptions s
    WHERE s.status IN ('trialing', 'active', 'past_due')
      AND s.account_id IN (SELECT c.account_id FROM capturing c)
  ) k
),
--include plan-in-force
,
captures AS (
  SELECT DISTINCT ON (c.mail_domain)
         c.account_id, c.domain, c.mail_domain, f.purchased,
         CASE WHEN :'capture_existing'::boolean THEN '-infinity'
              ELSE c.capture_enabled_at END AS captured_since
  FROM capturing c
  JOIN plan_in_force f ON f.account_id = c.account_id AND f.enterprise_controls
  ORDER BY c.mail_domain, c.capture_enabled_at, c.account_id, c.domain COLLATE "C"
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
