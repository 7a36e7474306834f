-- The plan in force of each account in words, and when the subscription that brings it ends, as far as
-- it says. Reads `plan_in_force`.
plan_told AS (
  SELECT s.account_id,
         CASE WHEN f.account_id IS NULL THEN 'nobody can tell the plan'
              ELSE 'the plan is ' || f.plan || CASE WHEN b.ends_at IS NULL THEN ''
                                                    ELSE ', which ends' END END AS told,
         b.ends_at
  FROM saas.accounts s
  LEFT JOIN plan_in_force f ON f.account_id = s.account_id
  LEFT JOIN (
    SELECT p.account_id, p.subscription_id,
           CASE WHEN p.kind = 'trial' THEN coalesce(p.trial_ends_at, p.started_at + interval '336 hours')
                ELSE p.period_end + :'renewal_grace'::interval END AS ends_at
    FROM saas.subscriptions p
  ) b ON b.account_id = f.account_id AND b.subscription_id = f.subscription_id
  WHERE
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
)
