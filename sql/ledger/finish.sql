-- The end of a run, good or bad.
UPDATE lapse.runs
SET state = :'state'::text, status = :'status'::integer, message = :'message'::text,
    finished_at = clock_timestamp(),
    counters = counters || jsonb_build_object(
      'looked_at', :'looked_at'::bigint, 'rows', :'rows'::bigint, 'files', :'files'::bigint)
WHERE run_id = :'run_id'::bigint
  AND attempt = :'attempt'::integer
RETURNING run_id
