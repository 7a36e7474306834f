-- The accounts whose trial this batch has ended: T4 judges their base subscription.
judged AS (
  SELECT DISTINCT s.account_id
  FROM lapse.changes s
  WHERE s.run_id = :'run_id'::bigint
    AND s.batch_no = :'batch_no'::integer
    AND s.entity = 'subscriptions'
    AND
    --include account-range
)
