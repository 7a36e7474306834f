-- What the job looks at: every account that there was. None is ever skipped. What it may change (L3) are
-- live licenses.
SELECT count(*) AS looked_at, 0::bigint AS skipped,
       (SELECT count(*)
        FROM saas.licenses s
        WHERE s.granted_at <= :'as_of'::timestamptz
          AND (s.revoked_at IS NULL OR s.revoked_at > :'as_of'::timestamptz)
          AND
          --include account-range
          AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[])))
         AS of_all
FROM saas.accounts s
WHERE s.created_at <= :'as_of'::timestamptz
  AND
  --include account-range
  AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
