-- V1: the person `p` never held a license in the account, whatever became of it.
NOT EXISTS (
  SELECT FROM saas.licenses n WHERE n.account_id = p.account_id AND n.user_id = p.user_id)
