-- Purges runs of the history, with the last batch of accounts.
WITH due AS (
  --include runs-past
),
purged AS (
  DELETE FROM lapse.runs r
  USING due d
  WHERE r.run_id = d.run_id
    AND :'to_account'::bigint = 9223372036854775807
  RETURNING r.run_id
)
SELECT count(*) AS changed, 0::bigint AS torn
FROM purged
