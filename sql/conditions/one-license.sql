-- Condition 6: a person has at most one live license in an account.
SELECT l.account_id, 'user ' || l.user_id || ' has ' || count(*) || ' live licenses' AS finding
FROM saas.licenses l
WHERE l.granted_at <= :'as_of'::timestamptz
  AND (l.revoked_at IS NULL OR l.revoked_at > :'as_of'::timestamptz)
GROUP BY l.account_id, l.user_id
HAVING count(*) > 1
ORDER BY l.account_id, l.user_id
