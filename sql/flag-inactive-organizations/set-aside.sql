-- Accounts with organizations to judge of which nobody can tell the plan in force.
WITH
--include broken-base
,
broken AS (
  SELECT m.account_id, m.reason
  FROM model_broken m
  WHERE m.has_several
    AND EXISTS (
      SELECT FROM saas.organizations o
      WHERE o.account_id = m.account_id
        AND (o.deleted_at IS NULL OR o.deleted_at > :'as_of'::timestamptz)
        AND (o.status = 'active'
             AND EXISTS (
               SELECT FROM saas.subscriptions e
               JOIN saas.plans p ON p.plan = e.plan AND p.inactivates_on_end
               WHERE e.account_id = o.account_id AND e.status = 'ended'
                 AND e.ended_at <= :'as_of'::timestamptz)
             OR o.status = 'inactive' AND o.inactive_reason IN ('trial_ended', 'enterprise_ended')))
),
--include set-aside
