-- The run's counters, in the transaction of the batch itself.
UPDATE lapse.runs
SET counters = counters || jsonb_build_object(
      'changed', coalesce((counters ->> 'changed')::bigint, 0) + :'changed'::bigint,
      'done', coalesce((counters ->> 'done')::bigint, 0) + :'done'::bigint,
      'recorded', coalesce((counters ->> 'recorded')::bigint, 0) + :'recorded'::bigint,
      'batches', coalesce((counters ->> 'batches')::bigint, 0)
                 + (:'changed'::bigint > 0)::integer)
WHERE run_id = :'run_id'::bigint
  AND attempt = :'attempt'::integer
  AND state = 'running'
RETURNING run_id
