-- M6: where a SCIM connection's token has expired, absence proves nothing, and the account is left
-- alone. A connection that is suspended is not in use: its token says nothing.
scim_expired AS (
  SELECT s.account_id, s.provider, s.token_expires_at
  FROM saas.scim_connections s
  WHERE s.token_expires_at <= :'as_of'::timestamptz
    AND (s.suspended_at IS NULL OR s.suspended_at > :'as_of'::timestamptz)
    AND
    --include account-range
    AND
    --include not-left-alone
)
