-- The last run of a job, where it is not finished: the next run goes on with it.
SELECT r.run_id, extract(epoch FROM r.as_of)::bigint AS as_of, r.state, r.attempt,
       coalesce((r.counters ->> 'changed')::bigint, 0) AS changed,
       coalesce((r.counters ->> 'batches')::bigint, 0) AS batches,
       r.options ->> 'accounts' AS accounts
FROM lapse.runs r
WHERE r.job = :'job'::text
  AND r.run_id = (SELECT max(l.run_id) FROM lapse.runs l WHERE l.job = :'job'::text)
  AND r.state IN ('running', 'applied', 'failed')
