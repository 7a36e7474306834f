-- The last run of a job, where it is not finished: the next run goes on with it. A report that was
-- asked for with options of its own is not: whoever wants it asks again. One that carries out a plan
-- is gone on with by that plan alone.
SELECT r.run_id, extract(epoch FROM r.as_of)::bigint AS as_of, r.state, r.attempt,
       coalesce((r.counters ->> 'changed')::bigint, 0) AS changed,
       coalesce((r.counters ->> 'batches')::bigint, 0) AS batches,
       r.options ->> 'accounts' AS accounts,
       r.options ->> 'out' AS out, coalesce((r.options ->> 'formats')::bigint, 0) AS formats,
       coalesce((r.counters ->> 'looked_at')::bigint, 0) AS looked_at,
       coalesce((r.counters ->> 'skipped')::bigint, 0) AS skipped,
       coalesce((r.counters ->> 'recorded')::bigint, 0) AS recorded,
       coalesce((r.counters ->> 'done')::bigint, 0) AS done,
       coalesce((r.options ->> 'max_changes')::bigint, -1) AS max_changes,
       (r.options -> 'given')::text AS given
FROM lapse.runs r
WHERE r.job = :'job'::text
  AND r.run_id = (SELECT max(l.run_id) FROM lapse.runs l WHERE l.job = :'job'::text)
  AND r.state IN ('running', 'applied', 'failed')
  AND NOT r.options ? 'override'
  AND (r.options ->> 'plan') IS NOT DISTINCT FROM :'plan'::text
