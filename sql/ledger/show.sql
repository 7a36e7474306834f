-- Everything the ledger knows of one run.
SELECT r.run_id, r.job, r.as_of, r.trigger, r.state, r.attempt, r.started_at, r.finished_at,
       r.counters, r.options, r.status, r.message,
       r.settings_digest, r.changes_digest, r.version, r.host
FROM lapse.runs r
WHERE r.run_id = :'run_id'::bigint
