-- L3, where release_unused_seats_after is set: licenses that have given no access for that long are due
-- to be revoked, each by its own grant. L4: never one that is the owner's, that capture gave, or that
-- SCIM gave to somebody not assigned yet, even where another license of the person speaks for them.
-- Nor one whose holder has joined since the as-of. Reads `idle_seats`.
SELECT s.account_id, s.license_id, s.user_id, s.granted_at, s.revoked_at, s.revoke_reason
FROM saas.licenses s
JOIN idle_seats i ON i.account_id = s.account_id AND i.user_id = s.user_id
WHERE i.finding = 'seat_without_access'
  AND greatest(i.since, s.granted_at)
      <= :'as_of'::timestamptz - :'release_unused_seats_after'::interval
  AND (s.source IN ('invitation', 'manual') OR s.source = 'scim' AND i.was_assigned)
  AND (s.revoked_at IS NULL OR s.revoked_at > :'as_of'::timestamptz)
  AND NOT
  --include joined-since
  AND
  --include account-range
  AND
  --include not-left-alone
