-- The trials that ended, as the audit of the date has them: the plan right after the trial, and the
-- seats under the plan in force as of the run.
WITH
--include runs-of-the-date
,
judged AS (
  SELECT DISTINCT c.account_id, c.as_of AS at
  FROM changes c
  WHERE c.entity = 'plan_changes' AND c.reason IN ('trial_ended', 'trial_ended_to_code')
),
--include seats
SELECT c.account_id, a.name AS account, t.subscription_id, t.started_at AS started,
       c.effective_at AS ended_at, p.after ->> 'to_plan' AS to_plan, n.used AS seats_used,
       n.purchased AS seats_purchased, n.over AS over_limit
FROM changes c
JOIN saas.subscriptions t ON t.account_id = c.account_id AND t.subscription_id = c.entity_id::bigint
JOIN changes p
  ON p.account_id = c.account_id AND p.run_id = c.run_id AND p.entity = 'plan_changes'
 AND p.reason = c.reason AND p.effective_at = c.effective_at
JOIN saas.accounts a ON a.account_id = c.account_id
JOIN seats n ON n.account_id = c.account_id AND n.at = c.as_of
WHERE c.entity = 'subscriptions' AND c.after ->> 'end_reason' = 'trial_ended'
  AND c.before IS NOT NULL
ORDER BY c.account_id, t.subscription_id, c.effective_at, c.change_id, p.change_id
