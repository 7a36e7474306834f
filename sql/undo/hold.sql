-- Holds each account of which something was put back, so that the next night does not do it again.
WITH held AS (
  INSERT INTO lapse.holds (account_id, reason, held_at, held_until)
  SELECT DISTINCT s.account_id, 'undo of run ' || :'undo_run'::bigint, :'as_of'::timestamptz,
         :'as_of'::timestamptz + :'undo_hold'::interval
  FROM lapse.changes s
  WHERE s.run_id = :'run_id'::bigint AND s.batch_no = :'batch_no'::integer
    AND NOT :'no_hold'::boolean
    AND
    --include account-range
  RETURNING account_id
)
SELECT count(*) AS changed, 0::bigint AS torn
FROM held
