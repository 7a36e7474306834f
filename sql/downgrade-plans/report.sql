-- The lapses and changes of seats, as the audit of the date has them, whichever job carried them out
-- (T4 does under end-trials). The subscription is the one that ended, or whose seats changed.
WITH
--include runs-of-the-date
,
judged AS (
  SELECT DISTINCT c.account_id, c.as_of AS at
  FROM changes c
  WHERE c.entity = 'plan_changes'
    AND c.reason IN ('expired_without_renewal', 'manual_downgrade', 'seats_changed')
),
--include seats
SELECT c.account_id, a.name AS account, c.entity_id::bigint AS subscription_id,
       p.after ->> 'from_plan' AS from_plan, p.after ->> 'to_plan' AS to_plan, c.reason,
       c.effective_at, n.used AS seats_used, n.over AS over_limit
FROM changes c
JOIN changes p
  ON p.account_id = c.account_id AND p.run_id = c.run_id AND p.entity = 'plan_changes'
 AND p.reason = c.reason AND p.effective_at = c.effective_at
JOIN saas.accounts a ON a.account_id = c.account_id
JOIN seats n ON n.account_id = c.account_id AND n.at = c.as_of
WHERE c.entity = 'subscriptions'
  AND c.before IS NOT NULL
  AND c.reason IN ('expired_without_renewal', 'manual_downgrade', 'seats_changed')
ORDER BY c.account_id, c.entity_id::bigint, c.effective_at, c.reason <> 'seats_changed',
         c.change_id, p.change_id
