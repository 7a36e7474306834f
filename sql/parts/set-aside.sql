-- Sets the accounts of `broken (account_id, reason)` aside for this run, and takes back those that
-- an earlier run set aside: they are tried again.
taken_back AS (
  DELETE FROM lapse.quarantine s
  WHERE s.job = :'job'::text
    AND
    --include account-range
    AND (:'accounts'::bigint[] IS NULL OR s.account_id = ANY (:'accounts'::bigint[]))
    AND NOT EXISTS (SELECT FROM broken b WHERE b.account_id = s.account_id)
),
set_aside AS (
  INSERT INTO lapse.quarantine AS q (account_id, job, reason, since, run_id)
  SELECT b.account_id, :'job'::text, b.reason, :'as_of'::timestamptz, :'run_id'::bigint
  FROM broken b
  ON CONFLICT (account_id, job) DO UPDATE SET reason = excluded.reason, run_id = excluded.run_id
)
SELECT b.account_id, b.reason
FROM broken b
ORDER BY b.account_id
