-- What the report lists: live licenses (A1).
SELECT count(*) AS looked_at, 0::bigint AS skipped
FROM saas.licenses s
WHERE s.granted_at <= :'as_of'::timestamptz
  AND (s.revoked_at IS NULL OR s.revoked_at > :'as_of'::timestamptz)
  AND
  --include account-range
  AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
