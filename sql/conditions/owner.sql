-- Condition 9: an account has an owner.
SELECT a.account_id, 'no owner' AS finding
FROM saas.accounts a
WHERE NOT EXISTS (
  SELECT FROM saas.account_members m
  WHERE m.account_id = a.account_id AND m.role = 'owner'
    AND m.joined_at <= :'as_of'::timestamptz
    AND (m.left_at IS NULL OR m.left_at > :'as_of'::timestamptz))
ORDER BY a.account_id
