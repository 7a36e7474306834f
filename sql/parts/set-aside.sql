-- Sets the accounts of `broken (account_id, reason)` aside for this run; `since` stays that of the first
-- time. What is mended, the run takes back at its end.
set_aside AS (
  INSERT INTO lapse.quarantine AS q (account_id, job, reason, since, run_id)
  SELECT b.account_id, :'job'::text, b.reason, :'as_of'::timestamptz, :'run_id'::bigint
  FROM broken b
  ON CONFLICT (account_id, job) DO UPDATE
  SET sqlstate = NULL, reason = excluded.reason, run_id = excluded.run_id
)
SELECT b.account_id, b.reason
FROM broken b
ORDER BY b.account_id
