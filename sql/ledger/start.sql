-- A new run. Whoever starts one holds the job's lock, so an older one that still looks alive is not:
-- this one takes its place.
WITH superseded AS (
  UPDATE lapse.runs
  SET state = 'superseded', attempt = attempt + 1, finished_at = clock_timestamp(),
      message = 'a run for another as-of took its place'
  WHERE job = :'job'::text AND state IN ('running', 'applied')
)
INSERT INTO lapse.runs (job, as_of, trigger, state, started_at, counters, options, settings_digest,
                        version, host)
VALUES (:'job'::text, :'as_of'::timestamptz, :'trigger'::text, 'running', clock_timestamp(),
        '{}', :'options'::jsonb, :'settings_digest'::text, :'version'::text, :'host'::text)
RETURNING run_id
