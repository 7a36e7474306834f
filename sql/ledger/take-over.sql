-- Goes on with a run that was left unfinished; whoever held it finds the attempt moved and stops.
UPDATE lapse.runs
SET attempt = attempt + 1, state = CASE WHEN state = 'applied' THEN 'applied' ELSE 'running' END,
    finished_at = NULL, status = NULL, message = NULL, version = :'version'::text,
    host = :'host'::text
WHERE run_id = :'run_id'::bigint
  AND attempt = :'attempt'::integer
  AND state IN ('running', 'applied', 'failed')
RETURNING attempt
