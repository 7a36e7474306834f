-- D5: no trial is live, by its status: an overdue one waits for end-trials.
NOT EXISTS (
  SELECT FROM saas.subscriptions l
  WHERE l.account_id = s.account_id AND l.kind = 'trial'
    AND l.status IN ('trialing', 'active', 'past_due'))
