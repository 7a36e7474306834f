-- L3, where release_unused_seats_after is set: licenses without access for that long are due to be
-- revoked. Reads `idle_seats`.
SELECT s.account_id, s.license_id, s.user_id, s.granted_at, s.revoked_at, s.revoke_reason
FROM saas.licenses s
JOIN idle_seats i ON i.account_id = s.account_id AND i.user_id = s.user_id
WHERE i.finding = 'seat_without_access'
  AND i.since <= :'as_of'::timestamptz - :'release_unused_seats_after'::interval
  AND s.granted_at <= :'as_of'::timestamptz
  AND (s.revoked_at IS NULL OR s.revoked_at > :'as_of'::timestamptz)
  AND
  --include account-range
  AND
  --include not-left-alone
