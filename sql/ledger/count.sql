-- What a run is about to do, before its first batch.
UPDATE lapse.runs
SET counters = counters || jsonb_build_object(
      'looked_at', :'looked_at'::bigint, 'due', :'due'::bigint, 'skipped', :'skipped'::bigint,
      'set_aside', :'set_aside'::bigint,
      'changed', coalesce((counters ->> 'changed')::bigint, 0),
      'batches', coalesce((counters ->> 'batches')::bigint, 0))
WHERE run_id = :'run_id'::bigint
  AND attempt = :'attempt'::integer
RETURNING run_id
