-- Runs past the history's retention: never one that has changes, that published what is still there,
-- that is the last of its job, or that took snapshots of seats, whose movement counts from its as-of.
-- They belong to no account: a purge of some accounts leaves them.
SELECT r.run_id
FROM lapse.runs r
WHERE r.as_of < :'as_of'::timestamptz - :'history_retention'::interval
  AND r.state IN ('done', 'failed', 'stopped', 'superseded')
  AND r.run_id < (SELECT max(l.run_id) FROM lapse.runs l WHERE l.job = r.job)
  AND :'accounts'::bigint[] IS NULL
  AND (r.job <> 'reconcile-seats' OR coalesce((r.counters ->> 'recorded')::bigint, 0) = 0)
  AND NOT EXISTS (SELECT FROM lapse.batches b WHERE b.run_id = r.run_id)
  AND NOT EXISTS (SELECT FROM lapse.files f WHERE f.run_id = r.run_id)
