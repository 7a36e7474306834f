-- Accounts of which a subscription or a code was changed since: their plans are left as they are, whole,
-- because half of a change of plan put back would leave two plans or none. Reads `undo_due`.
drifted AS (
  SELECT d.account_id
  FROM undo_due d
  LEFT JOIN saas.subscriptions t ON t.account_id = d.account_id AND t.subscription_id = d.first_id
  WHERE d.entity = 'subscriptions'
    AND NOT coalesce(
      --include undo-unchanged
      , false)
  UNION
  SELECT d.account_id
  FROM undo_due d
  LEFT JOIN saas.activation_codes t ON t.account_id = d.account_id AND t.code_hash = d.entity_id
  WHERE d.entity = 'activation_codes'
    AND NOT coalesce(
      --include undo-unchanged
      , false)
)
