-- The accounts that there were at the as-of, whatever became of them.
judged AS (
  SELECT s.account_id, :'as_of'::timestamptz AS at
  FROM saas.accounts s
  WHERE s.created_at <= :'as_of'::timestamptz
    AND
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
)
