-- Runs past the history's retention: never one that has changes, that published what is still there, or
-- that is the last of its job.
SELECT r.run_id
FROM lapse.runs r
WHERE r.as_of < :'as_of'::timestamptz - :'history_retention'::interval
  AND r.state IN ('done', 'failed', 'stopped', 'superseded')
  AND r.run_id < (SELECT max(l.run_id) FROM lapse.runs l WHERE l.job = r.job)
  AND NOT EXISTS (SELECT FROM lapse.batches b WHERE b.run_id = r.run_id)
  AND NOT EXISTS (SELECT FROM lapse.files f WHERE f.run_id = r.run_id)
